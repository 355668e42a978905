package conformance_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
)

func init() {
	cases["special names find their own rows alone"] = specialNames
	cases["JSONB comes back"] = jsonRoundTrip
	cases["64 callers at once"] = manyCallers
}

// names hold what query strings, filters, logic trees, SQL and JSON treat as
// their own.
var names = []string{
	"a,b", "a.b", "a(b)", `a"b`, `a\b`, "a+b", "a&b=c", "a%b", "a%2Bb", "a b", " a ", "eq.a", "not.eq.a", "*", "a*b", "%", "_", "null", "is.null",
	"in.(a,b)", ");--", "' OR 1=1 --", "a'b", "a,status.eq.down", `","`, "a:b", "a;b", "a#b", "a?b", "a/b", "../b", "[a]", "{a}", "a|b", "a\tb", "a\nb",
	"naïve ☃ 日本語 🚀", "e\u0301", "\u00e9", "\u202eabc", "\u200b", "true", "1", "-1", "1e5", strings.Repeat("☃", 100), strings.Repeat("🚀", 100),
}

func specialNames(t *testing.T, s *suite) {
	for _, name := range names {
		_, err := s.checks.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: name, Status: healthcheck.StatusHealthy})
		require.NoError(t, err, "%q", name)
		_, err = s.alerts.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: name, AlertType: alertevent.AlertTypeServiceDown})
		require.NoError(t, err, "%q", name)
	}
	for _, name := range names {
		found := 0
		if s.findsAlone(t, name) {
			found = 1
		}
		s.expectRows(t, fmt.Sprintf("special name %q", name), found, 1)
	}
}

// findsAlone says whether each finder finds the rows of a name, and no others.
func (s *suite) findsAlone(t *testing.T, name string) bool {
	t.Helper()
	latest, err := s.checks.FindLatestByService(t.Context(), name)
	if err != nil || latest == nil || latest.ServiceName != name {
		return false
	}
	all, err := s.checks.FindAll(t.Context(), healthcheck.FindAllOptions{ServiceName: name})
	if err != nil || len(all) != 1 || all[0].ID != latest.ID {
		return false
	}
	active, err := s.alerts.FindActive(t.Context(), name)
	if err != nil || len(active) != 1 || active[0].ServiceName != name {
		return false
	}
	recent, err := s.alerts.FindRecentByService(t.Context(), name, alertevent.AlertTypeServiceDown, 60)
	return err == nil && recent != nil && recent.ID == active[0].ID
}

func jsonRoundTrip(t *testing.T, s *suite) {
	deep := map[string]any{"end": true}
	for range 200 {
		deep = map[string]any{"deeper": []any{deep}}
	}
	for name, value := range map[string]any{
		"null": nil, "true": true, "string": "é☃🚀\u2028<>&\"\\/\b\f\n\r\t\x01", "empty": "", "zero": 0.0, "negative": -1.5, "small": 1e-7, "large": 1e21,
		"largest": 1.7976931348623157e308, "2^53": 9007199254740992.0, "array": []any{}, "object": map[string]any{}, "nested": deep,
		"mixed": []any{nil, false, 1.0, "a", []any{[]any{}}, map[string]any{"": ""}}, "long": strings.Repeat("x", 100_000),
	} {
		details := map[string]any{name: value, "": "an empty key", "☃": "a key"}
		check, err := s.checks.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "json", Status: healthcheck.StatusHealthy, ProbeDetails: details})
		require.NoError(t, err, name)
		require.Equal(t, details, check.ProbeDetails, name)
		alert, err := s.alerts.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "json", AlertType: alertevent.AlertTypeRecovery, Details: details})
		require.NoError(t, err, name)
		require.Equal(t, details, alert.Details, name)
	}
	empty, err := s.checks.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "json", Status: healthcheck.StatusHealthy, ProbeDetails: map[string]any{}})
	require.NoError(t, err)
	require.NotNil(t, empty.ProbeDetails, "an empty object is not NULL")
}

func manyCallers(t *testing.T, s *suite) {
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			ctx := context.Background()
			name := uuid.NewString()
			for range 4 {
				if _, err := s.checks.Create(ctx, healthcheck.CreateHealthCheckData{ServiceName: name, Status: healthcheck.StatusHealthy}); err != nil {
					t.Error(err)
				}
			}
			found, err := s.checks.FindAll(ctx, healthcheck.FindAllOptions{ServiceName: name})
			if err != nil || len(found) != 4 {
				t.Error(len(found), err)
			}
			alert, err := s.alerts.Create(ctx, alertevent.CreateAlertEventData{ServiceName: name, AlertType: alertevent.AlertTypeServiceDown})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.alerts.Resolve(ctx, alert.ID); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	active, err := s.alerts.FindActive(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, active)
	all, err := s.checks.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: 1000})
	require.NoError(t, err)
	require.Len(t, all, 256)
}
