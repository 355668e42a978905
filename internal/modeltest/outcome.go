package modeltest

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// Logged runs an operation and returns its log events.
func Logged(t *testing.T, level zerolog.Level, run func(ctx context.Context)) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	logger := zerolog.New(&out).Level(level)
	run(logger.WithContext(t.Context()))
	var events []map[string]any
	for line := range bytes.Lines(out.Bytes()) {
		var event map[string]any
		require.NoError(t, json.Unmarshal(line, &event))
		events = append(events, event)
	}
	return events
}

// RequireInvalid asserts that err is an ErrInvalid with that message, and that nothing
// was sent.
func RequireInvalid(t *testing.T, server *supabasetest.Server, err error, message string) {
	t.Helper()
	require.ErrorIs(t, err, supabase.ErrInvalid)
	e := AsError(t, err)
	require.Equal(t, message, e.Message)
	require.Zero(t, e.Attempts)
	require.Empty(t, server.Requests(), "nothing was sent")
}

// AsError returns the *supabase.Error that err must have.
func AsError(t *testing.T, err error) *supabase.Error {
	t.Helper()
	var e *supabase.Error
	require.ErrorAs(t, err, &e)
	return e
}

// IsUncertain says whether err is of a write that may have been carried out.
func IsUncertain(t *testing.T, err error) bool {
	t.Helper()
	return AsError(t, err).Uncertain
}
