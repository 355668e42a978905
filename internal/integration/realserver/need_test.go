package realserver

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// verdict is a test that only remembers how it was ended.
type verdict struct {
	testing.TB
	said string
}

func (v *verdict) Helper()           {}
func (v *verdict) Skip(args ...any)  { v.said = "skipped: " + fmt.Sprint(args...); panic(v) }
func (v *verdict) Fatal(args ...any) { v.said = "failed: " + fmt.Sprint(args...); panic(v) }

func judge(err error) (said string) {
	v := &verdict{}
	defer func() {
		if ended := recover(); ended != nil && ended != v {
			panic(ended)
		}
		said = v.said
	}()
	Need(v, err)
	return v.said
}

// ignore lets Need see a missing program only: the test expects the rest.
func ignore(err error) error {
	if missing, ok := errors.AsType[*MissingError](err); ok {
		return missing
	}
	return nil
}

func TestNeed(t *testing.T) {
	missing := fmt.Errorf("start: %w", &MissingError{Program: "PostgreSQL", Hint: "install it"})
	optional := fmt.Errorf("start: %w", &MissingError{Program: "postgrest", Hint: "name it"})
	for _, test := range []struct {
		ci   string
		err  error
		said string
	}{
		{"", nil, ""},
		{"true", nil, ""},
		{"", missing, "skipped: PostgreSQL is missing: install it"},
		{"true", missing, "failed: start: PostgreSQL is missing: install it"},
		{"true", optional, "skipped: postgrest is missing: name it"},
		{"", errors.New("broken"), "failed: broken"},
	} {
		t.Setenv("CI", test.ci)
		require.Equal(t, test.said, judge(test.err))
	}
}

func TestMissingPrograms(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := npmPackages(t.Context())
	require.ErrorAs(t, err, new(*MissingError))
	_, err = Start(t.Context(), LitePGlite, Options{})
	require.ErrorAs(t, err, new(*MissingError))
	t.Setenv("POSTGREST_BIN", "")
	_, err = Start(t.Context(), PostgREST, Options{})
	require.ErrorAs(t, err, new(*MissingError))
	t.Setenv("POSTGREST_BIN", "/nonexistent/postgrest")
	_, err = Start(t.Context(), PostgREST, Options{})
	require.ErrorContains(t, err, "POSTGREST_BIN: ")
	require.NotErrorAs(t, err, new(*MissingError), "a wrong name is a mistake, not a reason to skip")
}
