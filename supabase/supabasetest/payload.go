package supabasetest

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"unicode/utf8"
)

// payload is the body of a write: rows of values for the same columns.
type payload struct {
	columns []int // positions in the table, in the order of their names
	records []record
	object  bool // one object, not in an array
}

// record is one object of a payload.
type record map[string]json.RawMessage

func readPayload(c *call) (*payload, error) {
	p := &payload{}
	if !utf8.Valid(c.body) || !json.Valid(c.body) {
		if c.query.columns != nil { // then PostgreSQL is the one to read it
			return nil, unsupported("an invalid payload with columns")
		}
		return nil, badRequest("PGRST102", "Empty or invalid json")
	}
	if !validUnicode(c.body) {
		return nil, unsupported("a payload with half of a surrogate pair")
	}
	if err := p.decode(bytes.TrimSpace(c.body)); err != nil {
		return nil, err
	}
	names := c.query.columns
	if names == nil && len(p.records) > 0 {
		names = slices.Collect(maps.Keys(p.records[0]))
		for _, r := range p.records {
			if !sameKeys(r, p.records[0]) {
				return nil, badRequest("PGRST102", "All object keys must match")
			}
		}
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for _, name := range names {
		i := c.table.index(name)
		if i < 0 {
			return nil, unknownKey(c.table.name, name)
		}
		p.columns = append(p.columns, i)
	}
	return p, nil
}

func (p *payload) decode(data []byte) error {
	switch {
	case data[0] == '{':
		p.object = true
		p.records = make([]record, 1)
		return json.Unmarshal(data, &p.records[0])
	case bytes.Equal(data, []byte("null")):
		return nil
	case data[0] != '[' || json.Unmarshal(data, &p.records) != nil || slices.ContainsFunc(p.records, isNull):
		return unsupported("a payload that is neither an object nor an array of objects")
	}
	return nil
}

func isNull(r record) bool { return r == nil }

func sameKeys(a, b record) bool {
	return maps.EqualFunc(a, b, func(json.RawMessage, json.RawMessage) bool { return true })
}

// convert turns the records into values, all of them before any is checked, as
// json_to_recordset does. A column that a record lacks is NULL; has says which
// are there.
func (p *payload) convert(t *table) (rows [][]value, err error) {
	rows = make([][]value, len(p.records))
	for n, r := range p.records {
		rows[n] = make([]value, len(t.columns))
		for _, i := range p.columns {
			if rows[n][i], err = fromJSON(t.columns[i].kind, r[t.columns[i].name]); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

// has says whether a record brings a column along.
func (p *payload) has(n int, c column) bool {
	_, ok := p.records[n][c.name]
	return ok
}
