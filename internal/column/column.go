// Package column checks values against what the columns of both tables can
// hold, before any I/O. Each check returns what is wrong and what would be
// right, or "".
package column

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/supavigil/supavigil/internal/timestamp"
)

const (
	maxName          = 100        // service_name is VARCHAR(100): characters, not bytes
	maxInteger       = 2147483647 // INTEGER
	maxDays          = 36_500
	maxWithinMinutes = 52_560_000
)

// ServiceName checks service_name.
func ServiceName(name string) string { return Name("service_name", name) }

// Name checks a short text that is not blank, as what rows are found by is: of a
// status or type, one that a newer schema has too.
func Name(column, name string) string {
	if strings.TrimSpace(name) == "" {
		return column + " must not be blank"
	}
	if problem := Text(column, &name); problem != "" {
		return problem
	}
	if n := utf8.RuneCountInString(name); n > maxName {
		return fmt.Sprintf("%s must have at most %d characters, not %d", column, maxName, n)
	}
	return ""
}

// OptionalName checks a Name where "" stands for every one.
func OptionalName(column, name string) string {
	if name == "" {
		return ""
	}
	return Name(column, name)
}

// Text checks a TEXT column; nil is NULL.
func Text(column string, text *string) string {
	if text == nil {
		return ""
	}
	if problem := checkText(*text); problem != "" {
		return column + " " + problem
	}
	return ""
}

func checkText(text string) string {
	if !utf8.ValidString(text) {
		return "must be valid UTF-8"
	}
	if strings.ContainsRune(text, 0) {
		return "must not hold NUL (U+0000), which PostgreSQL cannot store"
	}
	return ""
}

// OneOf checks a column with a CHECK constraint on its values.
func OneOf[T ~string](column string, value T, allowed ...T) string {
	if slices.Contains(allowed, value) {
		return ""
	}
	names := make([]string, len(allowed))
	for i, name := range allowed {
		names[i] = string(name)
	}
	last := len(names) - 1
	return fmt.Sprintf("%s must be %s or %s%s", column, strings.Join(names[:last], ", "), names[last], not(string(value)))
}

// LatencyMS checks latency_ms; nil is NULL.
func LatencyMS(latency *int) string {
	if latency == nil || *latency >= 0 && *latency <= maxInteger {
		return ""
	}
	return fmt.Sprintf("latency_ms must be within 0…%d milliseconds, not %d", maxInteger, *latency)
}

// CheckedAt checks checked_at; the zero time stands for the database's clock.
func CheckedAt(at time.Time) string {
	if at.IsZero() || timestamp.InRange(at) {
		return ""
	}
	return fmt.Sprintf("checked_at must be within the years 1…9999 (UTC), not %d", at.UTC().Year())
}

// ID checks a UUID in its 36 characters, the form that PostgreSQL prints.
func ID(id string) string {
	if len(id) == 36 && uuid.Validate(id) == nil {
		return ""
	}
	return "id must be a UUID in its 36 characters" + not(id)
}

// OptionalID checks an id where "" asks for a new one.
func OptionalID(id string) string {
	if id == "" {
		return ""
	}
	return ID(id)
}

// Days checks a number of days to keep.
func Days(days int) string { return within("days", days, 1, maxDays) }

// WithinMinutes checks a window of time that ends now.
func WithinMinutes(minutes int) string { return within("withinMinutes", minutes, 1, maxWithinMinutes) }

// Limit checks a number of rows; 0 stands for a default.
func Limit(limit int) string {
	if limit < 0 {
		return fmt.Sprintf("limit must not be negative (0: the default), not %d", limit)
	}
	return ""
}

// Period checks the bounds of a time, [since, until); a zero time is none.
func Period(since, until time.Time) string {
	for _, bound := range []struct {
		name string
		at   time.Time
	}{{"since", since}, {"until", until}} {
		if !bound.at.IsZero() && !timestamp.InRange(bound.at) {
			return fmt.Sprintf("%s must be within the years 1…9999 (UTC), not %d", bound.name, bound.at.UTC().Year())
		}
	}
	if !since.IsZero() && !until.IsZero() && !until.After(since) {
		return "until must be after since"
	}
	return ""
}

func within(name string, value, low, high int) string {
	if value >= low && value <= high {
		return ""
	}
	return fmt.Sprintf("%s must be within %d…%d, not %d", name, low, high, value)
}

// Row marshals a row, a pointer to it, that has a JSONB column of some value, in
// which errors become their texts first. What is wrong with the JSON can only be
// there, and is looked for there if the whole is not plain.
func Row(row any, column string, value *map[string]any) (json.RawMessage, string) {
	var problem string
	if *value, problem = errorsAsText(column, *value); problem != "" {
		return nil, problem
	}
	data, text, err := marshal(row)
	if text && isPlain(data) {
		return data, ""
	}
	if problem := JSONB(column, *value); problem != "" {
		return nil, problem
	}
	if err != nil {
		return nil, "the row must marshal to JSON: " + err.Error()
	}
	return data, ""
}

// JSONB checks a JSONB column; nil is NULL. What passes can be stored, and read
// back in a list: a row that cannot would spoil every list with it.
func JSONB(column string, value map[string]any) string {
	data, text, err := marshal(value)
	switch {
	case value == nil:
		return ""
	case err != nil:
		return column + " must marshal to JSON: " + err.Error()
	case !text:
		return column + ": every string must be valid UTF-8 without NUL (U+0000), which PostgreSQL cannot store"
	case !readsBack(data):
		return column + " must be JSON that can be read back: numbers within float64, and less than 10,000 levels deep"
	default:
		return ""
	}
}

// not quotes a wrong value where it is short enough to help.
func not(value string) string {
	const short = 40
	if value == "" {
		return ", not empty"
	}
	if len(value) > short {
		return ""
	}
	return fmt.Sprintf(", not %q", value)
}
