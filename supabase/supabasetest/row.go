package supabasetest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// fit enforces the lengths of the columns on a new row, in place.
func (t *table) fit(r *row) error {
	for i, c := range t.columns {
		if text, ok := r.values[i].(string); ok && c.limit > 0 {
			fitted, err := fit(text, c.limit)
			if err != nil {
				return err
			}
			r.values[i] = fitted
		}
	}
	return nil
}

// check enforces NOT NULL and CHECK, in PostgreSQL's order: all of the one, then
// all of the other by their names, which is by column in both tables.
func (t *table) check(r *row) error {
	for i, c := range t.columns {
		if c.required && r.values[i] == nil {
			return badRequest("23502", `null value in column "%s" of relation "%s" violates not-null constraint`, c.name, t.name).
				withDetails("Failing row contains (%s).", t.describe(r))
		}
	}
	for i, c := range t.columns {
		if text, ok := r.values[i].(string); ok && c.allowed != nil && !slices.Contains(c.allowed, text) {
			return badRequest("23514", `new row for relation "%s" violates check constraint "%s_%s_check"`, t.name, t.name, c.name).
				withDetails("Failing row contains (%s).", t.describe(r))
		}
	}
	return nil
}

// describe prints a row as PostgreSQL's error details do, with each value cut
// at 64 bytes.
func (t *table) describe(r *row) string {
	const most = 64
	printed := make([]string, len(t.columns))
	for i, c := range t.columns {
		if r.values[i] == nil {
			printed[i] = "null"
			continue
		}
		text := c.kind.output(r.values[i])
		if len(text) > most {
			end := most
			for !utf8.RuneStart(text[end]) {
				end--
			}
			text = text[:end] + "..."
		}
		printed[i] = text
	}
	return strings.Join(printed, ", ")
}

// appendRow appends the selected columns of a row as to_json does.
func (t *table) appendRow(data []byte, r *row, columns []int) []byte {
	data = append(data, '{')
	for n, i := range columns {
		if n > 0 {
			data = append(data, ',')
		}
		data = appendJSONString(data, t.columns[i].name)
		data = append(data, ':')
		if r.values[i] == nil {
			data = append(data, "null"...)
			continue
		}
		data = t.columns[i].kind.appendJSON(data, r.values[i])
	}
	return append(data, '}')
}

// appendRows appends rows as json_agg does.
func (t *table) appendRows(rows []*row, columns []int) []byte {
	data := []byte{'['}
	for n, r := range rows {
		if n > 0 {
			data = append(data, ", \n "...)
		}
		data = t.appendRow(data, r, columns)
	}
	return append(data, ']')
}
