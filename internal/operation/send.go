package operation

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/call"
	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
	"github.com/supavigil/supavigil/supabase"
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
func (o *Operation) send(ctx context.Context, query *postgrest.FilterBuilder) (answer, Traces, error) {
	return o.sendPayload(ctx, query, nil)
}

// sendPayload does the same with JSON for a query that was built without a value:
// postgrest-go would encode it once more.
func (o *Operation) sendPayload(ctx context.Context, query *postgrest.FilterBuilder, payload []byte) (answer, Traces, error) {
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
// rows, as an array.
func Call[R any](ctx context.Context, o *Operation, client *supabase.Client, function string, args any, shape Shape[R]) ([]R, error) {
	ctx, record := o.record(ctx)
	err := client.RPC(ctx, function, args, nil)
	o.note(record)
	if err != nil {
		return nil, o.wrap(err, "the function was not called")
	}
	return decodeRows(o, record.Body, shape)
}

// note keeps how a request went.
func (o *Operation) note(record *call.Record) {
	o.status = record.Status
	o.attempts += record.Attempts - o.size.spent
	o.requests += min(record.Attempts-o.size.spent, 1)
	o.size.last = record
}

// count executes a query that asks for an exact count, and returns it.
func (o *Operation) count(ctx context.Context, query *postgrest.FilterBuilder) (int64, error) {
	got, _, err := o.send(ctx, query)
	if err != nil {
		return 0, err
	}
	if !got.counted {
		return 0, o.Fail("the answer does not say how many rows it counted", errNoCount)
	}
	return got.count, nil
}

var errNoCount = errors.New("no count in Content-Range")

// Shape is what operations have to know of a row.
type Shape[R any] struct {
	// Value returns the text of a text column or id, or the time of another, zero
	// for NULL: of those that lists order and filter by.
	Value func(row *R, column string) (text string, at time.Time)
	// Columns reads a column.
	Columns rowjson.Columns[R]
}

func (s Shape[R]) id(row *R) string {
	id, _ := s.Value(row, "id")
	return id
}

// Get executes a query that ends in Single and returns its row, which must be one
// of where. Without one the error is ErrNotFound.
func Get[R any](ctx context.Context, o *Operation, query *postgrest.FilterBuilder, shape Shape[R], where ...Match) (*R, error) {
	got, _, err := o.send(ctx, query)
	if err != nil {
		return nil, err
	}
	return decodeRow(o, got.body, shape, where...)
}

// Rows executes a query and returns its rows, which must be some of where.
func Rows[R any](ctx context.Context, o *Operation, query *postgrest.FilterBuilder, shape Shape[R], where ...Match) ([]R, error) {
	got, _, err := o.send(ctx, query)
	if err != nil {
		return nil, err
	}
	return decodeRows(o, got.body, shape, where...)
}

// Change executes a query that changes rows and returns them, which must be some of
// where. Where it changed none, an attempt before may have.
func Change[R any](ctx context.Context, o *Operation, query *postgrest.FilterBuilder, shape Shape[R], where ...Match) ([]R, Traces, error) {
	got, left, err := o.send(ctx, query)
	if err != nil {
		return nil, left, err
	}
	rows, err := decodeRows(o, got.body, shape, where...)
	if err != nil {
		left.Last = true
		return nil, left, o.Uncertain(err)
	}
	return rows, left, nil
}

func decodeRow[R any](o *Operation, body []byte, shape Shape[R], where ...Match) (*R, error) {
	row, plain := rowjson.Row(body, shape.Columns)
	if !plain {
		var general R
		if err := json.Unmarshal(body, &general); err != nil {
			return nil, o.undecodable(err)
		}
		row = general
	}
	if err := check(o, &row, shape, where); err != nil {
		return nil, err
	}
	o.rows++
	return &row, nil
}

func decodeRows[R any](o *Operation, body []byte, shape Shape[R], where ...Match) ([]R, error) {
	rows, plain := rowjson.Rows(body, shape.Columns)
	if !plain {
		var err error
		if rows, err = decodeArray[R](o, body); err != nil {
			return nil, err
		}
	}
	for i := range rows {
		if err := check(o, &rows[i], shape, where); err != nil {
			return nil, err
		}
	}
	o.rows += int64(len(rows))
	return rows, nil
}

func decodeArray[E any](o *Operation, body []byte) ([]E, error) {
	var elements []E
	if err := json.Unmarshal(body, &elements); err != nil {
		return nil, o.undecodable(err)
	}
	if elements == nil {
		return nil, o.undecodable(errNoArray)
	}
	return elements, nil
}

var (
	errNoID    = errors.New("a row has no id")
	errNoArray = errors.New("null is not an array of rows")
)

// undecodable names the column, never what stood in it.
func (o *Operation) undecodable(err error) *supabase.Error {
	message := "the answer cannot be decoded"
	mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case ok && mismatch.Field != "":
		column := mismatch.Field[strings.LastIndexByte(mismatch.Field, '.')+1:]
		message += ": " + column + " cannot hold a JSON " + strings.Fields(mismatch.Value)[0]
	case errors.Is(err, errNoID), errors.Is(err, errNoArray), errors.Is(err, errNoCreatedAt), errors.Is(err, timestamp.ErrUnreadable):
		message += ": " + err.Error()
	}
	return o.Fail(message, err)
}
