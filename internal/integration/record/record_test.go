package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// again records what the double answers, and returns the recording before and after.
func again(t *testing.T, change func(http.ResponseWriter, *http.Request) bool) (before, after, said string) {
	t.Helper()
	server := supabasetest.NewServer()
	t.Cleanup(server.Close)
	if change != nil {
		server.Intercept(change)
	}
	t.Setenv("SUPAVIGIL_TEST_REST_URL", server.URL+"/rest/v1")
	t.Setenv("SUPAVIGIL_TEST_KEY", string(server.Key))
	text, err := os.ReadFile("../" + recordingPath) // a test runs in its own folder
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "recording.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-recording", path}, &out))
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text), string(now), out.String()
}

func TestWhatIsTheSameStays(t *testing.T) {
	before, after, said := again(t, nil)
	require.Equal(t, before, after)
	require.Contains(t, said, "0 of 110 answers of given differ\n")
	require.Contains(t, said, "expired token: kept, as there is no token that is expired\n")
}

func TestWhatChangedIsWritten(t *testing.T) {
	before, after, said := again(t, func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("<short & stout>"))
		return true
	})
	require.Contains(t, said, `is  {"status":418,"headers":{"content-type":"text/plain"},"text":"<short & stout>"}`)
	require.Contains(t, after, `"text": "<short & stout>"`)
	// The first row is not there, so that others' answers change as well; the
	// requests are as they were, and so are most answers.
	require.Equal(t, strings.Count(before, `"request"`), strings.Count(after, `"request"`))
	require.NotContains(t, said, "special name")
	old := map[string]bool{}
	for line := range strings.Lines(before) {
		old[line] = true
	}
	fresh := 0
	for line := range strings.Lines(after) {
		if !old[line] {
			fresh++
		}
	}
	require.Less(t, fresh, 60)
}

// An answer of a time or an id that the server made up is not another answer;
// one that the request sent is.
func TestEqual(t *testing.T) {
	t.Parallel()
	const id, other = "1b671a64-40d5-491e-99b0-da01ff1f3341", "00000000-0000-4000-8000-00000000000a"
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		{`"` + id + `"`, `"` + strings.Replace(id, "1b", "2c", 1) + `"`, true},
		{`"` + id + `"`, `"` + other + `"`, false},
		{`"` + other + `"`, `"` + strings.Replace(other, "0a", "0b", 1) + `"`, false},
		{`"2026-11-23T10:01:03.286716+00:00"`, `"2027-01-02T10:01:03.28+00:00"`, true},
		{`"2026-11-23T10:01:03.286716+00:00"`, `"2026-11-23 10:01:03.286716+00"`, false},
		{`"2026-01-02T10:01:03+00:00"`, `"2026-01-02T10:01:04+00:00"`, false},
		{`{}`, `{"status":200}`, false},
	} {
		same, err := equal([]byte(test.a), []byte(test.b))
		require.NoError(t, err)
		require.Equal(t, test.same, same, "%s and %s", test.a, test.b)
	}
}
