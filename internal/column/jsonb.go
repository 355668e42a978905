package column

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
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
	for i := 0; i < len(data); i++ {
		switch b := data[i]; b {
		case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			if number++; number > long {
				return false
			}
			continue
		case '.':
			continue
		case 'e', 'E':
			if number > 0 {
				return false
			}
		case '"':
			if i = closing(data, i); i < 0 {
				return false
			}
		case '{', '[':
			if depth++; depth > deep {
				return false
			}
		case '}', ']':
			depth--
		}
		number = 0
	}
	return true
}

// closing returns where the string ends that begins at from.
func closing(data []byte, from int) int {
	for at := from + 1; ; {
		n := bytes.IndexByte(data[at:], '"')
		if n < 0 {
			return -1
		}
		at += n
		backslashes := 0
		for data[at-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return at
		}
		at++
	}
}

// isText says that JSON is UTF-8, and that no \u escape in it stands for what
// PostgreSQL does not take as text: NUL, half a surrogate pair, or \ufffd, as
// which encoding/json wrote bytes that were not UTF-8 before Go 1.27.
func isText(data []byte) bool {
	if !utf8.Valid(data) {
		return false
	}
	for i := max(0, bytes.IndexByte(data, '\\')); i < len(data); i++ {
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
