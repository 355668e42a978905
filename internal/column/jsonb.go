package column

import (
	"encoding/json"
	"slices"
	"strconv"
)

// readsBack says that JSON, as a details column in a list, decodes again: numbers
// are within float64, and nothing is too deep for encoding/json.
func readsBack(data []byte) bool {
	if isPlain(data) {
		return true
	}
	var list []struct {
		Details map[string]any `json:"details"`
	}
	return json.Unmarshal(slices.Concat([]byte(`[{"details":`), data, []byte(`}]`)), &list) == nil
}

// isPlain says at a glance what is true of nearly all JSON: it is not deep, and no
// number is long or has an exponent. What is not plain may decode all the same.
func isPlain(data []byte) bool {
	const deep, long = 1000, 300
	depth, number := 0, 0
	quoted := false
	for i := 0; i < len(data); i++ {
		b := data[i]
		switch {
		case quoted:
			switch b {
			case '\\':
				i++
			case '"':
				quoted = false
			}
			continue
		case b >= '0' && b <= '9':
			if number++; number > long {
				return false
			}
			continue
		case number > 0 && (b == 'e' || b == 'E'):
			return false
		case b == '"':
			quoted = true
		case b == '{' || b == '[':
			if depth++; depth > deep {
				return false
			}
		case b == '}' || b == ']':
			depth--
		}
		if b != '.' {
			number = 0
		}
	}
	return true
}

// escapesAreText says that no \u escape in JSON stands for what PostgreSQL does
// not take as text: NUL, half a surrogate pair, or \ufffd, as which encoding/json
// writes bytes that were not UTF-8. (It writes a U+FFFD that was there as it is.)
func escapesAreText(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		i++ // what is escaped
		unit, ok := escaped(data, i)
		if !ok {
			continue
		}
		i += 4
		switch {
		case unit == 0, unit == 0xfffd, 0xdc00 <= unit && unit <= 0xdfff:
			return false
		case 0xd800 <= unit && unit <= 0xdbff:
			low, ok := escaped(data, i+2)
			if !ok || data[i+1] != '\\' || low < 0xdc00 || low > 0xdfff {
				return false
			}
			i += 6
		}
	}
	return true
}

// escaped reads the code unit of uXXXX at i.
func escaped(data []byte, i int) (uint64, bool) {
	if i+4 >= len(data) || data[i] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(data[i+1:i+5]), 16, 32)
	return unit, err == nil
}
