package operation

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
	"github.com/supavigil/supavigil/supabase"
)

func (o *Operation[R]) decodeRow(body []byte, where ...Filter) (*R, error) {
	row, plain := rowjson.Decode(body, o.table.Columns)
	if !plain {
		var general R
		if err := json.Unmarshal(body, &general); err != nil {
			return nil, o.undecodable(err)
		}
		row = general
	}
	if err := o.check(&row, where); err != nil {
		return nil, err
	}
	o.rows++
	return &row, nil
}

func (o *Operation[R]) decodeRows(body []byte, where ...Filter) ([]R, error) {
	rows, plain := rowjson.DecodeAll(body, o.table.Columns)
	if !plain {
		var err error
		if rows, err = decodeArray[R](o, body); err != nil {
			return nil, err
		}
	}
	for i := range rows {
		if err := o.check(&rows[i], where); err != nil {
			return nil, err
		}
	}
	o.rows += int64(len(rows))
	return rows, nil
}

// check returns an error unless a row has an id, and the values that it was asked
// for by: not every server, or what stands before it, heeds every filter.
func (o *Operation[R]) check(row *R, where []Filter) error {
	if o.table.text(row, "id") == "" {
		return o.lacking("id")
	}
	for _, f := range where {
		if !f.holds(o.table.text(row, f.Column)) {
			return o.another(f.Column)
		}
	}
	return nil
}

func (o *Operation[R]) another(column string) error {
	return o.Fail("the answer has a row of another "+column, errors.New("a row that was not asked for"))
}

func decodeArray[E, R any](o *Operation[R], body []byte) ([]E, error) {
	var elements []E
	if err := json.Unmarshal(body, &elements); err != nil {
		return nil, o.undecodable(err)
	}
	if elements == nil {
		return nil, o.undecodable(unreadable("null is not an array of rows"))
	}
	return elements, nil
}

// texts executes a query for one column, id or created_at, and returns its texts.
func (o *Operation[R]) texts(ctx context.Context, column string, query *postgrest.FilterBuilder) ([]string, error) {
	heard, err := o.send(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := decodeArray[struct {
		ID        string `json:"id"`
		CreatedAt string `json:"created_at"`
	}](o, heard.Body)
	texts := make([]string, len(rows))
	for i, row := range rows {
		if texts[i] = row.CreatedAt; column == "id" {
			texts[i] = row.ID
		}
		if texts[i] == "" {
			return nil, o.lacking(column)
		}
	}
	return texts, err
}

func (o *Operation[R]) lacking(column string) *supabase.Error {
	return o.undecodable(unreadable("a row has no " + column))
}

// unreadable is an error whose text has nothing of what stood in the answer.
type unreadable string

func (u unreadable) Error() string { return string(u) }

// undecodable names the column, never what stood in it.
func (o *Operation[R]) undecodable(err error) *supabase.Error {
	message := "the answer cannot be decoded"
	mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case ok && mismatch.Field != "":
		column := mismatch.Field[strings.LastIndexByte(mismatch.Field, '.')+1:]
		message += ": " + column + " cannot hold a JSON " + strings.Fields(mismatch.Value)[0]
	case errors.As(err, new(unreadable)), errors.Is(err, timestamp.ErrUnreadable):
		message += ": " + err.Error()
	}
	return o.Fail(message, err)
}
