package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noProject empties the environment.
func noProject(t *testing.T) {
	t.Helper()
	for _, name := range []string{"SUPABASE_URL", "SUPABASE_REST_URL", "SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY", "SUPABASE_SCHEMA"} {
		t.Setenv(name, "")
	}
}

// project sets the environment to a project: a double that outlives the run.
func project(t *testing.T) *supabasetest.Server {
	t.Helper()
	noProject(t)
	server := supabasetest.NewServer()
	t.Cleanup(server.Close)
	t.Setenv("SUPABASE_URL", server.URL)
	t.Setenv("SUPABASE_SERVICE_KEY", string(server.Key))
	return server
}

func runs(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), args, &stdout, &stderr))
	require.Empty(t, stderr.String(), "quiet unless asked")
	return stdout.String()
}

func fails(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	err = run(t.Context(), args, &stdout, &stderr)
	require.Error(t, err)
	require.Empty(t, stderr.String(), "main shows the error, once")
	return stdout.String(), err
}

func TestWithoutAProjectItUsesTheDouble(t *testing.T) {
	noProject(t)
	out := runs(t)
	require.True(t, strings.HasPrefix(out, "Project: a double in memory."), out)
	for _, line := range []string{
		"HealthCheckModel.Create                 → demo-web: healthy in ",
		"HealthCheckModel.Create                 → demo-payments: down, HTTP 503\n",
		"HealthCheckModel.FindLatestByService    → demo-web: healthy at ",
		"HealthCheckModel.FindLatestByService    → demo-payments: down at ",
		"HealthCheckModel.FindAll                → 1 of the newest 2 healthy\n",
		"HealthCheckModel.FindLatest             → 1 of all 2 services healthy\n",
		"AlertEventModel.Raise                   → demo-payments: service_down, opened\n",
		"AlertEventModel.ClaimNotifications      → demo-payments: service_down opened\n",
		"AlertEventModel.FindOpen                → demo-payments: service_down since ",
		"AlertEventModel.Acknowledge             → demo-payments: acknowledged\n",
		"AlertEventModel.ResolveOpen             → demo-payments: 1 resolved\n",
		"AlertEventModel.History                 → demo-payments: 3 changes of status\n",
		"AlertEventModel.ClaimNotifications      → demo-payments: service_down resolved\n",
		"AlertEventModel.FindOpen                → none\n",
		"AlertEventModel.All                     → 1 raised within 24 hours\n",
		"HealthCheckModel.DeleteOlderThan        → 0 deleted\n",
		"AlertEventModel.DeleteResolvedOlderThan → 0 deleted\n",
	} {
		require.Equal(t, 1, strings.Count(out, line), "%s\nin\n%s", line, out)
	}
	require.LessOrEqual(t, strings.Count(out, "\n"), 30, "it fits on a screen")
}

func TestProjectIsNamedWithoutItsKey(t *testing.T) {
	server := project(t)
	require.True(t, strings.HasPrefix(runs(t), "Project: "+server.URL+"\n"))

	t.Setenv("SUPABASE_URL", "")
	t.Setenv("SUPABASE_REST_URL", server.URL+"/rest/v1")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-v"}, &out, &out))
	require.True(t, strings.HasPrefix(out.String(), "Project: "+server.URL+"/rest/v1\n"))
	require.Contains(t, out.String(), "insert ", "-v shows the log")
	require.NotContains(t, out.String(), string(server.Key))
}

func TestHalfAnEnvironmentIsAnError(t *testing.T) {
	server := project(t)
	t.Setenv("SUPABASE_SERVICE_KEY", "")
	out, err := fails(t)
	require.ErrorIs(t, err, supabase.ErrInvalid)
	require.ErrorContains(t, err, "SUPABASE_SERVICE_KEY")
	require.Empty(t, out, "it does not fall back to the double")
	require.Empty(t, server.Requests())
}

func TestURLThatHoldsAPasswordIsNotPrinted(t *testing.T) {
	project(t)
	t.Setenv("SUPABASE_URL", "https://admin:confidential@example.com")
	out, err := fails(t)
	require.ErrorIs(t, err, supabase.ErrInvalid)
	require.Empty(t, out)
	require.NotContains(t, err.Error(), "confidential")
}

func TestArgumentsAreChecked(t *testing.T) {
	server := project(t)
	for _, bad := range []string{"example.com", "ftp://example.com", "http://", "http://:80", "://", "-verbose"} {
		out, err := fails(t, "-v", bad)
		require.ErrorContains(t, err, strings.TrimPrefix(bad, "-"))
		require.Empty(t, out)
	}
	require.Empty(t, server.Requests(), "nothing is done by halves")
	require.Equal(t, usage, runs(t, "-h"))
}

func TestInterruptStoresNothingFalse(t *testing.T) {
	server := project(t)
	ctx, cancel := context.WithCancel(t.Context())
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer hanging.Close()
	var out bytes.Buffer
	require.EqualError(t, run(ctx, []string{hanging.URL}, &out, &out), "context canceled", "no fault of the store")
	require.Empty(t, server.Requests(), "an interrupted probe says nothing of the service")
}

func TestAnyRefusedRequestEndsTheTour(t *testing.T) {
	server := project(t)
	runs(t)
	requests := len(server.Requests())
	for n := range requests {
		server := project(t)
		before := 0
		server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			if before++; before <= n {
				return false
			}
			w.WriteHeader(http.StatusForbidden)
			return true
		})
		_, err := fails(t)
		require.ErrorIs(t, err, supabase.ErrPermission)
		require.Len(t, server.Requests(), n+1)
	}
}
