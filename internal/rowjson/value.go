package rowjson

import "strconv"

// deepest is more levels than details have; deeper ones are left to
// encoding/json, which has a limit of its own.
const deepest = 50

// unknown skips the value of a column that the row has not: a table may be given
// more. encoding/json ignores the case of names, so one that might be another's
// is left to it.
func (s *scanner) unknown(column string) bool {
	for _, b := range []byte(column) {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '_' {
			return false
		}
	}
	_, ok := s.value(deepest)
	return ok
}

// object reads a JSON object as encoding/json does into an empty map.
func (s *scanner) object(levels int) (map[string]any, bool) {
	object := map[string]any{}
	ok := levels > 0 && s.list('{', '}', func() bool {
		key, ok := s.text()
		if !ok || !s.skip(':') {
			return false
		}
		name := s.name(key)
		object[name], ok = s.value(levels - 1)
		return ok
	})
	return object, ok
}

func (s *scanner) array(levels int) ([]any, bool) {
	array := []any{}
	ok := levels > 0 && s.list('[', ']', func() bool {
		value, ok := s.value(levels - 1)
		array = append(array, value)
		return ok
	})
	return array, ok
}

func (s *scanner) value(levels int) (any, bool) {
	switch s.peek() {
	case '"':
		text, ok := s.text()
		return string(text), ok
	case '{':
		return some(s.object(levels))
	case '[':
		return some(s.array(levels))
	case 't':
		return true, s.word("true")
	case 'f':
		return false, s.word("false")
	case 'n':
		return nil, s.word("null")
	default:
		float, err := strconv.ParseFloat(string(s.number()), 64)
		return float, err == nil
	}
}

func some[V any](value V, ok bool) (any, bool) { return value, ok }

// number reads a number as JSON writes it; nil if none comes.
func (s *scanner) number() []byte {
	s.peek()
	from := s.at
	s.next('-')
	if !s.next('0') && !s.digits() {
		return nil
	}
	if s.next('.') && !s.digits() {
		return nil
	}
	if s.next('e') || s.next('E') {
		_ = s.next('+') || s.next('-')
		if !s.digits() {
			return nil
		}
	}
	return s.data[from:s.at]
}

// next skips one byte, if that is what comes.
func (s *scanner) next(b byte) bool {
	if s.at == len(s.data) || s.data[s.at] != b {
		return false
	}
	s.at++
	return true
}

// digits skips digits, of which there must be one.
func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9' {
		s.at++
	}
	return s.at > from
}
