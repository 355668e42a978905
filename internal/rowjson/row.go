package rowjson

import "bytes"

// Columns reads the value of a column into a row. One that the row has not is
// Unknown.
type Columns[R any] func(row *R, column []byte, s *Scanner) bool

// Row reads one row, an object.
func Row[R any](data []byte, columns Columns[R]) (row R, ok bool) {
	s := &Scanner{data: data}
	ok = readRow(s, &row, columns) && s.end()
	return row, ok
}

// Rows reads an array of rows; it is not nil.
func Rows[R any](data []byte, columns Columns[R]) (rows []R, ok bool) {
	s := &Scanner{data: data, names: map[string]string{}}
	if !s.skip('[') {
		return nil, false
	}
	rows = []R{}
	if s.skip(']') {
		return rows, s.end()
	}
	for {
		rows = append(rows, *new(R))
		if !readRow(s, &rows[len(rows)-1], columns) {
			return nil, false
		}
		if s.skip(']') {
			return rows, s.end()
		}
		if !s.skip(',') {
			return nil, false
		}
	}
}

// mostColumns is more than a row has.
const mostColumns = 32

func readRow[R any](s *Scanner, row *R, columns Columns[R]) bool {
	if !s.skip('{') {
		return false
	}
	if s.skip('}') {
		return true
	}
	var seen [mostColumns][]byte
	for n := range seen {
		column, ok := s.text()
		if !ok || !s.skip(':') {
			return false
		}
		for _, before := range seen[:n] {
			if bytes.Equal(before, column) { // which value counts is for encoding/json to say
				return false
			}
		}
		seen[n] = column
		if !columns(row, column, s) {
			return false
		}
		if s.skip('}') {
			return true
		}
		if !s.skip(',') {
			return false
		}
	}
	return false
}
