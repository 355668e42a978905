package supabasetest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What these expect is in PostgREST's ApiRequest.hs, QueryParams.hs and
// RangeQuery.hs; limit=-1 and limit=0 are recorded.
func TestRanges(t *testing.T) {
	t.Parallel()
	server := newLatencies(t)
	const negative, reversed = "Limit should be greater than or equal to zero.",
		"The lower boundary must be lower than or equal to the upper boundary in the Range header."
	for _, test := range []struct{ query, header, want, contentRange, details string }{
		{"", "", "abcde", "0-4/*", ""},
		{"limit=2", "", "ab", "0-1/*", ""},
		{"limit=9", "", "abcde", "0-4/*", ""},
		{"limit=0", "", "", "*/*", ""},
		{"limit=-0", "", "", "*/*", ""},
		{"limit=-1", "", "", "", negative},
		{"offset=2", "", "cde", "2-4/*", ""},
		{"offset=5", "", "", "*/*", ""},
		{"offset=9", "", "", "*/*", ""},
		{"offset=-2", "", "abcde", "0-4/*", ""},
		{"limit=2&offset=1", "", "bc", "1-2/*", ""},
		{"limit=1&offset=4", "", "e", "4-4/*", ""},
		{"limit=0&offset=0", "", "", "*/*", ""},
		{"limit=0&offset=1", "", "", "", negative},
		{"limit=0&offset=-1", "", "", "", negative},
		{"limit=-1&offset=0", "", "", "", negative},
		{"limit=-1&offset=1", "", "", "*/*", ""}, // ends where limit=0 ends
		{"limit=-1&offset=2", "", "", "", negative},
		{"limit=-2&offset=2", "", "", "*/*", ""},
		{"limit=-2&offset=1", "", "", "", negative},
		{"limit=1&offset=-1", "", "", "*/*", ""},
		{"limit=1&offset=-2", "", "", "", negative},
		{"limit=3&offset=-1", "", "ab", "0-1/*", ""},
		// What is no number is not ignored altogether.
		{"limit=x", "", "abcde", "0-4/*", ""},
		{"limit=", "", "abcde", "0-4/*", ""},
		{"limit=1.5", "", "abcde", "0-4/*", ""},
		{"limit=%2B1", "", "abcde", "0-4/*", ""},
		{"offset=x", "", "abcde", "0-4/*", ""},
		{"limit=x&offset=x", "", "", "*/*", ""},
		{"limit=x&offset=1", "", "", "", negative},
		{"limit=2&offset=x", "", "ab", "0-1/*", ""},
		// The Range header, in which there is no unit.
		{"", "1-2", "bc", "1-2/*", ""},
		{"", "3-", "de", "3-4/*", ""},
		{"", "3-9", "de", "3-4/*", ""},
		{"", "7-9", "", "*/*", ""},
		{"", "2-1", "", "", reversed},
		{"", "items=2-1", "abcde", "0-4/*", ""},
		{"", "-2", "abcde", "0-4/*", ""},
		{"limit=2", "1-3", "b", "1-1/*", ""},
		{"limit=2&offset=2", "1-2", "c", "2-2/*", ""},
		{"limit=1", "2-3", "", "", negative},
		{"limit=0", "2-3", "", "*/*", ""},
		{"limit=-1", "2-1", "", "", reversed},
	} {
		name := test.query + " " + test.header
		r := server.must(t, http.MethodGet, "service_health_checks?select=service_name&order=service_name&"+test.query, "", "Range: "+test.header)
		if test.details != "" {
			require.Equal(t, http.StatusRequestedRangeNotSatisfiable, r.status, "%s: %s", name, r.body)
			require.Equal(t, `{"code":"PGRST103","details":"`+test.details+`","hint":null,"message":"Requested range not satisfiable"}`, r.body, name)
			continue
		}
		require.Equal(t, http.StatusOK, r.status, "%s: %s", name, r.body)
		names := strings.Map(func(char rune) rune {
			if strings.ContainsRune("abcde", char) {
				return char
			}
			return -1
		}, strings.ReplaceAll(r.body, "service_name", ""))
		require.Equal(t, test.want, names, name)
		require.Equal(t, test.contentRange, r.header.Get("Content-Range"), name)
	}
}

func TestOffsetBeyondTheCount(t *testing.T) {
	t.Parallel()
	server := newLatencies(t)
	for _, test := range []struct {
		query        string
		status       int
		contentRange string
	}{
		{"offset=4", http.StatusPartialContent, "4-4/5"},
		{"offset=5", http.StatusPartialContent, "*/5"},
		{"offset=6", http.StatusRequestedRangeNotSatisfiable, "*/5"},
		{"limit=0", http.StatusPartialContent, "*/5"},
		{"limit=-1&offset=1", http.StatusPartialContent, "*/5"},
		{"service_name=eq.none", http.StatusOK, "*/0"},
		{"service_name=eq.none&offset=1", http.StatusRequestedRangeNotSatisfiable, "*/0"},
	} {
		for _, count := range []string{"exact", "estimated"} {
			r := server.must(t, http.MethodGet, "service_health_checks?select=id&"+test.query, "", "Prefer: count="+count)
			require.Equal(t, test.status, r.status, "%s: %s", test.query, r.body)
			require.Equal(t, test.contentRange, r.header.Get("Content-Range"), test.query)
			require.Equal(t, "count="+count, r.header.Get("Preference-Applied"))
			head := server.must(t, http.MethodHead, "service_health_checks?select=id&"+test.query, "", "Prefer: count="+count)
			require.Equal(t, test.status, head.status, test.query)
			require.Equal(t, test.contentRange, head.header.Get("Content-Range"), test.query)
		}
	}
	r := server.must(t, http.MethodGet, "service_health_checks?offset=6", "", "Prefer: count=exact")
	require.JSONEq(t, `{"code":"PGRST103","details":"An offset of 6 was requested, but there are only 5 rows.",`+
		`"hint":null,"message":"Requested range not satisfiable"}`, r.body)
	require.Empty(t, r.header.Get("Proxy-Status"))
	r = server.must(t, http.MethodGet, "service_health_checks?offset=6", "", "Prefer: count=exact", asObject)
	require.Equal(t, http.StatusNotAcceptable, r.status)
	server.SetMaxRows(4)
	r = server.must(t, http.MethodGet, "service_health_checks?limit=1", "", "Prefer: count=estimated")
	require.Equal(t, http.StatusNotImplemented, r.status)
}

// Writes and HEAD ignore the Range header, and writes limit and offset, once
// they have been checked.
func TestRangesOfWrites(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodDelete} {
		server := newLatencies(t)
		path := "service_health_checks?latency_ms=gt.0&"
		body := `{"service_name": "f", "status": "down"}`
		r := server.must(t, method, path+"limit=-1", body)
		require.Equal(t, http.StatusRequestedRangeNotSatisfiable, r.status, method)
		require.Len(t, server.Rows("service_health_checks"), 5)
		r = server.must(t, method, path+"limit=1&offset=1", body, "Range: 2-1", "Prefer: count=exact")
		want := map[string]string{http.MethodPost: "*/1", http.MethodPatch: "0-2/3", http.MethodDelete: "*/3"}[method]
		require.Equal(t, want, r.header.Get("Content-Range"), method)
	}
	r := newLatencies(t).must(t, http.MethodHead, "service_health_checks", "", "Range: 2-1")
	require.Equal(t, http.StatusOK, r.status)
}
