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
	names    []string          // of the columns, sorted
	columns  []int             // their positions in the table
	scalar   bool              // neither an object nor an array
	elements []json.RawMessage // of the array, or the object alone
	records  []record          // the elements, once they are converted
}

// record is one object of a payload.
type record map[string]json.RawMessage

// readPayload reads a body as far as PostgREST does. With columns= it leaves
// everything to PostgreSQL.
func readPayload(c *call) (*payload, error) {
	p := &payload{names: c.query.columns}
	raw := p.names != nil
	if !utf8.Valid(c.body) || !json.Valid(c.body) {
		if raw {
			return nil, unsupported("an invalid payload with columns")
		}
		return nil, badRequest("PGRST102", "Empty or invalid json")
	}
	if _, half := scanEscapes(c.body); half {
		return nil, unsupported("a payload with half of a surrogate pair")
	}
	switch body := bytes.TrimSpace(c.body); {
	case body[0] == '{':
		p.elements = []json.RawMessage{body}
	case body[0] == '[':
		if err := json.Unmarshal(body, &p.elements); err != nil {
			return nil, unsupported("this payload: %v", err)
		}
	case raw:
		p.scalar, p.elements = true, []json.RawMessage{body}
	} // else PostgREST takes it for an empty array
	if raw {
		p.names = slices.Compact(slices.Sorted(slices.Values(p.names)))
		return p, nil
	}
	for n, element := range p.elements {
		keys, isObject := keysOf(element)
		if n == 0 {
			p.names = keys
		}
		if !isObject || !slices.Equal(keys, p.names) {
			return nil, badRequest("PGRST102", "All object keys must match")
		}
	}
	return p, nil
}

func keysOf(element json.RawMessage) (keys []string, isObject bool) {
	var r record
	if element[0] != '{' || json.Unmarshal(element, &r) != nil {
		return nil, false
	}
	return slices.Sorted(maps.Keys(r)), true
}

// lookUp finds the payload's columns in a table.
func (p *payload) lookUp(t *table) error {
	for _, name := range p.names {
		i := t.index(name)
		if i < 0 {
			return unknownKey(t.name, name)
		}
		p.columns = append(p.columns, i)
	}
	return nil
}

// convert turns the elements into rows of values, one after the other, all of
// them before any is checked, as json_to_recordset does, or jsonb_to_recordset
// where missing values take the columns' defaults. A column that a record lacks
// is NULL; has says which are there.
func (p *payload) convert(c *call) (rows [][]value, err error) {
	binary := c.prefer.defaultsForMissing()
	if nul, _ := scanEscapes(c.body); binary && nul {
		return nil, nulEscape()
	}
	for _, element := range p.elements {
		if err := p.convertible(element, binary); err != nil {
			return nil, err
		}
		var r record
		if err := json.Unmarshal(element, &r); err != nil {
			return nil, unsupported("this payload: %v", err)
		}
		values := make([]value, len(c.table.columns))
		for _, i := range p.columns {
			if values[i], err = fromJSON(c.table.columns[i].kind, r[c.table.columns[i].name], binary); err != nil {
				return nil, err
			}
		}
		p.records = append(p.records, r)
		rows = append(rows, values)
	}
	return rows, nil
}

// convertible refuses an element that PostgreSQL would: it looks at every part
// of it, those for no column included.
func (p *payload) convertible(element json.RawMessage, binary bool) error {
	function := "json_to_recordset"
	if binary {
		function = "jsonb_to_recordset"
	}
	nul, _ := scanEscapes(element)
	isObject := element[0] == '{'
	switch {
	case nul && (isObject || element[0] == '"'):
		return nulEscape()
	case p.scalar && binary:
		return badRequest("22023", "cannot extract elements from a scalar")
	case p.scalar:
		return badRequest("22023", "cannot call %s on a scalar", function)
	case !isObject:
		return badRequest("22023", "argument of %s must be an array of objects", function)
	}
	return nil
}

// has says whether a record brings a column along.
func (p *payload) has(n int, c column) bool {
	_, ok := p.records[n][c.name]
	return ok
}
