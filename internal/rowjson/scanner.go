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
	"time"
	"unicode/utf8"

	"github.com/supavigil/supavigil/internal/timestamp"
)

// Scanner stands before one value of a JSON text. It belongs to one goroutine.
type Scanner struct {
	data []byte
	at   int
	// names are the keys of details, and service the last service_name: rows repeat
	// them. One row alone does not: then names is nil.
	names   map[string]string
	service string
}

// mostNames bounds the keys that are kept while one text is read.
const mostNames = 100

// skip skips white space, and then a byte if it is there.
func (s *Scanner) skip(b byte) bool {
	if s.peek() != b {
		return false
	}
	s.at++
	return true
}

// peek returns the next byte after white space, 0 at the end.
func (s *Scanner) peek() byte {
	for ; s.at < len(s.data); s.at++ {
		switch b := s.data[s.at]; b {
		case ' ', '\n', '\r', '\t':
		default:
			return b
		}
	}
	return 0
}

// Null skips a null, if that is what comes.
func (s *Scanner) Null() bool { return s.peek() == 'n' && s.word("null") }

func (s *Scanner) word(word string) bool {
	if len(s.data)-s.at < len(word) || string(s.data[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// text reads a string and returns its bytes, which are the scanner's own if it
// has no escapes.
func (s *Scanner) text() ([]byte, bool) {
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
func (s *Scanner) escaped(from int) ([]byte, bool) {
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

// String reads a string; null leaves it as it is.
func (s *Scanner) String(into *string) bool {
	if s.Null() {
		return true
	}
	text, ok := s.text()
	if ok {
		*into = string(text)
	}
	return ok
}

// Service reads a string that rows repeat.
func (s *Scanner) Service(into *string) bool {
	if s.Null() {
		return true
	}
	text, ok := s.text()
	if !ok {
		return false
	}
	if string(text) != s.service {
		s.service = string(text)
	}
	*into = s.service
	return true
}

// OneOf reads a string that is one of a few; null leaves it as it is.
func OneOf[T ~string](s *Scanner, into *T, few ...T) bool {
	if s.Null() {
		return true
	}
	text, ok := s.text()
	if !ok {
		return false
	}
	for _, one := range few {
		if string(text) == string(one) {
			*into = one
			return true
		}
	}
	*into = T(text)
	return true
}

// Text reads a string, nil for null.
func (s *Scanner) Text(into **string) bool {
	if s.Null() {
		*into = nil
		return true
	}
	var text string
	ok := s.String(&text)
	*into = &text
	return ok
}

// Int reads an integer, nil for null.
func (s *Scanner) Int(into **int) bool {
	if s.Null() {
		*into = nil
		return true
	}
	number, plain := s.number()
	if number == nil || !plain {
		return false
	}
	n := int(integer(number))
	*into = &n
	return int64(n) == integer(number) // not on 32 bits
}

// Time reads a timestamp, zero for null.
func (s *Scanner) Time(into *time.Time) bool {
	if s.Null() {
		*into = time.Time{}
		return true
	}
	text, ok := s.text()
	if !ok {
		return false
	}
	at, err := timestamp.ParseBytes(text)
	*into = at
	return err == nil
}

// Times reads a timestamp, nil for null.
func (s *Scanner) Times(into **time.Time) bool {
	if s.Null() {
		*into = nil
		return true
	}
	var at time.Time
	ok := s.Time(&at)
	*into = &at
	return ok
}

// name returns a key as a string, the same for the same key.
func (s *Scanner) name(key []byte) string {
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
func (s *Scanner) end() bool { return len(bytes.TrimLeft(s.data[s.at:], " \n\r\t")) == 0 }
