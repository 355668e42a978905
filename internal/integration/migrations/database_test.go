package migrations_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(realserver.Main(m)) }

// A database runs statements and returns the last one's rows as text.
type database interface {
	Query(ctx context.Context, sql string) ([][]*string, error)
}

// databases are what the migrations are proven on: a new, empty one each.
var databases = map[string]func(t *testing.T, withRoles bool) database{
	"PostgreSQL": func(t *testing.T, withRoles bool) database {
		t.Helper()
		server := realserver.SharedPostgres
		if !withRoles {
			server = plainPostgres
		}
		made, err := server(t).NewDatabase(t.Context(), nil)
		require.NoError(t, err)
		session, err := pgx.Connect(t.Context(), made.URL)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, session.Close(context.Background())) })
		return postgres{session}
	},
	"PGlite": func(t *testing.T, withRoles bool) database {
		t.Helper()
		made, err := realserver.StartPGlite(context.Background())
		realserver.Need(t, err)
		t.Cleanup(func() { require.NoError(t, made.Close()) })
		if withRoles {
			run(t, made, "CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role BYPASSRLS; GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role")
		}
		return made
	},
}

// plainPostgres knows nothing of Supabase's roles, which are its server's, not
// its database's.
func plainPostgres(t testing.TB) *realserver.Postgres {
	t.Helper()
	server, err := realserver.StartPostgres(context.Background(), realserver.PostgresOptions{WithoutRoles: true})
	realserver.Need(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	return server
}

type postgres struct{ session *pgx.Conn }

func (p postgres) Query(ctx context.Context, sql string) ([][]*string, error) {
	results, err := p.session.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil || len(results) == 0 {
		return nil, err
	}
	var rows [][]*string
	for _, row := range results[len(results)-1].Rows {
		texts := make([]*string, len(row))
		for i, value := range row {
			if value != nil {
				texts[i] = new(string(value))
			}
		}
		rows = append(rows, texts)
	}
	return rows, nil
}

// run executes statements and returns the last one's rows, NULL as "NULL".
func run(t *testing.T, d database, sql string) [][]string {
	t.Helper()
	rows, err := d.Query(t.Context(), sql)
	require.NoError(t, err, sql)
	texts := [][]string{}
	for _, row := range rows {
		line := make([]string, len(row))
		for i, value := range row {
			line[i] = "NULL"
			if value != nil {
				line[i] = *value
			}
		}
		texts = append(texts, line)
	}
	return texts
}

// refusal returns the SQLSTATE with which statements are refused, or "".
func refusal(t *testing.T, d database, sql string) string {
	t.Helper()
	_, err := d.Query(t.Context(), sql)
	if err == nil {
		return ""
	}
	refused, ok := errors.AsType[*pgconn.PgError](err)
	require.True(t, ok, "%s: %v", sql, err)
	return refused.Code
}

// migrate applies the files, or only those that match the pattern, in order.
func migrate(t *testing.T, d database, pattern string) {
	t.Helper()
	names, err := fs.Glob(migrations.FS, pattern)
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		sql, err := fs.ReadFile(migrations.FS, name)
		require.NoError(t, err)
		_, err = d.Query(t.Context(), string(sql))
		require.NoError(t, err, name)
	}
}
