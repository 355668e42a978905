package supabasetest

import (
	"strings"
	"unicode/utf8"
)

// textKind is TEXT, and VARCHAR before its length is enforced.
type textKind struct{}

func (textKind) parse(text string) (value, error) { return text, nil }

func (textKind) output(v value) string { return v.(string) }

func (textKind) appendJSON(data []byte, v value) []byte { return appendJSONString(data, v.(string)) }

func (textKind) compare(a, b value) int { return strings.Compare(a.(string), b.(string)) }

// fit enforces VARCHAR's length in characters: spaces beyond it are dropped,
// anything else is an error.
func fit(text string, limit int) (string, error) {
	if utf8.RuneCountInString(text) <= limit {
		return text, nil
	}
	end := 0
	for range limit {
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	if strings.Trim(text[end:], " ") != "" {
		return "", badRequest("22001", "value too long for type character varying(%d)", limit)
	}
	return text[:end], nil
}
