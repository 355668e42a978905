// Package column checks values against what the columns of both tables can
// hold, before any I/O. An error says what is wrong and what would be right; those
// of several checks are joined with errors.Join.
package column

import (
	"encoding/json"
	"errors"
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
	maxDedupKey      = 200
	maxBy            = 200
	maxReason        = 2000
	maxSpan          = 30 * 24 * time.Hour
	maxClaim         = 1000
	maxWithinMinutes = 52_560_000
)

// ServiceName checks service_name.
func ServiceName(name string) error { return Name("service_name", name) }

// Name checks a short text that is not blank, as what rows are found by is: of a
// status or type, one that a newer schema has too.
func Name(column, name string) error {
	if strings.TrimSpace(name) == "" {
		return errors.New(column + " must not be blank")
	}
	if err := Text(column, &name); err != nil {
		return err
	}
	return atMost(column, name, maxName)
}

func atMost(column, text string, limit int) error {
	if n := utf8.RuneCountInString(text); n > limit {
		return fmt.Errorf("%s must have at most %d characters, not %d", column, limit, n)
	}
	return nil
}

// DedupKey checks dedup_key; "" stands for that of the alert's type.
func DedupKey(key string) error {
	if key != "" && strings.TrimSpace(key) == "" {
		return errors.New(`dedup_key must not be blank ("": the alert's type)`)
	}
	return ShortText("dedup_key", key, maxDedupKey)
}

// ShortText checks a text of at most limit characters, "" among them.
func ShortText(column, text string, limit int) error {
	if err := Text(column, &text); err != nil {
		return err
	}
	return atMost(column, text, limit)
}

// By checks who changed an alert's status; "" is NULL.
func By(by string) error { return ShortText("by", by, maxBy) }

// Reason checks why it was changed; "" is NULL.
func Reason(reason string) error { return ShortText("reason", reason, maxReason) }

// Span checks a length of time; 0 stands for what zero says.
func Span(name string, span time.Duration, zero string) error {
	if span == 0 || span >= time.Second && span <= maxSpan {
		return nil
	}
	return fmt.Errorf("%s must be within 1 s…30 days (0: %s), not %s", name, zero, span)
}

// ClaimLimit checks a number of notifications; 0 stands for a default.
func ClaimLimit(limit int) error {
	if limit >= 0 && limit <= maxClaim {
		return nil
	}
	return fmt.Errorf("limit must be within 1…%d (0: the default), not %d", maxClaim, limit)
}

// OptionalName checks a Name where "" stands for every one.
func OptionalName(column, name string) error {
	if name == "" {
		return nil
	}
	return Name(column, name)
}

// Text checks a TEXT column; nil is NULL.
func Text(column string, text *string) error {
	switch {
	case text == nil:
		return nil
	case !utf8.ValidString(*text):
		return errors.New(column + " must be valid UTF-8")
	case strings.ContainsRune(*text, 0):
		return errors.New(column + " must not hold NUL (U+0000), which PostgreSQL cannot store")
	default:
		return nil
	}
}

// OneOf checks a column with a CHECK constraint on its values.
func OneOf[T ~string](column string, value T, allowed ...T) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	names := make([]string, len(allowed))
	for i, name := range allowed {
		names[i] = string(name)
	}
	last := len(names) - 1
	return fmt.Errorf("%s must be %s or %s%s", column, strings.Join(names[:last], ", "), names[last], not(string(value)))
}

// LatencyMS checks latency_ms; nil is NULL.
func LatencyMS(latency *int) error {
	if latency == nil || *latency >= 0 && *latency <= maxInteger {
		return nil
	}
	return fmt.Errorf("latency_ms must be within 0…%d milliseconds, not %d", maxInteger, *latency)
}

// Time checks a column of times, or a bound of one; the zero time stands for none.
func Time(column string, at time.Time) error {
	if at.IsZero() || timestamp.InRange(at) {
		return nil
	}
	return fmt.Errorf("%s must be within the years 1…9999 (UTC), not %d", column, at.UTC().Year())
}

// ID checks a UUID in its 36 characters, the form that PostgreSQL prints.
func ID(id string) error { return UUID("id", id) }

// UUID is ID for what has another name.
func UUID(column, id string) error {
	if len(id) == 36 && uuid.Validate(id) == nil {
		return nil
	}
	return errors.New(column + " must be a UUID in its 36 characters" + not(id))
}

// OptionalID checks an id where "" asks for a new one.
func OptionalID(id string) error { return OptionalUUID("id", id) }

// OptionalUUID is OptionalID for what has another name.
func OptionalUUID(column, id string) error {
	if id == "" {
		return nil
	}
	return UUID(column, id)
}

// Days checks a number of days to keep.
func Days(days int) error { return within("days", days, 1, maxDays) }

// WithinMinutes checks a window of time that ends now.
func WithinMinutes(minutes int) error { return within("withinMinutes", minutes, 1, maxWithinMinutes) }

// Limit checks a number of rows; 0 stands for a default.
func Limit(limit int) error {
	if limit < 0 {
		return fmt.Errorf("limit must not be negative (0: the default), not %d", limit)
	}
	return nil
}

// Period checks the bounds of a time, [since, until); a zero time is none.
func Period(since, until time.Time) error {
	if err := errors.Join(Time("since", since), Time("until", until)); err != nil {
		return err
	}
	if !since.IsZero() && !until.IsZero() && !until.After(since) {
		return errors.New("until must be after since")
	}
	return nil
}

func within(name string, value, low, high int) error {
	if value >= low && value <= high {
		return nil
	}
	return fmt.Errorf("%s must be within %d…%d, not %d", name, low, high, value)
}

// Marshal returns the JSON of a row, a pointer to it, that has a JSONB column of
// some value, in which errors become their texts first. What is wrong with the JSON
// can only be there, and is looked for there if the whole is not plain.
func Marshal(row any, column string, value *map[string]any) (json.RawMessage, error) {
	var err error
	if *value, err = errorsAsText(column, *value); err != nil {
		return nil, err
	}
	data, text, err := marshal(row)
	if text && isPlain(data) {
		return data, nil
	}
	if err := JSONB(column, *value); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("the row must marshal to JSON: %w", err)
	}
	return data, nil
}

// JSONB checks a JSONB column; nil is NULL. What passes can be stored, and read
// back in a list: a row that cannot would spoil every list with it.
func JSONB(column string, value map[string]any) error {
	data, text, err := marshal(value)
	switch {
	case value == nil:
		return nil
	case err != nil:
		return fmt.Errorf("%s must marshal to JSON: %w", column, err)
	case !text:
		return errors.New(column + ": every string must be valid UTF-8 without NUL (U+0000), which PostgreSQL cannot store")
	case !readsBack(data):
		return errors.New(column + " must be JSON that can be read back: numbers within float64, and less than 10,000 levels deep")
	default:
		return nil
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
