package supabasetest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// With return=minimal, PostgREST makes no SQL of select and order; with
// representation, an order is by what is returned. A read does heed both, and
// ignores columns and on_conflict, as a DELETE does.
func TestSelectAndOrderOfWrites(t *testing.T) {
	t.Parallel()
	const body = `{"service_name": "f", "status": "down"}`
	for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodDelete} {
		for _, test := range []struct{ query, prefer, refused string }{
			{"select=nope", "return=minimal", ""},
			{"order=nope", "return=minimal", ""},
			{"order=probe_details", "return=minimal", ""},
			{"select=nope&order=nope", "", ""},
			{"order=nope", "return=headers-only", ""},
			{"select=nope", "return=headers-only", "nope"},
			{"select=nope", "return=representation", "nope"},
			{"order=nope", "return=representation", "nope"},
			{"order=status.desc", "return=representation", ""},
			{"select=service_name&order=service_name", "return=representation", ""},
			{"select=service_name&order=id", "return=representation", ""}, // returned for Location
			{"select=service_name&order=status", "return=representation", "status"},
		} {
			server := newLatencies(t)
			r := server.must(t, method, "service_health_checks?id=not.is.null&"+test.query, body, "Prefer: "+test.prefer)
			if test.refused == "" {
				require.Less(t, r.status, http.StatusMultipleChoices, "%s %v: %s", method, test, r.body)
				continue
			}
			require.Equal(t, `{"code":"42703","details":null,"hint":null,"message":"column service_health_checks.`+
				test.refused+` does not exist"}`, r.body, "%s %v", method, test)
		}
	}
	server := newLatencies(t)
	require.Equal(t, "abcde", server.names(t, "columns=nope&on_conflict=nope"))
	r := server.must(t, http.MethodGet, "service_health_checks?order=nope&limit=0", "")
	require.Contains(t, r.body, "42703")
	r = server.must(t, http.MethodDelete, "service_health_checks?columns=nope&on_conflict=nope", "", "Prefer: count=exact")
	require.Equal(t, "*/5", r.header.Get("Content-Range"))
}

func TestInsertIgnoresFilters(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	r := server.must(t, http.MethodPost, "service_health_checks?nope=eq.1&or=(id.eq.x,nope.is.null)", oneCheck)
	require.Equal(t, http.StatusCreated, r.status, r.body)
}

func TestHeadersOnly(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	r := server.must(t, http.MethodPost, "service_health_checks?select=status", oneCheck, "Prefer: return=headers-only,count=planned")
	require.Equal(t, http.StatusCreated, r.status, r.body)
	require.Equal(t, "/service_health_checks?id=eq.00000000-0000-4000-8000-000000000001", r.header.Get("Location"))
	require.Equal(t, "return=headers-only, count=planned", r.header.Get("Preference-Applied"))
	require.Equal(t, "*/*", r.header.Get("Content-Range")) // planned is no count of what is written
	require.Empty(t, r.body)
	r = server.must(t, http.MethodPost, "service_health_checks", `[]`, "Prefer: return=headers-only")
	require.Empty(t, r.header.Get("Location"))
	for method, want := range map[string]string{http.MethodPatch: "0-0/1", http.MethodDelete: "*/1"} {
		r = server.must(t, method, "service_health_checks?status=eq.down", `{"latency_ms": 1}`, "Prefer: return=headers-only,count=estimated")
		require.Equal(t, http.StatusNoContent, r.status, method)
		require.Equal(t, want, r.header.Get("Content-Range"), method)
		server.must(t, http.MethodPost, "service_health_checks", oneCheck)
	}
}

func TestHandling(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ prefer, code, details, applied string }{
		{"nope", "", "", ""},
		{"nope,handling=lenient", "", "", "handling=lenient"},
		{"max-affected=1", "", "", ""},
		{"handling=lenient,max-affected=1", "", "", "handling=lenient"},
		{"handling=strict,max-affected=1", "PGRST124", "The query affects 2 rows", ""},
		{"handling=strict,max-affected=-1", "PGRST124", "The query affects 2 rows", ""},
		{"handling=strict,max-affected=2", "", "", "handling=strict, max-affected=2"},
		{"handling=strict,max-affected=02", "", "", "handling=strict, max-affected=2"},
		{"handling=strict,max-affected=x", "", "", "handling=strict"},
		{"handling=strict,max-affected=x,max-affected=1", "", "", "handling=strict"},
		{"handling=strict,tx=rollback", "", "", "handling=strict"},
		{"handling=strict, a , return=minimal,count=some", "PGRST122", "Invalid preferences: a, count=some", ""},
	} {
		for method, name := range map[string]string{http.MethodPatch: "latency_ms", http.MethodDelete: "latency_ms"} {
			r := newLatencies(t).must(t, method, "service_health_checks?status=eq.down", `{"`+name+`": 3}`, "Prefer: "+test.prefer)
			if test.code == "" {
				require.Equal(t, http.StatusNoContent, r.status, "%s %v: %s", method, test, r.body)
				require.Equal(t, test.applied, r.header.Get("Preference-Applied"), test)
				continue
			}
			require.Equal(t, http.StatusBadRequest, r.status, "%s %v", method, test)
			require.Contains(t, r.body, `{"code":"`+test.code+`","details":"`+test.details+`"`, test)
		}
	}
	// An insert, and a read, know no max-affected.
	server := newTestServer(t)
	r := server.must(t, http.MethodPost, "service_health_checks", "["+oneCheck+","+strings.Replace(oneCheck, "0001", "0002", 1)+"]",
		"Prefer: handling=strict,max-affected=1")
	require.Equal(t, http.StatusCreated, r.status, r.body)
	require.Equal(t, "handling=strict", r.header.Get("Preference-Applied"))
	r = server.must(t, http.MethodGet, "service_health_checks", "", "Prefer: handling=strict,max-affected=1")
	require.Equal(t, http.StatusOK, r.status, r.body)
}

func TestOnConflict(t *testing.T) {
	t.Parallel()
	two := "[" + oneCheck + "," + oneCheck + "]"
	for _, test := range []struct {
		columns, body, resolution, code string
		status, rows                    int
	}{
		{"id", oneCheck, "merge-duplicates", "", http.StatusCreated, 1},
		{"id,id", oneCheck, "merge-duplicates", "", http.StatusCreated, 1},
		{"id", two, "ignore-duplicates", "", http.StatusCreated, 1},
		{"id", two, "merge-duplicates", "21000", http.StatusInternalServerError, 0},
		{"id", two, "", "23505", http.StatusConflict, 0},
		{"status", oneCheck, "", "", http.StatusCreated, 1}, // not an upsert
		{"nope", oneCheck, "", "", http.StatusCreated, 1},
		{"status", oneCheck, "merge-duplicates", "42P10", http.StatusBadRequest, 0},
		{"id,status", oneCheck, "ignore-duplicates", "42P10", http.StatusBadRequest, 0},
		{"id,nope", oneCheck, "ignore-duplicates", "42703", http.StatusBadRequest, 0},
	} {
		server := newTestServer(t)
		r := server.must(t, http.MethodPost, "service_health_checks?on_conflict="+test.columns, test.body, "Prefer: resolution="+test.resolution)
		require.Equal(t, test.status, r.status, "%v: %s", test, r.body)
		require.Contains(t, r.body, test.code, test)
		require.Len(t, server.Rows("service_health_checks"), test.rows, test)
	}
}
