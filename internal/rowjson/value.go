package rowjson

import "strconv"

// maxDepth is deeper than details are. encoding/json's own limit is 10,000.
const maxDepth = 100

// value reads what encoding/json puts into an any.
func (s *scanner) value(depth int) (any, bool) {
	switch s.peek() {
	case '"':
		return s.string()
	case '{':
		return s.object(depth)
	case '[':
		return s.array(depth)
	case 'n':
		return nil, s.word("null")
	case 't':
		return true, s.word("true")
	case 'f':
		return false, s.word("false")
	}
	digits, ok := s.number()
	if !ok {
		return nil, false
	}
	number, err := strconv.ParseFloat(string(digits), 64)
	return number, err == nil
}

func (s *scanner) object(depth int) (map[string]any, bool) {
	object := map[string]any{}
	return object, depth < maxDepth && s.members(func(name []byte) (ok bool) {
		object[string(name)], ok = s.value(depth + 1)
		return ok
	})
}

func (s *scanner) array(depth int) ([]any, bool) {
	array := []any{}
	if depth == maxDepth || !s.take('[') {
		return nil, false
	}
	if s.take(']') {
		return array, true
	}
	for {
		value, ok := s.value(depth + 1)
		if !ok {
			return nil, false
		}
		array = append(array, value)
		if s.take(']') {
			return array, true
		}
		if !s.take(',') {
			return nil, false
		}
	}
}

// members reads an object. member reads one value; name is a part of data.
func (s *scanner) members(member func(name []byte) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		name, ok := s.text()
		if !ok || !s.take(':') || !member(name) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}
