package supabasetest

import (
	"bytes"
	"encoding/json"
)

// value is what a column holds: nil for NULL, else what its kind parses.
type value any

// kind is a type of PostgreSQL.
type kind interface {
	// parse is the type's input function.
	parse(text string) (value, error)
	// output is its output function.
	output(v value) string
	// appendJSON appends what to_json makes of it.
	appendJSON(data []byte, v value) []byte
	// compare orders two values that are not NULL.
	compare(a, b value) int
}

// fromJSON converts one value of a payload, as json_to_record does: strings are
// unescaped, everything else goes to the input function as it was written, or,
// with jsonb_to_record, as JSONB prints it.
func fromJSON(k kind, raw json.RawMessage, binary bool) (value, error) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	if _, ok := k.(jsonbKind); ok {
		return k.parse(string(raw))
	}
	if raw[0] != '"' {
		text := string(raw)
		if binary {
			printed, err := jsonbKind{}.parse(text)
			if err != nil {
				return nil, err
			}
			text = jsonbKind{}.output(printed)
		}
		return k.parse(text)
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, unsupported("the JSON string %s", raw)
	}
	return k.parse(text)
}

func nulEscape() *failure {
	return badRequest("22P05", "unsupported Unicode escape sequence").
		withDetails(`\u0000 cannot be converted to text.`)
}

func invalidInput(code, typeName, text string) *failure {
	return badRequest(code, `invalid input syntax for type %s: "%s"`, typeName, text)
}

const hexDigits = "0123456789abcdef"

// appendJSONString appends a string as PostgreSQL's escape_json does: it leaves
// alone all but quotes, backslashes and control characters below a space.
func appendJSONString(data []byte, text string) []byte {
	data = append(data, '"')
	for i := range len(text) {
		switch b := text[i]; b {
		case '"', '\\':
			data = append(data, '\\', b)
		case '\b':
			data = append(data, `\b`...)
		case '\f':
			data = append(data, `\f`...)
		case '\n':
			data = append(data, `\n`...)
		case '\r':
			data = append(data, `\r`...)
		case '\t':
			data = append(data, `\t`...)
		default:
			if b < ' ' {
				data = append(data, `\u00`...)
				data = append(data, hexDigits[b>>4], hexDigits[b&15])
				continue
			}
			data = append(data, b)
		}
	}
	return append(data, '"')
}
