package history

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

// A database runs statements and returns the last one's rows as text.
type database interface {
	Query(ctx context.Context, sql string) ([][]*string, error)
}

// databases are new ones with the migrations, of which service_health_checks takes any
// status. The session is the service role's.
var databases = map[string]func(t *testing.T) database{
	"PostgreSQL": func(t *testing.T) database {
		t.Helper()
		made, err := realserver.SharedPostgres(t).NewDatabase(t.Context(), migrations.FS)
		require.NoError(t, err)
		return prepared(t, connect(t, made.URL), "")
	},
	"PostgreSQL that sorts as people do": func(t *testing.T) database {
		t.Helper()
		server := realserver.SharedPostgres(t)
		must(t, connect(t, server.URL()), "CREATE DATABASE sorted TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
		return prepared(t, connect(t, strings.Replace(server.URL(), "/postgres?", "/sorted?", 1)), files(t))
	},
	"PGlite": func(t *testing.T) database {
		t.Helper()
		made, err := realserver.StartPGlite(context.Background())
		realserver.Need(t, err)
		t.Cleanup(func() { require.NoError(t, made.Close()) })
		must(t, made, "CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role BYPASSRLS; GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role")
		return prepared(t, made, files(t))
	},
}

func files(t *testing.T) string {
	t.Helper()
	names, err := fs.Glob(migrations.FS, "*.sql")
	require.NoError(t, err)
	var all strings.Builder
	for _, name := range names {
		text, err := fs.ReadFile(migrations.FS, name)
		require.NoError(t, err)
		all.Write(text)
	}
	return all.String()
}

func prepared(t *testing.T, d database, sql string) database {
	t.Helper()
	must(t, d, sql+`; ALTER TABLE service_health_checks DROP CONSTRAINT service_health_checks_status_check; SET timezone = 'Asia/Kathmandu';
		GRANT USAGE ON SCHEMA public TO service_role; SET ROLE service_role`)
	return d
}

type postgres struct{ session *pgx.Conn }

func connect(t *testing.T, url string) postgres {
	t.Helper()
	session, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close(context.Background())) })
	return postgres{session}
}

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

// reporter is a *testing.T or a *rapid.T.
type reporter interface {
	require.TestingT
	Context() context.Context
	Helper()
}

func must(t reporter, d database, sql string) [][]*string {
	t.Helper()
	rows, err := d.Query(t.Context(), sql)
	require.NoError(t, err, sql)
	return rows
}

// call calls a function, with arguments by name as SQL, and decodes its JSON.
func call[T any](t reporter, d database, function string, arguments ...any) (answer T) {
	t.Helper()
	var named []string
	for pair := range slices.Chunk(arguments, 2) {
		named = append(named, fmt.Sprint(pair[0], " => ", pair[1]))
	}
	rows := must(t, d, fmt.Sprintf("SELECT %s(%s)::text", function, strings.Join(named, ", ")))
	require.NoError(t, json.Unmarshal([]byte(*rows[0][0]), &answer), function)
	return answer
}

const null = "NULL"

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func moment(t time.Time) string {
	if t.IsZero() {
		return null
	}
	return quote(t.UTC().Format(time.RFC3339Nano))
}

// array writes an array of a type, or NULL for nil.
func array[E any](elements []E, write func(E) string, of string) string {
	if elements == nil {
		return null
	}
	written := make([]string, len(elements))
	for i, e := range elements {
		written[i] = write(e)
	}
	return "ARRAY[" + strings.Join(written, ", ") + "]::" + of + "[]"
}
