package realserver

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
)

// patient waits for an answer for as long as it takes.
var patient = &http.Client{Transport: probe.Transport}

// call sends a request and returns the answer's status and body.
func call(t *testing.T, server *REST, role, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.RESTURL+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header = server.Header(role)
	require.NotNil(t, request.Header, role)
	request.Header.Set("Content-Type", "application/json")
	response, err := patient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

// startREST starts a server for one test, on the shared PostgreSQL if on any.
func startREST(t *testing.T, kind Kind, options Options) *REST {
	t.Helper()
	if kind != LitePGlite {
		options.Postgres = SharedPostgres(t)
	}
	server, err := Start(t.Context(), kind, options)
	Need(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	return server
}

func TestServers(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server := startREST(t, kind, Options{Migrations: things, MaxRows: 2})
			_, err := server.Config().ServiceClient()
			require.NoError(t, err)

			status, body := call(t, server, "service_role", "POST", "/things", `[{"id":1,"name":"a"},{"id":2,"name":"b"},{"id":3,"name":"c"}]`)
			require.Equal(t, http.StatusCreated, status, body)
			status, body = call(t, server, "service_role", "GET", "/things?select=id&order=id", "")
			require.Equal(t, http.StatusOK, status)
			require.JSONEq(t, `[{"id":1},{"id":2}]`, body, "MaxRows")

			require.NoError(t, server.Kill())
			_, err = probe.Get(server.RESTURL) //nolint:noctx,bodyclose // there is nobody to answer
			require.ErrorContains(t, err, "refused")
			require.NoError(t, server.Restart(t.Context()))
			status, body = call(t, server, "service_role", "GET", "/things?select=id&id=gt.2", "")
			require.Equal(t, http.StatusOK, status)
			require.JSONEq(t, `[{"id":3}]`, body, "the data that was there before the kill")
		})
	}
}

// On PostgreSQL, what a migration does not grant is not there.
func TestServersOnPostgresHideNoMissingGrant(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{LitePostgres, PostgREST} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server := startREST(t, kind, Options{Migrations: things, StatementTimeout: 2 * time.Second})
			status, body := call(t, server, "service_role", "GET", "/ungranted", "")
			require.Equal(t, http.StatusForbidden, status)
			require.Contains(t, body, "42501")
			status, body = call(t, server, "anon", "GET", "/things", "")
			require.Equal(t, http.StatusUnauthorized, status)
			require.Contains(t, body, "42501")
			require.Equal(t, "postgres=arwdDxt/postgres service_role=arwd/postgres", ask(t, server.DatabaseURL,
				"SELECT array_to_string(relacl, ' ') FROM pg_class WHERE relname = 'things'")[:len("postgres=arwdDxt/postgres service_role=arwd/postgres")])
			status, body = call(t, server, "service_role", "POST", "/rpc/nap", `{"seconds":600}`)
			require.Equal(t, http.StatusInternalServerError, status)
			require.Contains(t, body, "statement timeout")
		})
	}
}

// lite falls over when PostgreSQL goes away in the middle of a statement, and
// comes back.
func TestLiteComesBackAfterPostgres(t *testing.T) {
	t.Parallel()
	postgres := startPostgres(t, PostgresOptions{})
	server, err := Start(t.Context(), LitePostgres, Options{Postgres: postgres, Migrations: things})
	Need(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	for _, how := range []string{Fast, Immediate} {
		lost := make(chan struct{})
		go func() {
			defer close(lost)
			request, err := http.NewRequestWithContext(t.Context(), "POST", server.RESTURL+"/rpc/nap", strings.NewReader(`{"seconds":600}`))
			if err != nil {
				return
			}
			request.Header = server.Header("service_role")
			request.Header.Set("Content-Type", "application/json")
			if response, err := patient.Do(request); err == nil {
				_ = response.Body.Close()
			}
		}()
		require.Eventually(t, func() bool {
			return ask(t, server.DatabaseURL, "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1"
		}, goneLimit, 20*time.Millisecond)
		require.NoError(t, postgres.Shutdown(how))
		<-lost
		require.NoError(t, postgres.Restart(t.Context()))
		require.Eventually(t, func() bool { return server.check(t.Context()) == nil }, goneLimit, 20*time.Millisecond)
	}
}

func TestServerThatDoesNotStartSaysWhy(t *testing.T) {
	t.Parallel()
	bad := fstest.MapFS{"001_bad.sql": {Data: []byte("CREATE TABLE nonsense (id nosuchtype)")}}
	_, err := Start(t.Context(), LitePGlite, Options{Migrations: bad})
	Need(t, ignore(err))
	require.ErrorContains(t, err, "nosuchtype")

	_, err = Start(t.Context(), LitePostgres, Options{})
	Need(t, ignore(err))
	require.ErrorContains(t, err, "Options.Postgres is not set")

	_, err = Start(t.Context(), Given, Options{})
	require.ErrorContains(t, err, "no such kind")
}
