package migrations_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/migrations"
)

// stateSQL is all that a migration may change, and the settings of the session.
const stateSQL = `
	SELECT c.oid::text, c.relname::text, c.relkind::text, c.relrowsecurity::text, c.relacl::text, c.relfilenode::text, c.xmin::text
	FROM pg_class c WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
	UNION ALL SELECT attrelid::text, attname::text, attnum::text, attnotnull::text, attacl::text, atthasdef::text, '' FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
	UNION ALL SELECT i.indexrelid::text, pg_get_indexdef(i.indexrelid), i.indisvalid::text, '', '', '', i.xmin::text FROM pg_index i WHERE indexrelid >= 16384
	UNION ALL SELECT p.oid::text, proname::text, prosrc, proowner::text, proacl::text, '', p.xmin::text FROM pg_proc p WHERE p.oid >= 16384
	UNION ALL SELECT n.oid::text, nspname::text, nspacl::text, '', '', '', '' FROM pg_namespace n
	UNION ALL SELECT 'settings', current_setting('search_path'), current_setting('lock_timeout'), current_user::text, '', '', ''
	ORDER BY 1, 2, 3`

// runners are how a file may be run. Each returns the first error.
var runners = map[string]func(t *testing.T, d database, sql string) error{
	"at once": func(t *testing.T, d database, sql string) error {
		t.Helper()
		_, err := d.Query(t.Context(), sql)
		return err
	},
	"statement by statement, on after an error": func(t *testing.T, d database, sql string) error {
		t.Helper()
		block, rest, ok := strings.Cut(sql, "\n$migration$;\n")
		require.True(t, ok)
		_, first := d.Query(t.Context(), block+"\n$migration$;")
		_, err := d.Query(t.Context(), rest)
		return errors.Join(first, err)
	},
	"in a transaction": func(t *testing.T, d database, sql string) error {
		t.Helper()
		run(t, d, "BEGIN; SET LOCAL lock_timeout = '7s'")
		if _, err := d.Query(t.Context(), sql); err != nil {
			run(t, d, "ROLLBACK")
			return err
		}
		require.Equal(t, [][]string{{"7s"}}, run(t, d, "SHOW lock_timeout"))
		run(t, d, "COMMIT")
		return nil
	},
}

func files(t *testing.T) (names, texts []string) {
	t.Helper()
	names, err := fs.Glob(migrations.FS, "*.sql")
	require.NoError(t, err)
	for _, name := range names {
		text, err := fs.ReadFile(migrations.FS, name)
		require.NoError(t, err)
		texts = append(texts, string(text))
	}
	return names, texts
}

// requireRefused runs the files, each of which must end with the SQLSTATE and a
// word on what is wrong, and change nothing.
func requireRefused(t *testing.T, d database, pattern, code, message string) {
	t.Helper()
	before := run(t, d, stateSQL)
	names, texts := files(t)
	tried := 0
	for i, name := range names {
		if !strings.Contains(pattern, name[:3]) {
			continue
		}
		for how, runner := range runners {
			refused, ok := errors.AsType[*pgconn.PgError](runner(t, d, texts[i]))
			require.True(t, ok, "%s ran, %s", name, how)
			require.Equal(t, code, refused.Code, "%s: %s", name, refused.Message)
			require.Contains(t, refused.Message, message, name)
			require.Contains(t, strings.ToLower(refused.Message), "nothing was changed", name)
			require.Equal(t, before, run(t, d, stateSQL), "%s, %s", name, how)
		}
		tried++
	}
	require.NotZero(t, tried)
}

// inSchema makes a schema that is the session's only one.
func inSchema(t *testing.T, d database, name string) {
	t.Helper()
	run(t, d, `CREATE SCHEMA "`+name+`"; SET search_path = "`+name+`"`)
}

const (
	every       = "012 013 014 015 016 017"
	othersTable = "42P07" // duplicate_table
	ours        = "service_health_checks (id uuid PRIMARY KEY, service_name varchar(100) NOT NULL, status text NOT NULL, latency_ms integer, " +
		"checked_at timestamptz DEFAULT now(), error_message text, probe_details jsonb, created_at timestamptz DEFAULT now()"
)

// others are tables that are not these, by the SQL that makes them in place of
// 012's, or changes 012's (-- 012).
var others = []struct{ name, sql, message string }{
	{"an app's table of other types", `CREATE TABLE alert_events (id bigint, service_name text, status text, alert_type text, created_at timestamptz);
		GRANT SELECT ON alert_events TO authenticated`, "alert_events is not the table that these migrations make: acknowledged_at is missing"},
	{"one other type", "-- 012\nALTER TABLE service_health_checks ALTER latency_ms TYPE bigint", "latency_ms is bigint, not integer"},
	{"a wider name", "-- 012\nALTER TABLE alert_events ALTER service_name TYPE varchar(200)", "service_name is character varying(200) NOT NULL, not character varying(100) NOT NULL"},
	{"a type of that name", "CREATE DOMAIN jsonb AS pg_catalog.jsonb; CREATE TABLE " + strings.Replace(ours, "jsonb", `"SCHEMA_NAME".jsonb`, 1) + ")", "probe_details is"},
	{"a missing column", "-- 012\nALTER TABLE alert_events DROP resolved_at", "resolved_at is missing"},
	{"a name that may be NULL", "-- 012\nALTER TABLE alert_events ALTER service_name DROP NOT NULL", "service_name is character varying(100), not"},
	{"a message that may not", "-- 012\nALTER TABLE alert_events ALTER message SET NOT NULL", "message is text NOT NULL, not text"},
	{"no default", "-- 012\nALTER TABLE service_health_checks ALTER created_at DROP DEFAULT", "created_at is timestamp with time zone, not timestamp with time zone DEFAULT"},
	{"a column that every row needs", "-- 012\nALTER TABLE service_health_checks ADD region text NOT NULL", "region is text NOT NULL, not nullable or with a default"},
	{"a column that is computed", "CREATE TABLE " + strings.Replace(ours, "latency_ms integer", "latency_ms integer GENERATED ALWAYS AS (1) STORED", 1) + ")", "latency_ms is integer GENERATED, not integer"},
	{"no primary key", "CREATE TABLE " + strings.Replace(ours, "PRIMARY KEY", "NOT NULL", 1) + ")", "its id is not unique"},
	{"a view", "-- 012\nALTER TABLE service_health_checks RENAME TO kept; CREATE VIEW service_health_checks AS SELECT * FROM kept", "service_health_checks is not the table that these migrations make: it is no table"},
	{"a materialized view", "CREATE MATERIALIZED VIEW alert_events AS SELECT 1 AS id", "it is no table"},
	{"a foreign table", `CREATE FOREIGN DATA WRAPPER "SCHEMA_NAME"; CREATE SERVER "SCHEMA_NAME" FOREIGN DATA WRAPPER "SCHEMA_NAME"; CREATE FOREIGN TABLE alert_events (id bigint) SERVER "SCHEMA_NAME"`, "it is no table"},
	{"a sequence", "CREATE SEQUENCE alert_events", "it is no table"},
	{"a composite type", "CREATE TYPE alert_events AS (id uuid)", "it is no table"},
}

func TestTablesOfOthersStayAsTheyAre(t *testing.T) {
	t.Parallel()
	d := databases["PostgreSQL"](t, true)
	for _, other := range others {
		t.Run(other.name, func(t *testing.T) { //nolint:paralleltest // one session
			inSchema(t, d, other.name)
			if strings.HasPrefix(other.sql, "-- 012") {
				migrate(t, d, "012_*.sql")
			}
			run(t, d, strings.ReplaceAll(other.sql, "SCHEMA_NAME", other.name))
			requireRefused(t, d, every, othersTable, other.message)
		})
	}
}

// The tables may have more than 012 gives them.
func TestTablesThatWereChangedAreStillOurs(t *testing.T) {
	t.Parallel()
	d := databases["PostgreSQL"](t, true)
	for what, sql := range map[string]string{
		"more columns": `-- 012
			ALTER TABLE service_health_checks ADD region text, ADD tenant text NOT NULL DEFAULT 'a', ADD serial bigint GENERATED ALWAYS AS IDENTITY,
				ADD name_length int NOT NULL GENERATED ALWAYS AS (length(service_name)) STORED, ADD gone text NOT NULL;
			ALTER TABLE service_health_checks DROP gone`,
		"stricter times": "-- 012\nALTER TABLE service_health_checks ALTER created_at SET NOT NULL, ALTER checked_at SET NOT NULL",
		"more statuses":  "-- 012\nALTER TABLE service_health_checks DROP CONSTRAINT service_health_checks_status_check",
		"partitions": "CREATE TABLE " + strings.Replace(ours, "PRIMARY KEY", "NOT NULL", 1) + `) PARTITION BY RANGE (created_at);
			CREATE TABLE first PARTITION OF service_health_checks FOR VALUES FROM ('-infinity') TO ('infinity')`,
		"tuned indexes": "-- 012\nALTER INDEX idx_alert_events_created_at SET (fillfactor = 70)",
	} {
		t.Run(what, func(t *testing.T) { //nolint:paralleltest // one session
			inSchema(t, d, what)
			if strings.HasPrefix(sql, "-- 012") {
				migrate(t, d, "012_*.sql")
			}
			run(t, d, sql)
			migrate(t, d, "*.sql")
			run(t, d, "SET ROLE service_role; INSERT INTO service_health_checks (id, service_name, status) VALUES (gen_random_uuid(), 'api', 'down')")
			require.Equal(t, [][]string{{"1"}}, run(t, d, "SELECT json_array_length(latest_service_health_checks())::text"))
			run(t, d, "RESET ROLE")
			before := run(t, d, stateSQL)
			migrate(t, d, "*.sql")
			require.Equal(t, before, run(t, d, stateSQL), "again changes nothing")
		})
	}
}

func TestFilesNeedTheTables(t *testing.T) {
	t.Parallel()
	d := databases["PostgreSQL"](t, true)
	inSchema(t, d, "empty")
	requireRefused(t, d, "013 014 015 016 017", "42P01", "there is no table empty.")
	run(t, d, "SET search_path = nowhere")
	requireRefused(t, d, every, "3F000", "no schema of the search_path (nowhere) is there for this role")
	// Those of a schema further on in the path, or of the session, are not meant.
	run(t, d, "SET search_path = empty, public; CREATE TEMP TABLE alert_events (id int)")
	migrate(t, d, "*.sql")
	require.Equal(t, [][]string{{"empty.alert_events"}, {"empty.alert_notifications"}, {"empty.alert_requests"}, {"empty.alert_transitions"}, {"empty.service_health_checks"}, {"empty.service_history_days"}, {"empty.service_history_hours"}},
		run(t, d, "SELECT relnamespace::regnamespace || '.' || relname FROM pg_class WHERE relrowsecurity ORDER BY 1"))
}

// badIndexes: an index of a name of the files that is not theirs.
var badIndexes = []struct{ name, sql, files, code, message string }{
	{
		"left INVALID by a build that was cancelled", "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_alert_events_status'::regclass",
		"012", "55000", "idx_alert_events_status is INVALID: ",
	},
	{
		"not ready yet", "UPDATE pg_index SET indisvalid = false, indisready = false WHERE indexrelid = 'idx_service_health_checks_service_checked_desc'::regclass",
		"014", "55000", "idx_service_health_checks_service_checked_desc is INVALID: ",
	},
	{
		"012's, with other columns", "DROP INDEX idx_alert_events_status; CREATE INDEX idx_alert_events_status ON alert_events (status, id)",
		"012", "42710", "idx_alert_events_status is not the index that these migrations make on alert_events (status)",
	},
	{
		"012's, for some rows", "DROP INDEX idx_alert_events_status; CREATE INDEX idx_alert_events_status ON alert_events (status) WHERE status = 'active'",
		"012", "42710", "idx_alert_events_status is not the index",
	},
	{
		"012's, of another kind", "DROP INDEX idx_alert_events_status; CREATE INDEX idx_alert_events_status ON alert_events USING hash (status)",
		"012", "42710", "idx_alert_events_status is not the index",
	},
	{
		"on another table", "DROP INDEX idx_alert_events_type_created_desc; CREATE TABLE app (status text); CREATE INDEX idx_alert_events_type_created_desc ON app (status)",
		"014", "42710", "idx_alert_events_type_created_desc is not the index",
	},
	{
		"unique", "DROP INDEX idx_alert_events_type_created_desc; CREATE UNIQUE INDEX idx_alert_events_type_created_desc ON alert_events (alert_type, id)",
		"014", "42710", "idx_alert_events_type_created_desc is not the index",
	},
	{
		"no index", "DROP INDEX idx_alert_events_type_created_desc; CREATE TABLE idx_alert_events_type_created_desc (a int)",
		"014", "42710", "idx_alert_events_type_created_desc is not the index",
	},
}

func TestIndexesOfOthersStayAsTheyAre(t *testing.T) {
	t.Parallel()
	d := databases["PostgreSQL"](t, true)
	for _, bad := range badIndexes {
		t.Run(bad.name, func(t *testing.T) { //nolint:paralleltest // one session
			inSchema(t, d, bad.name)
			migrate(t, d, "*.sql")
			run(t, d, bad.sql)
			requireRefused(t, d, bad.files, bad.code, bad.message)
		})
	}
	t.Run("repaired", func(t *testing.T) { //nolint:paralleltest // one session
		inSchema(t, d, "repaired")
		migrate(t, d, "*.sql")
		run(t, d, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_alert_events_status'::regclass")
		requireRefused(t, d, "012", "55000", "REINDEX INDEX CONCURRENTLY repaired.idx_alert_events_status")
		run(t, d, "REINDEX INDEX CONCURRENTLY repaired.idx_alert_events_status")
		migrate(t, d, "*.sql")
	})
}

// The indexes of 014 had no id at their end once.
func TestIndexesWithOtherColumnsAreReplaced(t *testing.T) {
	t.Parallel()
	d := databases["PostgreSQL"](t, true)
	migrate(t, d, "*.sql")
	for _, columns := range []string{
		"service_name, checked_at DESC NULLS LAST", "service_name", "service_name, checked_at DESC, id DESC",
		"service_name text_pattern_ops, checked_at DESC NULLS LAST, id DESC NULLS LAST", `service_name COLLATE "C", checked_at DESC NULLS LAST, id DESC NULLS LAST`,
		"service_name, checked_at DESC NULLS LAST, id DESC NULLS LAST) WHERE (true", "service_name, checked_at DESC NULLS LAST, id DESC NULLS LAST) INCLUDE (status",
	} {
		run(t, d, "DROP INDEX idx_service_health_checks_service_checked_desc; CREATE INDEX idx_service_health_checks_service_checked_desc ON service_health_checks ("+columns+")")
		migrate(t, d, "014_*.sql")
		requireCatalog(t, d)
	}
}

// PGlite is the same PostgreSQL: one of each kind.
func TestGuardsOnPGlite(t *testing.T) {
	t.Parallel()
	d := databases["PGlite"](t, true)
	inSchema(t, d, "other")
	run(t, d, others[0].sql)
	requireRefused(t, d, every, othersTable, others[0].message)

	inSchema(t, d, "empty")
	requireRefused(t, d, "013 014 015 016 017", "42P01", "there is no table empty.")

	inSchema(t, d, "bad")
	migrate(t, d, "*.sql")
	run(t, d, badIndexes[0].sql)
	requireRefused(t, d, badIndexes[0].files, badIndexes[0].code, badIndexes[0].message)
	run(t, d, "REINDEX INDEX idx_alert_events_status; CREATE ROLE stranger; GRANT ALL ON SCHEMA bad TO stranger; SET ROLE stranger")
	requireRefused(t, d, every, denied, "belongs to postgres, whose rights stranger does not have. Nothing was changed. Run this file again as a role that owns the tables")
	run(t, d, "RESET ROLE; GRANT ALL ON ALL TABLES IN SCHEMA bad TO anon; DROP INDEX idx_alert_events_type_created_desc; CREATE INDEX idx_alert_events_type_created_desc ON alert_events (alert_type)")
	migrate(t, d, "*.sql")
	before := run(t, d, stateSQL)
	migrate(t, d, "*.sql")
	require.Equal(t, before, run(t, d, stateSQL), "again changes nothing")
	run(t, d, "SET ROLE service_role; SELECT latest_service_health_checks(); RESET ROLE; GRANT USAGE ON SCHEMA bad TO anon; SET ROLE anon")
	require.Equal(t, denied, refusal(t, d, "SELECT * FROM alert_events"))
}
