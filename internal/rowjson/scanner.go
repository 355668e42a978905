package rowjson

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// scanner reads JSON, front to back. Its methods return what encoding/json would
// decode, or false where that may differ or fail; nothing is to be read then.
type scanner struct {
	data []byte
	at   int
}

// peek skips white space and returns the byte after it, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) end() bool { return s.peek() == 0 && s.at == len(s.data) }

// take takes c, and white space before it.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// word takes null, true or false.
func (s *scanner) word(word string) bool {
	if !bytes.HasPrefix(s.data[s.at:], []byte(word)) {
		return false
	}
	s.at += len(word)
	return true
}

// string is a copy: a part would keep the whole answer in memory.
func (s *scanner) string() (string, bool) {
	text, ok := s.text()
	return string(text), ok
}

// text reads a string. The result may be a part of data.
func (s *scanner) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	start, ascii := s.at, true
	for i, c := range s.data[start:] {
		switch {
		case c == '"':
			text := s.data[start : start+i]
			if !ascii && !utf8.Valid(text) {
				return s.quoted()
			}
			s.at += i + 1
			return text, true
		case c == '\\':
			return s.quoted()
		case c < ' ':
			return nil, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, false
}

// quoted leaves the string that began to encoding/json: it has escapes, or is no
// UTF-8.
func (s *scanner) quoted() ([]byte, bool) {
	length := closing(s.data[s.at:])
	if length < 0 {
		return nil, false
	}
	var text string
	err := json.Unmarshal(s.data[s.at-1:s.at+length+1], &text)
	s.at += length + 1
	return []byte(text), err == nil
}

// number reads a number, as it stands.
func (s *scanner) number() ([]byte, bool) {
	s.peek()
	start := s.at
	s.either('-', '-')
	if !s.either('0', '0') && !s.digits() {
		return nil, false
	}
	if s.either('.', '.') && !s.digits() {
		return nil, false
	}
	if s.either('e', 'E') {
		s.either('+', '-')
		if !s.digits() {
			return nil, false
		}
	}
	return s.data[start:s.at], true
}

func (s *scanner) either(a, b byte) bool {
	if s.at == len(s.data) || s.data[s.at] != a && s.data[s.at] != b {
		return false
	}
	s.at++
	return true
}

func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.data) && '0' <= s.data[s.at] && s.data[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}
