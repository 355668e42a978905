package operation

import (
	"bytes"
	"encoding/json"
	"reflect"
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
		if !reflect.DeepEqual(normal(column, there[column]), normal(column, value)) {
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

// normal returns what is the same for all ways to write a column's value. Timestamps,
// whose columns' names end in _at, are printed in several ways, a UUID in small
// letters, and numbers in JSONB without exponents.
func normal(column string, value any) any {
	switch value := value.(type) {
	case string:
		if at, err := timestamp.Parse(value); err == nil && strings.HasSuffix(column, "_at") {
			return at
		}
		if column == "id" {
			return strings.ToLower(value)
		}
	case map[string]any:
		for key, element := range value {
			value[key] = normal("", element)
		}
	case []any:
		for i, element := range value {
			value[i] = normal("", element)
		}
	case json.Number:
		return readDecimal(value.String())
	}
	return value
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
