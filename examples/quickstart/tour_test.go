package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func models(server *supabasetest.Server) (healthcheck.HealthCheckModel, alertevent.AlertEventModel) {
	connect := server.Config().ServiceClient
	return healthcheck.HealthCheckModel{Connect: connect}, alertevent.AlertEventModel{Connect: connect}
}

// web answers with 200, 404 under /missing and 500 under /broken.
func web(t *testing.T) (url, host string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing":
			http.NotFound(w, r)
		case "/broken":
			http.Error(w, "no", http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, strings.TrimPrefix(server.URL, "http://")
}

const refuses = "127.0.0.1:1" // nobody listens on tcpmux

func TestProbesAreStored(t *testing.T) {
	server := project(t)
	checks, alerts := models(server)
	url, host := web(t)
	out := runs(t, url, url+"/missing", url+"/broken?token=confidential", "http://"+refuses+"/?token=confidential")
	require.NotContains(t, out, "confidential")

	all, err := checks.FindAll(t.Context(), healthcheck.FindAllOptions{})
	require.NoError(t, err)
	require.Len(t, all, 4)
	for _, want := range []struct {
		name    string
		status  healthcheck.Status
		code    float64
		message string
	}{
		{host, healthcheck.StatusHealthy, 200, ""},
		{host + "/missing", healthcheck.StatusDegraded, 404, "HTTP 404"},
		{host + "/broken", healthcheck.StatusDown, 500, "HTTP 500"},
		{refuses + "/", healthcheck.StatusDown, 0, "refused"},
	} {
		check, err := checks.FindLatestByService(t.Context(), want.name)
		require.NoError(t, err)
		require.NotNil(t, check, want.name)
		require.Equal(t, want.status, check.Status)
		require.Equal(t, want.code == 0, check.LatencyMS == nil, want.name)
		if want.code != 0 {
			require.Equal(t, map[string]any{"http_status": want.code}, check.ProbeDetails)
		}
		if want.message == "" {
			require.Nil(t, check.ErrorMessage)
		} else {
			require.Contains(t, *check.ErrorMessage, want.message)
		}
		alert, err := alerts.FindRecentByService(t.Context(), want.name, alertevent.AlertTypeServiceDown, 1)
		require.NoError(t, err)
		if want.status != healthcheck.StatusDown {
			require.Nil(t, alert, want.name)
			continue
		}
		require.Equal(t, alertevent.StatusResolved, alert.Status)
		require.NotNil(t, alert.AcknowledgedAt)
		require.NotNil(t, alert.ResolvedAt)
		require.Equal(t, check.ErrorMessage, alert.Message)
		require.Equal(t, map[string]any{"check_id": check.ID}, alert.Details)
	}
}

func TestHealthyServicesRaiseNothing(t *testing.T) {
	project(t)
	url, _ := web(t)
	out := runs(t, url)
	require.Contains(t, out, "nothing is down\n")
	require.Contains(t, out, "this run raised none\n")
	require.NotContains(t, out, "AlertEventModel.Raise")
}

func TestEachRunTellsOfItsAlertOnce(t *testing.T) {
	server := project(t)
	for range 2 {
		out := runs(t)
		require.Contains(t, out, "AlertEventModel.Raise                   → demo-payments: service_down, opened\n")
		require.Equal(t, 2, strings.Count(out, "demo-payments: told\n"), "opened, resolved")
	}
	require.Len(t, server.Rows("alert_events"), 2)
}

func TestAlertOfARunThatWasInterruptedIsNotRaisedAgain(t *testing.T) {
	server := project(t)
	_, alerts := models(server)
	alert, _, err := alerts.Raise(t.Context(), alertevent.RaiseData{ServiceName: "demo-payments", AlertType: alertevent.AlertTypeServiceDown, DedupKey: program})
	require.NoError(t, err)
	out := runs(t)
	require.Contains(t, out, "→ demo-payments: service_down, open since ")
	require.Contains(t, out, "→ demo-payments: 1 resolved\n")
	rows := server.Rows("alert_events")
	require.Len(t, rows, 1)
	require.Equal(t, alert.ID, rows[0]["id"])
}

func TestAlertsOfOthersAreLeftAlone(t *testing.T) {
	server := project(t)
	_, alerts := models(server)
	for _, name := range []string{"demo-payments", "a", "b", "c"} {
		_, err := alerts.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: name, AlertType: alertevent.AlertTypeServiceDown})
		require.NoError(t, err)
	}
	raised, _, err := alerts.Raise(t.Context(), alertevent.RaiseData{ServiceName: "demo-payments", AlertType: alertevent.AlertTypeServiceDown, DedupKey: "another"})
	require.NoError(t, err)
	before, err := alerts.FindOpen(t.Context(), "")
	require.NoError(t, err)
	out := runs(t)
	require.Contains(t, out, "→ c: service_down since ")
	require.Contains(t, out, "→ and 2 more\n")
	after, err := alerts.FindOpen(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, before, after)

	claims, confirmed := 0, 0
	for _, request := range server.Requests() {
		switch {
		case strings.HasSuffix(request.Path, "/claim_alert_notifications"):
			claims++
		case strings.HasSuffix(request.Path, "/confirm_alert_notification"):
			confirmed++
			require.NotContains(t, string(request.Body), raised.ID, "it is for its own sender to tell")
		}
	}
	require.Equal(t, 2, claims)
	require.Equal(t, 2, confirmed)
}

func TestRetentionDeletesWhatItSays(t *testing.T) {
	server := project(t)
	client, err := server.Config().ServiceClient()
	require.NoError(t, err)
	ago := func(days int) string { return time.Now().UTC().AddDate(0, 0, -days).Format(time.RFC3339) }
	for table, rows := range map[string][]map[string]string{
		"service_health_checks": {
			{"service_name": "old", "status": "healthy", "created_at": ago(31)},
			{"service_name": "new", "status": "healthy", "created_at": ago(29)},
		},
		"alert_events": {
			{"service_name": "old", "alert_type": "recovery", "status": "resolved", "created_at": ago(100), "resolved_at": ago(91)},
			{"service_name": "new", "alert_type": "recovery", "status": "resolved", "created_at": ago(100), "resolved_at": ago(89)},
		},
	} {
		_, _, err := client.From(table).Insert(rows, false, "", "minimal", "").ExecuteWithContext(t.Context())
		require.NoError(t, err)
	}
	out := runs(t)
	require.Contains(t, out, "HealthCheckModel.DeleteOlderThan        → 1 deleted\n")
	require.Contains(t, out, "AlertEventModel.DeleteResolvedOlderThan → 1 deleted\n")
	checks, alerts := models(server)
	for name, want := range map[string]int{"old": 0, "new": 1} {
		kept, err := checks.FindAll(t.Context(), healthcheck.FindAllOptions{ServiceName: name})
		require.NoError(t, err)
		require.Len(t, kept, want, name)
		left, err := alerts.FindAll(t.Context(), alertevent.FindAllOptions{ServiceName: name})
		require.NoError(t, err)
		require.Len(t, left, want, name)
	}
}
