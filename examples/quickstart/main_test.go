package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// project sets the environment to a double, or to nothing.
func project(t *testing.T) *supabasetest.Server {
	t.Helper()
	for _, name := range []string{"SUPABASE_URL", "SUPABASE_REST_URL", "SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY", "SUPABASE_SCHEMA"} {
		t.Setenv(name, "")
	}
	server := supabasetest.NewServer()
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return server
}

func runs(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), args, &stdout, &stderr))
	require.Empty(t, stderr.String(), "quiet unless asked")
	return stdout.String()
}

func TestWithoutAProjectItUsesTheDouble(t *testing.T) {
	project(t)
	out := runs(t)
	require.Contains(t, out, "Project: a double in memory.")
	for _, line := range []string{"healthy   demo-web", "down      demo-payments", "demo-payments: service_down, active", "demo-payments: acknowledged, then resolved", "deleted 0 checks and 0 alerts"} {
		require.Contains(t, out, line)
	}
	for _, call := range []string{"HealthCheckModel.Create", "FindLatestByService", "FindRecentByService", "FindActive", "Acknowledge", "Resolve", "FindAll", "DeleteOlderThan"} {
		require.Contains(t, out, call, "a newcomer sees each call")
	}
}

func TestOnAProject(t *testing.T) {
	server := project(t)
	t.Setenv("SUPABASE_URL", server.URL)
	t.Setenv("SUPABASE_SERVICE_KEY", string(server.Key))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing":
			http.NotFound(w, r)
		case "/broken":
			http.Error(w, "no", http.StatusInternalServerError)
		}
	}))
	defer web.Close()
	host := strings.TrimPrefix(web.URL, "http://")
	urls := []string{web.URL, web.URL + "/missing", web.URL + "/broken?token=confidential", "http://127.0.0.1:1/?token=confidential"}

	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}
	theirs, err := alerts.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: host, AlertType: alertevent.AlertTypeServiceDegraded})
	require.NoError(t, err)

	out := runs(t, urls...)
	require.Contains(t, out, "Project: "+server.URL+"\n")
	require.NotContains(t, out, string(server.Key))
	require.NotContains(t, out, "confidential")
	require.Contains(t, out, host+": left active")

	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	for name, want := range map[string]healthcheck.Status{host: "healthy", host + "/missing": "degraded", host + "/broken": "down", "127.0.0.1:1/": "down"} {
		check, err := checks.FindLatestByService(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, want, check.Status, name)
		require.Equal(t, want != "healthy", check.ErrorMessage != nil)
	}
	for _, name := range []string{host + "/broken", "127.0.0.1:1/"} {
		alert, err := alerts.FindRecentByService(t.Context(), name, alertevent.AlertTypeServiceDown, 5)
		require.NoError(t, err)
		require.Equal(t, alertevent.StatusResolved, alert.Status)
	}
	active, err := alerts.FindActive(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []alertevent.AlertEvent{*theirs}, active, "others' alerts are left alone")

	out = runs(t, urls...)
	require.Contains(t, out, host+"/broken: raised at", "not raised again")
	all, err := checks.FindAll(t.Context(), healthcheck.FindAllOptions{})
	require.NoError(t, err)
	require.Len(t, all, 8)
}

func TestHalfAnEnvironmentIsAnError(t *testing.T) {
	server := project(t)
	t.Setenv("SUPABASE_URL", server.URL)
	var out bytes.Buffer
	err := run(t.Context(), nil, &out, &out)
	require.ErrorIs(t, err, supabase.ErrInvalid)
	require.ErrorContains(t, err, "SUPABASE_SERVICE_KEY")
	require.Empty(t, server.Requests())
}

func TestVerboseShowsTheLog(t *testing.T) {
	project(t)
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-v"}, &stdout, &stderr))
	require.Contains(t, stderr.String(), "service_health_checks")
}

func TestArgumentsAreChecked(t *testing.T) {
	project(t)
	var out bytes.Buffer
	for _, bad := range []string{"example.com", "ftp://example.com", "http://", "://"} {
		require.ErrorContains(t, run(t.Context(), []string{bad}, &out, &out), "is no URL to probe", bad)
	}
	services, err := parseServices([]string{"https://example.com/" + strings.Repeat("é", 200)})
	require.NoError(t, err)
	require.Equal(t, "example.com/"+strings.Repeat("é", 88), services[0].name)
}

func TestInterruptStoresNothingFalse(t *testing.T) {
	server := project(t)
	t.Setenv("SUPABASE_URL", server.URL)
	t.Setenv("SUPABASE_SERVICE_KEY", string(server.Key))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer hanging.Close()
	var out bytes.Buffer
	require.ErrorIs(t, run(ctx, []string{hanging.URL}, &out, &out), context.Canceled)
	require.Empty(t, server.Requests(), "an interrupted probe says nothing of the service")
}

func TestStoreThatRefusesEndsTheTour(t *testing.T) {
	server := project(t)
	t.Setenv("SUPABASE_URL", server.URL)
	t.Setenv("SUPABASE_SERVICE_KEY", "sb_secret_wrong")
	var out bytes.Buffer
	require.ErrorIs(t, run(t.Context(), nil, &out, &out), supabase.ErrPermission)
}
