package supabasetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/supavigil/supavigil/supabase"
)

// Insert adds rows to a table, all or none of them: values that encoding/json
// makes JSON objects of, with columns for keys, or arrays of such. A column that
// a row lacks takes its default, which is NULL or, for checked_at and created_at,
// the time of the call. It goes past interceptors, Requests and SetDown.
//
// The error is a *[supabase.Error], that of the same rows in a request.
func (s *Server) Insert(table string, rows ...any) error {
	body, names, err := encodeRows(rows)
	if err != nil {
		return &supabase.Error{Op: "insert", Table: table, Message: err.Error(), Err: supabase.ErrInvalid}
	}
	c := &call{
		body:   body,
		now:    time.Now(),
		query:  &query{columns: names},
		prefer: preferences{missing: "missing=default"},
	}
	p, err := readPayload(c)
	if err == nil {
		if c.table = s.store.table(table); c.table == nil {
			err = unknownTable(table)
		} else if err = p.lookUp(c.table); err == nil {
			_, err = s.store.insert(c, p)
		}
	}
	if refusal, ok := err.(*failure); ok { //nolint:errorlint // nothing wraps one here
		return refusal.public(table)
	}
	return err
}

// encodeRows makes one JSON array of rows, and names all columns in it.
func encodeRows(rows []any) (body []byte, names []string, err error) {
	var elements []json.RawMessage
	for n, r := range rows {
		encoded, err := json.Marshal(r)
		if err != nil {
			return nil, nil, fmt.Errorf("row %d: %w", n+1, err)
		}
		several := []json.RawMessage{encoded}
		if encoded[0] == '[' {
			_ = json.Unmarshal(encoded, &several) // valid: it was just marshalled
		}
		elements = append(elements, several...)
	}
	seen := map[string]bool{}
	for n, element := range elements {
		keys, isObject := keysOf(element)
		if !isObject {
			return nil, nil, fmt.Errorf("row %d is not a JSON object", n+1)
		}
		for _, key := range keys {
			seen[key] = true
		}
	}
	names = slices.AppendSeq([]string{}, maps.Keys(seen))              // not nil, which would stand for the keys of the first
	body, err = json.Marshal(append([]json.RawMessage{}, elements...)) // [] without any
	return body, names, err
}

// Rows returns the rows of a table as PostgREST prints them and encoding/json
// decodes that: times and ids are strings, numbers float64, NULL is nil, JSONB
// what its JSON is. They come as they were inserted, updated ones last. It panics
// for a table that there is not.
func (s *Server) Rows(table string) []map[string]any {
	t := s.store.table(table)
	if t == nil {
		panic(fmt.Sprintf("supabasetest: there is no table %q", table))
	}
	s.store.mu.Lock()
	printed := t.appendRows(t.rows, t.all())
	s.store.mu.Unlock()
	var rows []map[string]any
	if err := json.Unmarshal(printed, &rows); err != nil {
		panic(fmt.Sprintf("supabasetest: %v", err)) // not reached: it is the double's own JSON
	}
	return rows
}
