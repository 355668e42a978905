package supabase

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "REDACTED"

// Secret is a string that prints as REDACTED under every verb of fmt, in JSON, as
// text and in logs. string(s) is the value.
//
// No method can hide it under %p and %w, in unexported struct fields under fmt, as a
// key of a JSON object, in encoding/gob and in testify's diffs.
type Secret string

// Format writes REDACTED, whatever the verb and flags.
func (Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// String returns REDACTED.
func (Secret) String() string { return redacted }

// GoString returns REDACTED.
func (Secret) GoString() string { return redacted }

// MarshalJSON returns "REDACTED".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns REDACTED, for XML and YAML.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns REDACTED for log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
