package supabasetest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInsertMissingColumns(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	mixed := `[{"service_name": "a", "status": "down"}, {"service_name": "b", "status": "down", "checked_at": "2026-01-02T03:04:05Z"}]`
	r := server.must(t, http.MethodPost, "service_health_checks?columns=%22service_name%22,%22status%22,%22checked_at%22&select=checked_at", mixed, representation)
	require.JSONEq(t, `[{"checked_at": null}, {"checked_at": "2026-01-02T03:04:05+00:00"}]`, r.body)
	r = server.must(t, http.MethodPost, "service_health_checks?columns=service_name,status&select=checked_at", mixed, representation)
	require.NotContains(t, r.body, "null")
	require.NotContains(t, r.body, "2026-01-02")
	r = server.must(t, http.MethodPost, "service_health_checks?select=checked_at",
		`{"service_name": "c", "status": "down", "checked_at": null}`, representation, asObject)
	require.JSONEq(t, `{"checked_at": null}`, r.body)
}

func TestMergeTouchesOnlyWhatIsSent(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.must(t, http.MethodPost, "service_health_checks", strings.Replace(oneCheck, "}", `, "latency_ms": 7}`, 1))
	r := server.must(t, http.MethodPost, "service_health_checks?select=status,latency_ms",
		strings.Replace(oneCheck, "down", "healthy", 1), representation, "Prefer: return=representation,resolution=merge-duplicates")
	require.Equal(t, http.StatusOK, r.status)
	require.JSONEq(t, `[{"status": "healthy", "latency_ms": 7}]`, r.body)
}

func TestRefusedWritesChangeNothing(t *testing.T) {
	t.Parallel()
	server := newLatencies(t)
	before := server.must(t, http.MethodGet, "service_health_checks", "").body
	for _, test := range []struct{ method, path, body, header, code string }{
		{http.MethodPatch, "service_health_checks?status=eq.down", `{"status": "healthy"}`, asObject, "PGRST116"},
		{http.MethodDelete, "service_health_checks?status=eq.down", "", asObject, "PGRST116"},
		{http.MethodPost, "service_health_checks", "[" + oneCheck + "," + strings.Replace(oneCheck, "0001", "0002", 1) + "]", asObject, "PGRST116"},
		{http.MethodPost, "service_health_checks", "[" + oneCheck + "," + oneCheck + "]", "", "23505"},
		{http.MethodPatch, "service_health_checks?status=eq.down", `{"id": "00000000-0000-4000-8000-000000000009"}`, "", "23505"},
		{http.MethodPatch, "service_health_checks?status=eq.down", `{"id": null}`, "", "23502"},
		{http.MethodPatch, "service_health_checks?status=eq.down", `{"status": "x"}`, "", "23514"},
		{http.MethodPatch, "service_health_checks?status=eq.down", `{"nope": 1}`, "", "PGRST204"},
		{http.MethodPatch, "service_health_checks?status=eq.down", `{"latency_ms": 3}`, "Prefer: handling=strict,max-affected=1", "PGRST124"},
		{http.MethodPatch, "service_health_checks?nope=eq.1", `{"latency_ms": 3}`, "", "42703"},
		{http.MethodPost, "service_health_checks", "{\"service_name\": \"\xff\", \"status\": \"down\"}", "", "PGRST102"},
		{http.MethodPost, "service_health_checks", "", "", "PGRST102"},
		{http.MethodPost, "service_health_checks", oneCheck, "Content-Profile: nope", "PGRST106"},
	} {
		r := server.must(t, test.method, test.path, test.body, test.header)
		require.Contains(t, r.body, `"code":"`+test.code+`"`, "%s %s %s", test.method, test.path, test.body)
	}
	require.Equal(t, before, server.must(t, http.MethodGet, "service_health_checks", "").body)
}

func TestFailingRow(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	r := server.must(t, http.MethodPost, "alert_events", `{"id": "00000000-0000-4000-8000-000000000001",
		"service_name": "`+strings.Repeat("x", 63)+`é", "alert_type": "bad", "status": "bad", "message": "",
		"details": {"b": 1, "a": "q"}, "created_at": "infinity"}`)
	require.Equal(t, `{"code":"23514","details":"Failing row contains (00000000-0000-4000-8000-000000000001, `+
		strings.Repeat("x", 63)+`..., bad, bad, , {\"a\": \"q\", \"b\": 1}, infinity, null, null, null).","hint":null,`+
		`"message":"new row for relation \"alert_events\" violates check constraint \"alert_events_alert_type_check\""}`, r.body)
}

func TestDeleteIgnoresLimit(t *testing.T) {
	t.Parallel()
	server := newLatencies(t)
	r := server.must(t, http.MethodDelete, "service_health_checks?status=eq.down&limit=1", "", "Prefer: count=exact,handling=strict,max-affected=2")
	require.Equal(t, http.StatusNoContent, r.status)
	require.Equal(t, "*/2", r.header.Get("Content-Range"))
	require.Equal(t, "count=exact, handling=strict, max-affected=2", r.header.Get("Preference-Applied"))
	r = server.must(t, http.MethodDelete, "service_health_checks", "", "Prefer: count=exact")
	require.Equal(t, "*/3", r.header.Get("Content-Range"))
}

func TestUnknownFunctionWithArguments(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	require.Contains(t, server.must(t, http.MethodPost, "rpc/f", `{"a": 1}`).body,
		`"details":"Searched for the function public.f with parameter a or with`)
	require.Contains(t, server.must(t, http.MethodPost, "rpc/f", `{"b": 1, "a": 1}`).body,
		`"message":"Could not find the function public.f(a, b) in the schema cache"`)
}

func TestUnsupported(t *testing.T) {
	t.Parallel()
	server := newLatencies(t)
	const checks = "service_health_checks"
	for _, test := range []struct{ method, path, body, header string }{
		{http.MethodPut, checks + "?id=eq.x", oneCheck, ""},
		{http.MethodOptions, checks, "", ""},
		{http.MethodGet, "", "", ""},
		{http.MethodGet, "a/b", "", ""},
		{http.MethodGet, checks + "?select=id::text", "", ""},
		{http.MethodGet, checks + "?select=a:id", "", ""},
		{http.MethodGet, checks + "?select=alert_events(*)", "", ""},
		{http.MethodGet, checks + "?select=", "", ""},
		{http.MethodGet, checks + "?select=id&select=status", "", ""},
		{http.MethodGet, checks + "?id", "", ""},
		{http.MethodGet, checks + "?a;b=eq.1", "", ""},
		{http.MethodGet, checks + "?status=eq.%00", "", ""},
		{http.MethodGet, checks + "?status=eq.%ff", "", ""},
		{http.MethodGet, checks + "?status=eq.%zz", "", ""},
		{http.MethodGet, checks + "?order=id.up", "", ""},
		{http.MethodGet, checks + "?order=probe_details", "", ""},
		{http.MethodGet, checks + "?probe_details=eq.1", "", ""},
		{http.MethodGet, checks + "?latency_ms=like.1", "", ""},
		{http.MethodGet, checks + "?status=like.a%5C", "", ""},
		{http.MethodGet, checks, "", "Accept: text/csv"},
		{http.MethodGet, checks, "", "Accept: application/json;q=0.5"},
		{http.MethodGet, checks, "", "Prefer: count=planned"},
		{http.MethodGet, checks, "", "Prefer: timezone=UTC"},
		{http.MethodPost, checks, oneCheck, "Content-Type: text/csv"},
		{http.MethodPost, checks, `{"service_name": "\ud800"}`, ""},
		{http.MethodPost, checks + "?columns=id", `{`, ""},
		{http.MethodPatch, checks + "?id=eq.00000000-0000-4000-8000-000000000001", `{"latency_ms": "x"}`, ""},
		{http.MethodPatch, checks, `[{"latency_ms": 1}, {"latency_ms": 2}]`, ""},
		{http.MethodGet, checks + "?limit=(5)", "", ""},
		{http.MethodGet, checks + "?offset=0x5", "", ""},
		{http.MethodGet, checks + "?limit=%205", "", ""},
		{http.MethodGet, checks + "?limit=99999999999999999999", "", ""},
		{http.MethodGet, checks + "?limit=1&limit=2", "", ""},
		{http.MethodGet, checks, "", "Range: 0-99999999999999999999"},
		{http.MethodGet, checks + "?order=latency_ms&order=id", "", ""},
		{http.MethodGet, checks + "?status=match.a", "", ""},
		{http.MethodGet, checks + "?status=is.true", "", ""},
		{http.MethodPost, checks + "?on_conflict=", oneCheck, ""},
		{http.MethodDelete, checks, "", "Prefer: handling=strict,max-affected=(1)"},
		{http.MethodPost, "rpc/f", `5`, ""},
		{http.MethodGet, "rpc/f", "", ""},
		{http.MethodPost, "rpc/f?a=1", "{}", ""},
	} {
		r := server.must(t, test.method, test.path, test.body, test.header)
		require.Equal(t, http.StatusNotImplemented, r.status, "%v: %s", test, r.body)
		require.Contains(t, r.body, `{"code":"SUPABASETEST","details":null,"hint":null,"message":"supabasetest does not support`)
		require.Empty(t, r.header.Get("Proxy-Status"))
	}
}
