package operation

import (
	"context"

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
// rows of the table, as an array.
func (o *Operation[R]) Call(ctx context.Context, function string, args any) ([]R, error) {
	ctx, t := trace.New(ctx, o.told(nil))
	err := o.client.RPC(ctx, function, args, nil)
	o.note(t.Heard)
	if err != nil {
		return nil, o.wrap(err, "the function was not called")
	}
	return o.decodeRows(t.Body)
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
