// Package timestamp reads and writes PostgreSQL's timestamptz as PostgREST, and
// servers like it, put it into JSON.
package timestamp

import (
	"encoding/json"
	"errors"
	"time"
)

// Time is a timestamptz in JSON; its zero value is NULL.
type Time struct{ time.Time }

// UnmarshalJSON reads null, 2026-01-02T03:04:05.123456+00:00 and
// 2026-01-02 03:04:05.123+00. The result is in UTC.
func (t *Time) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil {
		return ErrUnreadable
	}
	if text == nil {
		t.Time = time.Time{}
		return nil
	}
	parsed, err := Parse(*text)
	t.Time = parsed
	return err
}

// Of returns what decodes onto t: nil for nil.
func Of(t *time.Time) *Time {
	if t == nil {
		return nil
	}
	return &Time{*t}
}

// Pointer returns the time, nil for nil.
func (t *Time) Pointer() *time.Time {
	if t == nil {
		return nil
	}
	return &t.Time
}

// PostgreSQL leaves out what is zero in an offset
// (https://www.postgresql.org/docs/current/datatype-datetime.html).
var layouts = []string{time.RFC3339, "2006-01-02T15:04:05Z07", "2006-01-02T15:04:05Z07:00:00"}

// ErrUnreadable is the error for what Parse cannot read.
var ErrUnreadable = errors.New("a timestamp is not one that time.Time holds")

// Parse reads what PostgreSQL prints, with a T or a space between date and
// time. infinity, and years outside 1…9999, are errors: time.Time or RFC 3339
// cannot hold them.
func Parse(text string) (time.Time, error) {
	if len(text) > 10 && text[10] == ' ' {
		text = text[:10] + "T" + text[11:]
	}
	for _, layout := range layouts {
		if parsed, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			if parsed = parsed.UTC(); InRange(parsed) {
				return parsed, nil
			}
		}
	}
	return time.Time{}, ErrUnreadable
}

// InRange says whether t can be written so that PostgreSQL reads it back: a
// year within 1…9999, in UTC.
func InRange(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1 && year <= 9999
}

// Cut returns t in UTC, cut to the microsecond that PostgreSQL keeps: it would round
// what is finer, up to a time that was not yet.
func Cut(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Format writes t, Cut, as PostgreSQL reads it.
func Format(t time.Time) string { return Cut(t).Format("2006-01-02T15:04:05.999999Z07:00") }
