package operation

import (
	"context"
	"encoding/json"
	"reflect"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/trace"
)

// send executes a query that has the same effect once or many times.
func (o *Operation[R]) send(ctx context.Context, query *postgrest.FilterBuilder) (trace.Heard, error) {
	return o.sendPayload(ctx, query, nil)
}

// sendPayload does the same with a body for a query that was built without one.
func (o *Operation[R]) sendPayload(ctx context.Context, query *postgrest.FilterBuilder, payload []byte) (trace.Heard, error) {
	ctx, t := trace.New(ctx, o.told(payload))
	_, _, err := query.ExecuteWithContext(ctx)
	o.note(t.Heard)
	if err != nil {
		return t.Heard, o.wrap(err, "postgrest-go did not send the request")
	}
	return t.Heard, nil
}

// Call calls a function that has the same effect once or many times and returns
// rows of the table, as an array, which must be some of where.
func (o *Operation[R]) Call(ctx context.Context, function string, args any, where ...Filter) ([]R, error) {
	body, err := o.call(ctx, function, args)
	if err != nil {
		return nil, err
	}
	rows, err := o.decodeRows(body, where...)
	return rows, o.answered(err)
}

// CallInto calls such a function for what else it returns, and decodes that as
// encoding/json does.
func (o *Operation[R]) CallInto(ctx context.Context, result any, function string, args any) error {
	body, err := o.call(ctx, function, args)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, result); err != nil {
		return o.answered(o.undecodable(err))
	}
	if v := reflect.ValueOf(result).Elem(); v.Kind() == reflect.Slice && v.IsNil() {
		return o.answered(o.undecodable(unreadable("null is not an array")))
	}
	return nil
}

// Accept checks a row that CallInto brought, and counts it.
func (o *Operation[R]) Accept(row *R, where ...Filter) error {
	if err := o.check(row, where); err != nil {
		return o.answered(err)
	}
	o.rows++
	return nil
}

// answered returns what is wrong with an answer: what a function was to write, it may
// have written.
func (o *Operation[R]) answered(err error) error {
	if err == nil || o.op == Select {
		return err
	}
	return o.Uncertain(err)
}

func (o *Operation[R]) call(ctx context.Context, function string, args any) ([]byte, error) {
	ctx, t := trace.New(ctx, o.told(nil))
	err := o.client.RPC(ctx, function, args, nil)
	o.note(t.Heard)
	if err != nil {
		return nil, o.wrap(err, "the function was not called")
	}
	return t.Body, nil
}

// told is what the transport is told of each request.
func (o *Operation[R]) told(payload []byte) trace.Told {
	return trace.Told{Payload: payload, Repeatable: true, Divisible: o.size.asked > 1, Spent: o.size.spent}
}

// note keeps how a request went, without what it brought.
func (o *Operation[R]) note(heard trace.Heard) {
	heard.Body = nil
	o.heard = heard
	o.attempts += heard.Attempts
	o.requests += min(heard.Attempts, 1)
}

// Get executes a query that ends in Single and returns its row, which must be one
// of where. Without one the error is ErrNotFound.
func (o *Operation[R]) Get(ctx context.Context, query *postgrest.FilterBuilder, where ...Filter) (*R, error) {
	heard, err := o.send(ctx, query)
	if err != nil {
		return nil, err
	}
	return o.decodeRow(heard.Body, where...)
}

// Change executes a query that changes rows and returns them, which must be some of
// where. Where it changed none, an earlier attempt may have.
func (o *Operation[R]) Change(ctx context.Context, query *postgrest.FilterBuilder, where ...Filter) ([]R, trace.Heard, error) {
	heard, err := o.send(ctx, query)
	if err != nil {
		return nil, heard, err
	}
	rows, err := o.decodeRows(heard.Body, where...)
	if err != nil {
		heard.LastUncertain = true
		return nil, heard, o.Uncertain(err)
	}
	return rows, heard, nil
}
