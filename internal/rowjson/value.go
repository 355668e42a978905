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
	if levels == 0 || !s.skip('{') {
		return nil, false
	}
	object := map[string]any{}
	if s.skip('}') {
		return object, true
	}
	for {
		key, ok := s.text()
		if !ok || !s.skip(':') {
			return nil, false
		}
		name := s.name(key)
		value, ok := s.value(levels - 1)
		if !ok {
			return nil, false
		}
		object[name] = value
		if s.skip('}') {
			return object, true
		}
		if !s.skip(',') {
			return nil, false
		}
	}
}

func (s *scanner) array(levels int) ([]any, bool) {
	if levels == 0 || !s.skip('[') {
		return nil, false
	}
	array := []any{}
	if s.skip(']') {
		return array, true
	}
	for {
		value, ok := s.value(levels - 1)
		if !ok {
			return nil, false
		}
		array = append(array, value)
		if s.skip(']') {
			return array, true
		}
		if !s.skip(',') {
			return nil, false
		}
	}
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
		number, plain := s.number()
		if number == nil {
			return nil, false
		}
		if plain {
			return float64(integer(number)), true
		}
		float, err := strconv.ParseFloat(string(number), 64)
		return float, err == nil
	}
}

func some[V any](value V, ok bool) (any, bool) { return value, ok }

// number reads a number as JSON writes it; nil if none comes. It is plain if it
// is an integer of so few digits that float64 and int hold it.
func (s *scanner) number() (number []byte, plain bool) {
	s.peek()
	from := s.at
	s.next('-')
	digits := s.at
	if !s.next('0') && s.digits() == 0 {
		return nil, false
	}
	// -0 is no integer's 0 for float64.
	plain = s.at-digits <= 15 && (digits == from || s.data[digits] != '0')
	if s.next('.') {
		if plain = false; s.digits() == 0 {
			return nil, false
		}
	}
	if s.next('e') || s.next('E') {
		plain = false
		_ = s.next('+') || s.next('-')
		if s.digits() == 0 {
			return nil, false
		}
	}
	return s.data[from:s.at], plain
}

// next skips one byte, if that is what comes.
func (s *scanner) next(b byte) bool {
	if s.at == len(s.data) || s.data[s.at] != b {
		return false
	}
	s.at++
	return true
}

func (s *scanner) digits() (n int) {
	for ; s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9'; s.at++ {
		n++
	}
	return n
}

// integer is the value of a plain number.
func integer(number []byte) int64 {
	negative := number[0] == '-'
	if negative {
		number = number[1:]
	}
	n := int64(0)
	for _, digit := range number {
		n = 10*n + int64(digit-'0')
	}
	if negative {
		return -n
	}
	return n
}
