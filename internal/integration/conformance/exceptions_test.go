package conformance_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/supabase"
)

// outcome is what programs act on: of an error its status, code and class, of an
// answer its number of rows.
type outcome struct {
	status int
	code   string
	class  error // nil: none
	rows   int
}

// exceptions are the answers in which a server differs from PostgREST, by the
// name of the expectation. What is not here is as PostgREST does it.
var exceptions = map[realserver.Kind]map[string]outcome{
	realserver.LitePGlite:   lite,
	realserver.LitePostgres: lite,
}

// lite is what @supabase/lite 0.10.0 does on either database.
var lite = map[string]outcome{
	// Its gateway refuses an unknown key before any JWT is looked at, and its
	// body has no code.
	"select with a forged JWT": {status: 401, class: supabase.ErrPermission},
	"insert with a forged JWT": {status: 401, class: supabase.ErrPermission},
	"select with no JWT":       {status: 401, class: supabase.ErrPermission},
	"insert with no JWT":       {status: 401, class: supabase.ErrPermission},
	// It sends no Proxy-Status, so an answer to HEAD has no code.
	"unknown table, HEAD": {status: 404},
	// It reads some values of a filter as more than text, so that these names
	// are stored and not found.
	`special name " a "`:   {},
	`special name "{a}"`:   {},
	`special name "null"`:  {},
	`special name "true"`:  {},
	`special name "\",\""`: {},
	// A write that affects many rows where one was asked for is refused, and
	// stands all the same.
	"rows after a refused delete": {},
	// It keeps few SQLSTATEs; a violated CHECK becomes a failure of the server.
	"check: status outside the check":     {status: 500, code: "SUP", class: supabase.ErrUnavailable},
	"alert: status outside the check":     {status: 500, code: "SUP", class: supabase.ErrUnavailable},
	"alert: alert_type outside the check": {status: 500, code: "SUP", class: supabase.ErrUnavailable},
	// It sends values as parameters, not inside one JSON document, so PostgreSQL
	// finds the NUL elsewhere.
	"check: service_name with NUL": {status: 400, code: "22021"},
}

// expect compares an error with what PostgREST answers, or with the exception.
func (s *suite) expect(t *testing.T, name string, err error, want outcome) {
	t.Helper()
	var e *supabase.Error
	require.ErrorAs(t, err, &e, name)
	got := outcome{status: e.Status, code: e.Code}
	for _, class := range []error{supabase.ErrInvalid, supabase.ErrNotFound, supabase.ErrConflict, supabase.ErrPermission, supabase.ErrSchema, supabase.ErrUnavailable} {
		if errors.Is(err, class) {
			require.NoError(t, got.class, name)
			got.class = class
		}
	}
	assert.Equal(t, s.excepted(name, want), got, "%s: %v", name, err)
}

// expectRows compares a number of rows with PostgREST's, or with the exception.
func (s *suite) expectRows(t *testing.T, name string, got, want int) {
	t.Helper()
	assert.Equal(t, s.excepted(name, outcome{rows: want}).rows, got, name)
}

func (s *suite) excepted(name string, want outcome) outcome {
	if exception, ok := exceptions[s.kind][name]; ok {
		return exception
	}
	return want
}
