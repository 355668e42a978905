package conformance_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// TestStringsStayValues asserts that no string argument adds a parameter, a
// filter, a header or a path to what an operation sends.
func TestStringsStayValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		server := supabasetest.NewServer()
		defer server.Close()
		s := open(t, double, server.Config())
		name := serviceNames().Draw(rt, "service name")
		text := rapid.SampledFrom([]string{name, `","status":"down`, "\r\nApikey: x", `\`}).Draw(rt, "text")

		check, err := s.checks.Create(rt.Context(), healthcheck.CreateHealthCheckData{
			ServiceName: name, Status: healthcheck.StatusDown, ErrorMessage: &text, ProbeDetails: map[string]any{text: text},
		})
		require.NoError(rt, err)
		_, err = s.checks.FindLatestByService(rt.Context(), name)
		require.NoError(rt, err)
		_, err = s.checks.FindAll(rt.Context(), healthcheck.FindAllOptions{ServiceName: name, Limit: 1})
		require.NoError(rt, err)
		_, err = s.alerts.FindActive(rt.Context(), name)
		require.NoError(rt, err)
		_, err = s.alerts.FindRecentByService(rt.Context(), name, alertevent.AlertTypeRecovery, 5)
		require.NoError(rt, err)

		requests := server.Requests()
		var row map[string]any
		require.NoError(rt, json.Unmarshal(requests[0].Body, &row))
		require.Equal(rt, map[string]any{
			"id": check.ID, "service_name": name, "status": "down", "latency_ms": nil, "error_message": text, "probe_details": map[string]any{text: text},
		}, row)
		order := "created_at.desc.nullslast,id.desc.nullslast"
		for i, want := range []url.Values{
			{},
			{"select": {"*"}, "service_name": {"eq." + name}, "and": {"(checked_at.not.is.null)"}, "order": {"checked_at.desc.nullslast,id.desc.nullslast"}, "limit": {"1"}},
			{"select": {"*"}, "service_name": {"eq." + name}, "order": {order}, "limit": {"1"}},
			{"select": {"*"}, "service_name": {"eq." + name}, "status": {"eq.active"}, "order": {order}, "limit": {"1000"}},
			{"select": {"*"}, "service_name": {"eq." + name}, "alert_type": {"eq.recovery"}, "and": requests[4].Query["and"], "order": {order}, "limit": {"1"}},
		} {
			require.Equal(rt, want, requests[i].Query)
		}
		require.Len(rt, requests, 5)
		headers := []string{"Accept", "Accept-Encoding", "Accept-Profile", "Apikey", "Authorization", "Content-Profile", "Content-Type", "User-Agent", "X-Client-Info"}
		for _, request := range requests {
			require.Contains(rt, []string{"/rest/v1/service_health_checks", "/rest/v1/alert_events"}, request.Path)
			got := request.Header.Clone()
			got.Del("Content-Length")
			if request.Method == http.MethodPost {
				got.Del("Prefer")
			}
			require.Equal(rt, headers, slices.Sorted(maps.Keys(got)))
			for name, values := range request.Header {
				require.Len(rt, values, 1, name)
			}
		}
	})
}
