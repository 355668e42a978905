package rowjson

import (
	"bytes"
	"encoding/json"
)

// maxRows is how many rows there is room for from the start: a page.
const maxRows = 1000

// Rows decodes an array of rows, as json.Unmarshal does: an R decodes itself.
func Rows[R any](data []byte) ([]R, error) {
	if rows, ok := scanRows[R](data); ok {
		return rows, nil
	}
	var rows []R
	err := json.Unmarshal(data, &rows)
	return rows, err
}

// scanRows spares json.Unmarshal's own two readings of the whole.
func scanRows[R any](data []byte) ([]R, bool) {
	s := scanner{data: data}
	if !s.take('[') {
		return nil, false
	}
	rows := []R{}
	if s.take(']') {
		return rows, s.end()
	}
	for {
		data, ok := s.row()
		if !ok {
			return nil, false
		}
		if cap(rows) == 0 {
			rows = make([]R, 0, min(1+len(s.data)/len(data), maxRows))
		}
		rows = append(rows, *new(R))
		row, ok := any(&rows[len(rows)-1]).(json.Unmarshaler)
		if !ok || row.UnmarshalJSON(data) != nil {
			return nil, false
		}
		if s.take(']') {
			return rows, s.end()
		}
		if !s.take(',') {
			return nil, false
		}
	}
}

// row finds the end of an object. Where that is no JSON, neither is the result.
func (s *scanner) row() ([]byte, bool) {
	if s.peek() != '{' {
		return nil, false
	}
	depth := 0
	for i := s.at; i < len(s.data); i++ {
		switch s.data[i] {
		case '"':
			length := closing(s.data[i+1:])
			if length < 0 {
				return nil, false
			}
			i += 1 + length
		case '{', '[':
			if depth++; depth > maxDepth {
				return nil, false
			}
		case '}', ']':
			if depth--; depth == 0 {
				row := s.data[s.at : i+1]
				s.at = i + 1
				return row, true
			}
		}
	}
	return nil, false
}

// closing finds the quote that ends a string, or returns -1.
func closing(text []byte) int {
	for from := 0; ; from++ {
		quote := bytes.IndexByte(text[from:], '"')
		if quote < 0 {
			return -1
		}
		from += quote
		if from == 0 || text[from-1] != '\\' || escapes(text[:from])%2 == 0 {
			return from
		}
	}
}

// escapes counts the backslashes at the end.
func escapes(text []byte) int { return len(text) - len(bytes.TrimRight(text, `\`)) }
