// Package rowjson decodes rows in a third of the time that encoding/json takes.
// It reads what a server sends day by day and gives the values that
// encoding/json would. Whatever else there is, errors included, is left to
// encoding/json.
package rowjson

import (
	"strconv"
	"strings"
	"time"

	"github.com/supavigil/supavigil/internal/timestamp"
)

// Column says where the value of a column goes.
type Column struct {
	Name string
	Into any // *string, **string, **int, *map[string]any, *time.Time or **time.Time, all zero
}

// Scan decodes a row. Columns that are not among columns are skipped. After
// false, which is no error, encoding/json is to decode the row; some columns may
// have been written.
func Scan(data []byte, columns ...Column) bool {
	s := scanner{data: data}
	next := 0 // PostgREST prints columns in the table's order
	return s.members(func(name []byte) bool {
		i := find(columns, name, next)
		if i < 0 {
			return s.unknown(name, columns)
		}
		into := columns[i].Into
		columns[i].Into = nil // encoding/json merges a column that comes twice
		next = i + 1
		return s.column(into)
	}) && s.end()
}

// find looks at columns[next] first. It returns -1 for none.
func find(columns []Column, name []byte, next int) int {
	for i := next; i < len(columns); i++ {
		if columns[i].Name == string(name) {
			return i
		}
	}
	for i := range columns[:next] {
		if columns[i].Name == string(name) {
			return i
		}
	}
	return -1
}

// unknown skips a value, unless encoding/json would take it: it ignores the case
// of names.
func (s *scanner) unknown(name []byte, columns []Column) bool {
	for i := range columns {
		if strings.EqualFold(columns[i].Name, string(name)) {
			return false
		}
	}
	_, ok := s.value(0)
	return ok
}

func (s *scanner) column(into any) (ok bool) {
	if into != nil && s.peek() == 'n' {
		return s.word("null")
	}
	switch into := into.(type) {
	case *string:
		*into, ok = s.string()
	case **string:
		var text string
		text, ok = s.string()
		*into = &text
	case **int:
		var number int
		number, ok = s.int()
		*into = &number
	case *map[string]any:
		*into, ok = s.object(0)
	case *time.Time:
		*into, ok = s.time()
	case **time.Time:
		var at timestamp.Time
		at.Time, ok = s.time()
		*into = at.Pointer()
	}
	return ok
}

func (s *scanner) int() (int, bool) {
	digits, ok := s.number()
	if !ok {
		return 0, false
	}
	number, err := strconv.Atoi(string(digits))
	return number, err == nil
}

func (s *scanner) time() (time.Time, bool) {
	text, ok := s.text()
	if !ok {
		return time.Time{}, false
	}
	at, err := timestamp.Parse(string(text))
	return at, err == nil
}
