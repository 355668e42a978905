package operation

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
	"github.com/supavigil/supavigil/supabase"
)

func (o *Operation[R]) decodeRow(body []byte) (*R, error) {
	row, plain := rowjson.Row(body, o.table.Columns)
	if !plain {
		var general R
		if err := json.Unmarshal(body, &general); err != nil {
			return nil, o.undecodable(err)
		}
		row = general
	}
	if o.table.id(&row) == "" {
		return nil, o.undecodable(errNoID)
	}
	o.rows++
	return &row, nil
}

func (o *Operation[R]) decodeRows(body []byte) ([]R, error) {
	rows, plain := rowjson.Rows(body, o.table.Columns)
	if !plain {
		var err error
		if rows, err = decodeArray[R](o, body); err != nil {
			return nil, err
		}
	}
	for i := range rows {
		if o.table.id(&rows[i]) == "" {
			return nil, o.undecodable(errNoID)
		}
	}
	o.rows += int64(len(rows))
	return rows, nil
}

func decodeArray[E, R any](o *Operation[R], body []byte) ([]E, error) {
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
	errNoID        = errors.New("a row has no id")
	errNoCreatedAt = errors.New("a row has no created_at")
	errNoArray     = errors.New("null is not an array of rows")
)

// undecodable names the column, never what stood in it.
func (o *Operation[R]) undecodable(err error) *supabase.Error {
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
