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

// send executes a query that has the same effect once or many times. unsure
// says, also beside an error, that an attempt before the last may have been
// carried out.
func (o *Operation) send(ctx context.Context, query *postgrest.FilterBuilder) (got answer, unsure bool, err error) {
	ctx, record := call.Repeatable(ctx)
	body, count, err := query.ExecuteWithContext(ctx)
	o.status = record.Status
	o.attempts += record.Attempts
	if err != nil {
		return answer{}, record.Unsure, o.wrap(err, "postgrest-go did not send the request")
	}
	return answer{body: body, count: count, counted: record.Counted}, record.Unsure, nil
}

// Key returns what lists are ordered by: created_at, zero for NULL, and id.
type Key[R any] func(*R) (createdAt time.Time, id string)

// Find executes a query that ends in Single and returns its row, or nil where
// there is none.
func Find[R any](ctx context.Context, o *Operation, query *postgrest.FilterBuilder, key Key[R]) (*R, error) {
	row, err := Get(ctx, o, query, key)
	if errors.Is(err, supabase.ErrNotFound) {
		return nil, nil //nolint:nilnil // the models' contract: no row is no error
	}
	return row, err
}

// Get executes a query that ends in Single and returns its row. Without one the
// error is ErrNotFound.
func Get[R any](ctx context.Context, o *Operation, query *postgrest.FilterBuilder, key Key[R]) (*R, error) {
	got, _, err := o.send(ctx, query)
	if err != nil {
		return nil, err
	}
	return decodeRow(o, got.body, key)
}

// Rows executes a query and returns its rows.
func Rows[R any](ctx context.Context, o *Operation, query *postgrest.FilterBuilder, key Key[R]) ([]R, error) {
	got, _, err := o.send(ctx, query)
	if err != nil {
		return nil, err
	}
	return decodeRows(o, got.body, key)
}

func decodeRow[R any](o *Operation, body []byte, key Key[R]) (*R, error) {
	var row R
	if err := json.Unmarshal(body, &row); err != nil {
		return nil, o.undecodable(err)
	}
	if _, id := key(&row); id == "" {
		return nil, o.undecodable(errNoID)
	}
	o.rows++
	return &row, nil
}

func decodeRows[R any](o *Operation, body []byte, key Key[R]) ([]R, error) {
	rows, err := rowjson.Rows[R](body)
	if err != nil {
		return nil, o.undecodable(err)
	}
	if rows == nil {
		return nil, o.undecodable(errNoArray)
	}
	for i := range rows {
		if _, id := key(&rows[i]); id == "" {
			return nil, o.undecodable(errNoID)
		}
	}
	o.rows += int64(len(rows))
	return rows, nil
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
	case errors.Is(err, errNoID), errors.Is(err, errNoArray), errors.Is(err, timestamp.ErrUnreadable):
		message += ": " + err.Error()
	}
	return o.fail(message, err)
}
