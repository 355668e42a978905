package operation

import (
	"context"
	"encoding/json"
	"errors"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/call"
)

type answer struct {
	body    []byte
	count   int64
	counted bool
}

// Traces says which attempts of a request may have been carried out though their
// answers do not say so: one before the last, or, where the request failed, the
// last.
type Traces struct{ Before, Last bool }

// send executes a query that has the same effect once or many times.
func (o *Operation[R]) send(ctx context.Context, query *postgrest.FilterBuilder) (answer, Traces, error) {
	return o.sendPayload(ctx, query, nil)
}

// sendPayload does the same with JSON for a query that was built without a value:
// postgrest-go would encode it once more.
func (o *Operation[R]) sendPayload(ctx context.Context, query *postgrest.FilterBuilder, payload []byte) (answer, Traces, error) {
	ctx, record := o.record(ctx)
	record.Payload = payload
	_, count, err := query.ExecuteWithContext(ctx)
	o.note(record)
	left := Traces{Before: record.Unsure, Last: record.LastUnsure}
	if err != nil {
		return answer{}, left, o.wrap(err, "postgrest-go did not send the request")
	}
	return answer{body: record.Body, count: count, counted: record.Counted}, left, nil
}

// Call calls a function that has the same effect once or many times and returns
// rows of the table, as an array.
func (o *Operation[R]) Call(ctx context.Context, function string, args any) ([]R, error) {
	body, err := o.call(ctx, function, args)
	if err != nil {
		return nil, err
	}
	return o.decodeRows(body)
}

// CallFor calls such a function for what else it returns, and decodes that as
// encoding/json does.
func (o *Operation[R]) CallFor(ctx context.Context, result any, function string, args any) error {
	body, err := o.call(ctx, function, args)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, result); err != nil {
		return o.undecodable(err)
	}
	return nil
}

func (o *Operation[R]) call(ctx context.Context, function string, args any) ([]byte, error) {
	ctx, record := o.record(ctx)
	err := o.client.RPC(ctx, function, args, nil)
	o.note(record)
	if err != nil {
		return nil, o.wrap(err, "the function was not called")
	}
	return record.Body, nil
}

// note keeps how a request went.
func (o *Operation[R]) note(record *call.Record) {
	o.status = record.Status
	o.attempts += record.Attempts - o.size.spent
	o.requests += min(record.Attempts-o.size.spent, 1)
	o.size.last = record
}

// count executes a query that asks for an exact count, and returns it.
func (o *Operation[R]) count(ctx context.Context, query *postgrest.FilterBuilder) (int64, error) {
	got, _, err := o.send(ctx, query)
	if err != nil {
		return 0, err
	}
	if !got.counted {
		return 0, o.Fail("the answer does not say how many rows it counted", errors.New("no count in Content-Range"))
	}
	return got.count, nil
}

// Get executes a query that ends in Single and returns its row. Without one the
// error is ErrNotFound.
func (o *Operation[R]) Get(ctx context.Context, query *postgrest.FilterBuilder) (*R, error) {
	got, _, err := o.send(ctx, query)
	if err != nil {
		return nil, err
	}
	return o.decodeRow(got.body)
}

// Change executes a query that changes rows and returns them. Where it changed
// none, an attempt before may have.
func (o *Operation[R]) Change(ctx context.Context, query *postgrest.FilterBuilder) ([]R, Traces, error) {
	got, left, err := o.send(ctx, query)
	if err != nil {
		return nil, left, err
	}
	rows, err := o.decodeRows(got.body)
	if err != nil {
		left.Last = true
		return nil, left, o.Uncertain(err)
	}
	return rows, left, nil
}
