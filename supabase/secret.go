package supabase

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "REDACTED"

// Secret is a string that does not show itself: it prints as REDACTED under
// every verb of fmt, in JSON, as text and in logs. string(s) gives the value.
//
// Some places ask no method and show the value: fmt under %p and %w, which are
// for pointers and errors, and in unexported struct fields; encoding/json in the
// keys of a map; encoding/gob; and testify's diff of two Secrets. A Secret belongs
// in an exported field or behind a function.
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
