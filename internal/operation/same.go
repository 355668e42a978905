package operation

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/supavigil/supavigil/internal/timestamp"
)

// holds says whether a row that is stored, as the server prints it, holds what was
// sent, column by column. Columns that were not sent do not count: the database
// filled them in.
func holds(stored, sent json.RawMessage) bool {
	there, ok := object(stored)
	want, readable := object(sent)
	if !ok || !readable {
		return false
	}
	for column, value := range want {
		if !sameColumn(column, there[column], value) {
			return false
		}
	}
	return true
}

// object reads a JSON object with its numbers as they are written: JSONB keeps more
// digits than float64 has.
func object(data []byte) (map[string]any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var object map[string]any
	err := decoder.Decode(&object)
	return object, err == nil
}

// sameColumn compares a column's values. Timestamps, whose columns' names end in
// _at, are printed in several ways, and a UUID in small letters.
func sameColumn(column string, stored, sent any) bool {
	was, isText := stored.(string)
	is, alsoText := sent.(string)
	if !isText || !alsoText {
		return same(stored, sent)
	}
	switch {
	case column == "id":
		return strings.EqualFold(was, is)
	case strings.HasSuffix(column, "_at"):
		before, err := timestamp.Parse(was)
		now, unreadable := timestamp.Parse(is)
		return err == nil && unreadable == nil && before.Equal(now)
	default:
		return was == is
	}
}

// same compares JSON as JSONB does: the order of keys does not count, nor how a
// number is written.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, value := range a {
			other, there := b[key]
			if !there || !same(value, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i, value := range a {
			if !same(value, b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && readDecimal(a.String()) == readDecimal(b.String())
	default:
		return a == b
	}
}

// decimal is the value of a number: digits without zeros at either end, times ten
// to the power of exponent. Zero has no digits.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// readDecimal reads a number of JSON, of any size and precision.
func readDecimal(number string) decimal {
	number, negative := strings.CutPrefix(number, "-")
	mantissa, power, _ := strings.Cut(strings.ToLower(number), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent := 0
	if power != "" {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil { // more than any server stores
			return decimal{digits: number}
		}
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	shortest := strings.TrimRight(digits, "0")
	if shortest == "" {
		return decimal{}
	}
	return decimal{negative, shortest, exponent - len(fraction) + len(digits) - len(shortest)}
}
