// Package rowjson reads rows as PostgREST writes them: JSON whose form is known,
// several times as fast as encoding/json, which must be ready for any.
//
// It reads what is plain, and leaves the rest to encoding/json: a function that
// returns false has met something unusual, valid or not, and the caller reads
// all of it again in the general way. What it does read is what encoding/json
// would have made of it.
package rowjson

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/supavigil/supavigil/internal/timestamp"
)

// scanner stands before one value of a JSON text.
type scanner struct {
	data []byte
	at   int
	// names are the keys of details, which rows repeat. One row alone does not: then
	// it is nil.
	names map[string]string
	cells [mostColumns]cell
}

// mostNames bounds the keys that are kept while one text is read.
const mostNames = 100

// skip skips white space, and then a byte if it is there.
func (s *scanner) skip(b byte) bool {
	if s.peek() != b {
		return false
	}
	s.at++
	return true
}

// peek returns the next byte after white space, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.data); s.at++ {
		switch b := s.data[s.at]; b {
		case ' ', '\n', '\r', '\t':
		default:
			return b
		}
	}
	return 0
}

// list reads what stands between two brackets, with commas between the elements.
func (s *scanner) list(opening, closing byte, element func() bool) bool {
	if !s.skip(opening) {
		return false
	}
	if s.skip(closing) {
		return true
	}
	for element() {
		if s.skip(closing) {
			return true
		}
		if !s.skip(',') {
			return false
		}
	}
	return false
}

func (s *scanner) word(word string) bool {
	if len(s.data)-s.at < len(word) || string(s.data[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// text reads a string and returns its bytes, which are the scanner's own if it
// has no escapes.
func (s *scanner) text() ([]byte, bool) {
	if !s.skip('"') {
		return nil, false
	}
	from, ascii := s.at, true
	for ; s.at < len(s.data); s.at++ {
		switch b := s.data[s.at]; {
		case b == '"':
			text := s.data[from:s.at]
			s.at++
			return text, ascii || utf8.Valid(text)
		case b == '\\':
			return s.escaped(from - 1)
		case b < ' ':
			return nil, false
		case b >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, false
}

// escaped reads the string that begins at a quote with encoding/json.
func (s *scanner) escaped(from int) ([]byte, bool) {
	for ; s.at < len(s.data); s.at++ {
		switch s.data[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			var text string
			err := json.Unmarshal(s.data[from:s.at], &text)
			return []byte(text), err == nil
		}
	}
	return nil, false
}

// int reads an integer.
func (s *scanner) int(into **int) bool {
	n, err := strconv.Atoi(string(s.number()))
	*into = &n
	return err == nil
}

// time reads a timestamp.
func (s *scanner) time(into *time.Time) bool {
	text, ok := s.text()
	if !ok {
		return false
	}
	at, err := timestamp.Parse(string(text))
	*into = at
	return err == nil
}

// name returns a key as a string, the same for the same key.
func (s *scanner) name(key []byte) string {
	if name, ok := s.names[string(key)]; ok {
		return name
	}
	name := string(key)
	if s.names != nil && len(s.names) < mostNames {
		s.names[name] = name
	}
	return name
}

// end says that nothing but white space is left.
func (s *scanner) end() bool { return len(bytes.TrimLeft(s.data[s.at:], " \n\r\t")) == 0 }
