package realserver

import (
	"context"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// ask returns the one text that a query gives.
func ask(t *testing.T, url, sql string) string {
	t.Helper()
	session, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close(context.WithoutCancel(t.Context()))) }()
	var text string
	require.NoError(t, session.QueryRow(t.Context(), sql).Scan(&text))
	return text
}

func startPostgres(t *testing.T, options PostgresOptions) *Postgres {
	t.Helper()
	server, err := StartPostgres(t.Context(), options)
	Need(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	return server
}

func TestPostgresIsLikeSupabase(t *testing.T) {
	t.Parallel()
	database, err := SharedPostgres(t).NewDatabase(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "anon,authenticated,authenticator,service_role", ask(t, database.URL,
		"SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"))
	require.Equal(t, "service_role", ask(t, database.URL,
		"SELECT string_agg(rolname, ',') FROM pg_roles WHERE rolbypassrls AND NOT rolsuper"))
	require.Equal(t, "authenticator", ask(t, database.AuthenticatorURL, "SELECT current_user::text"))
	require.Equal(t, "8s", ask(t, database.AuthenticatorURL, "SHOW statement_timeout"))
	require.Equal(t, "UTC", ask(t, database.URL, "SHOW timezone"))
	require.Equal(t, "on", ask(t, database.URL, "SHOW synchronous_commit"))
	require.NoError(t, run(t.Context(), database.AuthenticatorURL, "SET ROLE service_role"))

	require.NoError(t, run(t.Context(), database.URL, "CREATE TABLE fresh (id int)"))
	for _, role := range []string{"anon", "authenticated", "service_role"} {
		require.Equal(t, "false", ask(t, database.URL, "SELECT has_table_privilege('"+role+"', 'fresh', "+
			"'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')::text"))
		require.Equal(t, "true", ask(t, database.URL, "SELECT has_schema_privilege('"+role+"', 'public', 'USAGE')::text"))
	}
}

func TestPostgresWithoutRolesAndWithSettings(t *testing.T) {
	t.Parallel()
	server := startPostgres(t, PostgresOptions{WithoutRoles: true, Settings: map[string]string{"work_mem": "5MB"}})
	require.Equal(t, "0", ask(t, server.URL(), "SELECT count(*)::text FROM pg_roles WHERE rolname IN ('anon', 'service_role', 'authenticator')"))
	require.Equal(t, "5MB", ask(t, server.URL(), "SHOW work_mem"))
	database, err := server.NewDatabase(t.Context(), things)
	require.NoError(t, err)
	require.Equal(t, "0", ask(t, database.URL, "SELECT count(*)::text FROM things"))
}

func TestDatabasesAreTheirOwn(t *testing.T) {
	t.Parallel()
	server := SharedPostgres(t)
	var wait sync.WaitGroup
	databases := make([]*Database, 8)
	errs := make([]error, len(databases))
	for i := range databases {
		wait.Go(func() { databases[i], errs[i] = server.NewDatabase(t.Context(), things) })
	}
	wait.Wait()
	for i := range databases {
		require.NoError(t, errs[i])
		require.NoError(t, run(t.Context(), databases[i].URL, "INSERT INTO things VALUES (1, 'a')"))
		require.NoError(t, databases[i].Drop(t.Context()))
	}
	_, err := server.NewDatabase(t.Context(), fstest.MapFS{"1.sql": {Data: []byte("SELECT nothing")}})
	require.ErrorContains(t, err, `1.sql: ERROR: column "nothing" does not exist`)
}

func TestStatementTimeout(t *testing.T) {
	t.Parallel()
	database, err := SharedPostgres(t).NewDatabase(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, database.SetStatementTimeout(t.Context(), 50*time.Millisecond))
	err = run(t.Context(), database.AuthenticatorURL, "SELECT pg_sleep(600)")
	require.ErrorContains(t, err, "57014")
	require.Equal(t, "0", ask(t, database.URL, "SHOW statement_timeout"), "the owner has none")
}

func TestPostgresComesBackWithWhatWasCommitted(t *testing.T) {
	t.Parallel()
	server := startPostgres(t, PostgresOptions{})
	database, err := server.NewDatabase(t.Context(), things)
	require.NoError(t, err)
	for _, how := range []string{Fast, Immediate} {
		require.NoError(t, run(t.Context(), database.URL, "INSERT INTO things SELECT count(*), 'a' FROM things"))
		require.NoError(t, server.Shutdown(how))
		require.Error(t, run(t.Context(), database.URL, "SELECT 1"))
		require.NoError(t, server.Restart(t.Context()))
	}
	require.Equal(t, "2", ask(t, database.URL, "SELECT count(*)::text FROM things"))
	require.ErrorContains(t, server.Shutdown("TERM"), "neither")
}

func TestPostgresThatDoesNotStartSaysWhy(t *testing.T) {
	t.Parallel()
	_, err := StartPostgres(t.Context(), PostgresOptions{Settings: map[string]string{"max_connections": "many"}})
	Need(t, ignore(err))
	require.ErrorContains(t, err, `invalid value for parameter "max_connections": "many"`)
}
