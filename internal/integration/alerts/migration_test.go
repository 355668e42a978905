package alerts

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

const file = "016_create_alert_functions.sql"

// before are the migrations that this one builds on.
func before(t *testing.T) fs.FS {
	t.Helper()
	names, err := fs.Glob(migrations.FS, "*.sql")
	require.NoError(t, err)
	earlier := fstest.MapFS{}
	for _, name := range names {
		if name < file {
			text, err := fs.ReadFile(migrations.FS, name)
			require.NoError(t, err)
			earlier[name] = &fstest.MapFile{Data: text}
		}
	}
	return earlier
}

// migrate runs the file as psql -f does: what it sends is several statements.
func migrate(ctx context.Context, s session) error {
	text, err := fs.ReadFile(migrations.FS, file)
	if err != nil {
		return err
	}
	_, err = s.PgConn().Exec(ctx, string(text)).ReadAll()
	return err
}

// catalog is all that the migration may change, with the transaction that did.
func catalog(t *testing.T, s session) (lines []string) {
	t.Helper()
	return column(t, s, `SELECT l FROM (
		SELECT concat_ws(' ', c.oid, relname, relrowsecurity, relacl, relfilenode, c.xmin) FROM pg_class c WHERE c.oid >= 16384 AND relkind <> 't'
		UNION ALL SELECT concat_ws(' ', attrelid, attname, attnum, attacl) FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
		UNION ALL SELECT concat_ws(' ', p.oid, proname, md5(prosrc), proacl, p.xmin) FROM pg_proc p WHERE p.oid >= 16384
		UNION ALL SELECT concat_ws(' ', t.oid, tgname, tgenabled) FROM pg_trigger t
		UNION ALL SELECT concat_ws(' ', indexrelid, indisvalid, i.xmin) FROM pg_index i WHERE indexrelid >= 16384
	) all_of_it (l) ORDER BY 1`)
}

func TestMigrationStopsBeforeItChangesAnything(t *testing.T) {
	t.Parallel()
	earlier := before(t)
	for name, test := range map[string]struct{ setUp, code, says string }{
		"no table": {"DROP TABLE alert_events", "42P01", "run 012"},
		"a partitioned one": {`DROP TABLE alert_events; CREATE TABLE alert_events (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), service_name VARCHAR(100) NOT NULL,
			alert_type TEXT NOT NULL, status TEXT NOT NULL, message TEXT, details JSONB, created_at TIMESTAMPTZ DEFAULT now(), acknowledged_at TIMESTAMPTZ,
			resolved_at TIMESTAMPTZ) PARTITION BY HASH (id)`, "42809", "partitioned"},
		"somebody else's alert_events": {"DROP TABLE alert_events; CREATE TABLE alert_events (id BIGINT PRIMARY KEY)", "42P07", "not the table that these migrations make"},
		"somebody else's history":      {"CREATE TABLE alert_transitions (id BIGINT PRIMARY KEY, what TEXT)", "42P07", "request_id uuid is missing"},
		"a history that wants more": {`CREATE TABLE alert_transitions (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, alert_id UUID, at TIMESTAMPTZ, from_status TEXT,
			to_status TEXT, by TEXT, reason TEXT, request_id UUID, tenant INT NOT NULL)`, "42P07", "tenant integer is not expected"},
		"a view in the way": {`CREATE VIEW alert_requests AS SELECT gen_random_uuid() AS id, '{}'::jsonb AS call, now() AS called_at`, "42P07", "it is no table"},
		"another dedup_key": {"ALTER TABLE alert_events ADD COLUMN dedup_key INTEGER", "42P07", "dedup_key integer is not expected"},
		"another index of that name": {
			"CREATE INDEX idx_alert_events_one_open_per_key ON alert_events (status)",
			"42710", "not the index that these migrations make",
		},
		"a table of the index's name": {"CREATE TABLE idx_alert_events_resolved ()", "42710", "not the index"},
		"an invalid index": {`CREATE INDEX idx_alert_events_resolved ON alert_events (coalesce(resolved_at, created_at)) WHERE status = 'resolved';
			UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_alert_events_resolved'::regclass`, "55000", "REINDEX INDEX CONCURRENTLY"},
		"two open alerts of a key": {`ALTER TABLE alert_events ADD COLUMN dedup_key VARCHAR(200);
			INSERT INTO alert_events (service_name, alert_type, status, dedup_key) SELECT 'api', 'service_down', 'active', 'k' FROM generate_series(1, 2)`, "23505", "one_open_per_key"},
		"a role that is not the owner": {
			"CREATE ROLE somebody; GRANT ALL ON ALL TABLES IN SCHEMA public TO somebody; GRANT ALL ON SCHEMA public TO somebody; SET ROLE somebody",
			"42501", "as a role that owns the tables",
		},
		"an owner of nothing else": {
			"CREATE ROLE poor; ALTER TABLE alert_events OWNER TO poor; ALTER TABLE service_health_checks OWNER TO poor; REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO poor; SET ROLE poor",
			"42501", "as a role that owns the tables and schema",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			owner := open(t, newDatabase(t, earlier).URL)
			_, err := owner.PgConn().Exec(t.Context(), test.setUp).ReadAll()
			require.NoError(t, err)
			was := catalog(t, owner)
			refusal, ok := errors.AsType[*pgconn.PgError](migrate(t.Context(), owner))
			require.True(t, ok)
			require.Equal(t, test.code, refusal.Code, refusal.Message)
			require.Contains(t, refusal.Message, test.says)
			require.Equal(t, was, catalog(t, owner), "nothing has changed")
		})
	}
	t.Cleanup(func() {
		owner, err := connect(context.Background(), realserver.SharedPostgres(t).URL())
		require.NoError(t, err)
		_, err = owner.Exec(context.Background(), "DROP ROLE IF EXISTS somebody, poor")
		require.NoError(t, errors.Join(err, owner.Close(context.Background())))
	})
}

func TestMigrationOverRows(t *testing.T) {
	t.Parallel()
	owner := open(t, newDatabase(t, before(t)).URL)
	owner.exec(t, `INSERT INTO alert_events (service_name, alert_type, status) SELECT 'svc-' || n % 3, 'service_down', (ARRAY['active', 'acknowledged', 'resolved'])[1 + n % 3]
		FROM generate_series(1, 1000) n`)
	rows := func() []string {
		return column(t, owner, `SELECT concat_ws(' ', xmin, id, service_name, alert_type, status, created_at, acknowledged_at, resolved_at) FROM alert_events ORDER BY id`)
	}
	was := rows()
	require.NoError(t, migrate(t.Context(), owner))
	require.Equal(t, was, rows(), "no row is another")
	once := catalog(t, owner)
	require.NoError(t, migrate(t.Context(), owner))
	require.Equal(t, once, catalog(t, owner), "again, it changes nothing")

	// What the catalog lacks, it makes, and only that.
	owner.exec(t, "DROP INDEX idx_alert_transitions_request")
	owner.exec(t, "REVOKE ALL ON alert_requests FROM service_role")
	owner.exec(t, "GRANT ALL ON FUNCTION raise_alert TO PUBLIC")
	owner.exec(t, "DROP TRIGGER record_alert_transition ON alert_events")
	owner.exec(t, "DROP FUNCTION alert_history")
	require.NoError(t, migrate(t.Context(), owner))
	require.Len(t, catalog(t, owner), len(once))
	require.Equal(t, 1, owner.count(t, "SELECT count(*) FROM pg_trigger WHERE tgname = 'record_alert_transition'"))
	owner.exec(t, "SET ROLE service_role")
	require.Len(t, resolve(t, owner, down("svc-0", "request_id", newID())), 333)
}

// Beside who reads and writes, the first run gives up after a second, and a later
// one does not notice them, nor they it.
func TestMigrationBesideOthers(t *testing.T) {
	t.Parallel()
	made := newDatabase(t, before(t))
	owner, writer, third := open(t, made.URL), open(t, made.URL), open(t, made.URL)
	insert := "INSERT INTO alert_events (service_name, alert_type, status) VALUES ('api', 'service_down', 'active')"
	writer.exec(t, "BEGIN")
	writer.exec(t, insert)
	was := catalog(t, owner)
	err := migrate(t.Context(), owner)
	require.Equal(t, "55P03", code(err))
	require.ErrorContains(t, err, "when nobody holds a lock")
	require.Equal(t, was, catalog(t, owner))
	writer.exec(t, "COMMIT")
	require.NoError(t, migrate(t.Context(), owner))

	writer.exec(t, "BEGIN")
	writer.exec(t, insert)
	third.exec(t, "SET lock_timeout = '1s'")
	owner.exec(t, "BEGIN")
	require.NoError(t, migrate(t.Context(), owner))
	third.exec(t, insert)
	third.exec(t, "SELECT FROM alert_events")
	owner.exec(t, "COMMIT")
	writer.exec(t, "COMMIT")
}

func TestMigrationInASchemaOfItsOwn(t *testing.T) {
	t.Parallel()
	owner := open(t, newDatabase(t, all).URL)
	_, err := owner.PgConn().Exec(t.Context(), `CREATE SCHEMA "Mon itor"; SET search_path = "Mon itor"`).ReadAll()
	require.NoError(t, err)
	for _, files := range []fs.FS{before(t), fstest.MapFS{file: &fstest.MapFile{Data: text(t)}}} {
		names, err := fs.Glob(files, "*.sql")
		require.NoError(t, err)
		for _, name := range names {
			sql, err := fs.ReadFile(files, name)
			require.NoError(t, err)
			_, err = owner.PgConn().Exec(t.Context(), string(sql)).ReadAll()
			require.NoError(t, err, name)
		}
	}
	once := catalog(t, owner)
	require.NoError(t, migrate(t.Context(), owner))
	require.Equal(t, once, catalog(t, owner))
	owner.exec(t, `GRANT USAGE ON SCHEMA "Mon itor" TO service_role`)
	owner.exec(t, "SET search_path = public")
	owner.exec(t, "SET ROLE service_role")
	id := newID()
	said, err := decode[answer](owner.call(t.Context(), `"Mon itor".raise_alert`, down("api", "id", id)))
	require.NoError(t, err)
	require.True(t, said.Opened)
	claimed, err := decode[[]notification](owner.call(t.Context(), `"Mon itor".claim_alert_notifications`, args{"request_id": newID()}))
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	require.Empty(t, history(t, owner, id), "public has its own")
}

func text(t *testing.T) []byte {
	t.Helper()
	sql, err := fs.ReadFile(migrations.FS, file)
	require.NoError(t, err)
	return sql
}

// Only the service role may call the functions, and nobody writes the history.
func TestPrivileges(t *testing.T) {
	t.Parallel()
	owner := open(t, newDatabase(t, nil).URL)
	_, err := owner.PgConn().Exec(t.Context(), `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role;
		ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
		ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO anon, authenticated, service_role`).ReadAll()
	require.NoError(t, err)
	names, err := fs.Glob(migrations.FS, "*.sql")
	require.NoError(t, err)
	for _, name := range names {
		sql, err := fs.ReadFile(migrations.FS, name)
		require.NoError(t, err)
		_, err = owner.PgConn().Exec(t.Context(), string(sql)).ReadAll()
		require.NoError(t, err, name)
	}
	require.Equal(t, []string{
		"alert_events DELETE INSERT SELECT UPDATE", "alert_notifications SELECT UPDATE", "alert_requests DELETE INSERT SELECT UPDATE", "alert_transitions SELECT",
	}, column(t, owner, `SELECT concat_ws(' ', relname, string_agg(privilege_type, ' ' ORDER BY privilege_type)) FROM pg_class c CROSS JOIN aclexplode(relacl) a
		WHERE relname LIKE 'alert%' AND a.grantee <> relowner AND a.grantee = 'service_role'::regrole GROUP BY relname ORDER BY 1`))
	require.Empty(t, column(t, owner, `SELECT relname || ' ' || a.grantee::text FROM pg_class c CROSS JOIN aclexplode(relacl) a
		WHERE relname LIKE 'alert%' AND a.grantee NOT IN (relowner, 'service_role'::regrole)`))
	require.Equal(t, []string{"alert_notifications", "alert_requests", "alert_transitions"}, column(t, owner,
		"SELECT relname::text FROM pg_class WHERE relrowsecurity AND relname LIKE 'alert_%s' AND relname <> 'alert_events' AND relkind = 'r' ORDER BY 1"))
	functions := column(t, owner, "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE '%alert%' ORDER BY 1")
	require.Len(t, functions, 10)
	for _, function := range functions {
		trigger := owner.count(t, "SELECT count(*) FROM pg_proc WHERE oid = $1::regprocedure AND prorettype = 'trigger'::regtype", function)
		for role, want := range map[string]int{"anon": 0, "authenticated": 0, "service_role": 1 - trigger} {
			require.Equal(t, want, owner.count(t, "SELECT has_function_privilege($1, $2, 'EXECUTE')::int", role, function), "%s: %s", role, function)
		}
		require.Equal(t, 1, owner.count(t, `SELECT count(*) FROM pg_proc WHERE oid = $1::regprocedure AND proconfig[1] = 'search_path=""'
			AND prosecdef = (proname = 'record_alert_transition')`, function), function)
	}
	// The trigger writes for whoever may write alerts, and only for them.
	owner.exec(t, "GRANT INSERT ON alert_events TO authenticated")
	owner.exec(t, "CREATE POLICY everyone ON alert_events FOR INSERT TO authenticated WITH CHECK (true)")
	owner.exec(t, "SET ROLE authenticated")
	owner.exec(t, "INSERT INTO alert_events (service_name, alert_type, status, dedup_key) VALUES ('api', 'service_down', 'active', 'k')")
	owner.exec(t, "RESET ROLE")
	require.Equal(t, 1, owner.count(t, "SELECT count(*) FROM alert_transitions"))
	owner.exec(t, "SET ROLE service_role")
	for _, sql := range []string{"INSERT INTO alert_transitions (alert_id, at, to_status) SELECT id, now(), 'resolved' FROM alert_events", "UPDATE alert_transitions SET by = 'me'", "DELETE FROM alert_transitions", "TRUNCATE alert_events CASCADE"} {
		_, err := owner.Exec(t.Context(), sql)
		require.Equal(t, "42501", code(err), sql)
	}
	owner.exec(t, "SET search_path = pg_temp")
	owner.exec(t, "CREATE TEMP TABLE alert_notifications (LIKE public.alert_notifications)")
	claimed, err := decode[[]notification](owner.call(t.Context(), "public.claim_alert_notifications", args{"request_id": newID()}))
	require.NoError(t, err)
	require.Len(t, claimed, 1, "no search_path leads them to other tables")
}

// What PGlite, PostgreSQL in WASM, makes of it.
func TestOnPGlite(t *testing.T) {
	t.Parallel()
	lite, err := realserver.StartPGlite(context.Background())
	realserver.Need(t, err)
	t.Cleanup(func() { require.NoError(t, lite.Close()) })
	query := func(sql string) []string {
		t.Helper()
		rows, err := lite.Query(t.Context(), sql)
		require.NoError(t, err, sql)
		var values []string
		for _, row := range rows {
			if row[0] != nil {
				values = append(values, *row[0])
			}
		}
		return values
	}
	names, err := fs.Glob(migrations.FS, "*.sql")
	require.NoError(t, err)
	for range 2 {
		for _, name := range names {
			sql, err := fs.ReadFile(migrations.FS, name)
			require.NoError(t, err)
			query(string(sql))
		}
	}
	was := query("SELECT proname || xmin FROM pg_proc WHERE oid >= 16384 ORDER BY 1")
	query(string(text(t)))
	require.Equal(t, was, query("SELECT proname || xmin FROM pg_proc WHERE oid >= 16384 ORDER BY 1"), "on its version too")
	id, request := newID(), newID()
	require.Contains(t, query("SELECT raise_alert('" + id + "', 'api', 'service_down')::text")[0], `"opened" : true`)
	require.Len(t, query("SELECT json_array_elements(claim_alert_notifications('"+request+"'))->>'kind'"), 1)
	require.Equal(t, []string{"true"}, query("SELECT confirm_alert_notification('"+id+"', 'opened', '"+request+"')::text"))
	require.Contains(t, query("SELECT transition_alert('" + newID() + "', '" + id + "', 'acknowledged', 'ann')::text")[0], `"changed" : true`)
	require.Len(t, query("SELECT json_array_elements(resolve_open_alerts('"+newID()+"', 'api', 'service_down'))"), 1)
	require.Len(t, query("SELECT json_array_elements(alert_history('"+id+"'))"), 3)
	require.Contains(t, query("SELECT alert_response_times()::text")[0], `"resolved" : 1`)
	require.Contains(t, query("SELECT delete_resolved_alerts(0)::text")[0], `"deleted" : 1`)
}
