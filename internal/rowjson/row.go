package rowjson

import "time"

// Columns returns where a row keeps the value of a column: a *string, *time.Time or
// *map[string]any; or, for NULL, a **string, **int or **time.Time. A column that the
// row has not is nil.
type Columns[R any] func(row *R, column string) any

// Decode reads one row, an object.
func Decode[R any](data []byte, columns Columns[R]) (row R, ok bool) {
	s := &scanner{data: data}
	ok = readRow(s, &row, columns) && s.end()
	return row, ok
}

// DecodeAll reads an array of rows; it is not nil.
func DecodeAll[R any](data []byte, columns Columns[R]) (rows []R, ok bool) {
	s := &scanner{data: data, names: map[string]string{}}
	rows = []R{}
	ok = s.list('[', ']', func() bool {
		rows = append(rows, *new(R))
		return readRow(s, &rows[len(rows)-1], columns)
	})
	return rows, ok && s.end()
}

// mostColumns is more than a row has.
const mostColumns = 32

// cell is what the row before had at a place: rows of a list have the same columns in
// the same order, and often the same texts, which they share.
type cell struct{ column, text string }

func readRow[R any](s *scanner, row *R, columns Columns[R]) bool {
	n := 0
	return s.list('{', '}', func() bool {
		key, ok := s.text()
		if !ok || n == mostColumns || !s.skip(':') {
			return false
		}
		cell := &s.cells[n]
		if cell.column != string(key) {
			cell.column = string(key)
		}
		for i := range n {
			if s.cells[i].column == cell.column { // which value counts is for encoding/json to say
				return false
			}
		}
		n++
		return s.column(cell, columns(row, cell.column))
	})
}

// column reads the value of a column to where it is kept, which is zero: null leaves
// it so.
func (s *scanner) column(cell *cell, into any) bool {
	if into == nil {
		return s.unknown(cell.column)
	}
	if s.peek() == 'n' {
		return s.word("null")
	}
	switch into := into.(type) {
	case *string:
		text, ok := s.text()
		if cell.text != string(text) {
			cell.text = string(text)
		}
		*into = cell.text
		return ok
	case **string:
		text, ok := s.text()
		*into = new(string(text))
		return ok
	case **int:
		return s.int(into)
	case *time.Time:
		return s.time(into)
	case **time.Time:
		*into = new(time.Time)
		return s.time(*into)
	case *map[string]any:
		var ok bool
		*into, ok = s.object(deepest)
		return ok
	default:
		return false
	}
}
