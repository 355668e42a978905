package migrations_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
)

const (
	columnsSQL = `SELECT column_name, format_type(a.atttypid, a.atttypmod), is_nullable, column_default
		FROM information_schema.columns c JOIN pg_attribute a ON a.attrelid = (quote_ident(c.table_name))::regclass AND a.attname = c.column_name
		WHERE table_schema = 'public' AND table_name = '%s' ORDER BY ordinal_position`
	constraintsSQL = `SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint
		WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'p', 'u', 'f', 'x') ORDER BY 1, 2`
	indexesSQL  = `SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname`
	securitySQL = `SELECT relname::text, relrowsecurity::text, relforcerowsecurity::text, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid)::text
		FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`
	// information_schema does not show MAINTAIN.
	grantsSQL = `SELECT relname::text, coalesce(rolname, 'PUBLIC')::text, string_agg(privilege_type, ' ' ORDER BY privilege_type)
		FROM pg_class c CROSS JOIN aclexplode(relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND a.grantee <> relowner GROUP BY 1, 2 ORDER BY 1, 2`
	functionsSQL = `SELECT p.oid::regprocedure::text, prorettype::regtype::text, lanname::text, provolatile::text, prosecdef::text, array_to_string(proconfig, ',')
		FROM pg_proc p JOIN pg_language l ON l.oid = prolang WHERE pronamespace = 'public'::regnamespace ORDER BY 1`
)

// wantColumns: name, type, whether it may be NULL, default.
var wantColumns = map[string][][]string{
	"service_health_checks": {
		{"id", "uuid", "NO", "gen_random_uuid()"},
		{"service_name", "character varying(100)", "NO", "NULL"},
		{"status", "text", "NO", "NULL"},
		{"latency_ms", "integer", "YES", "NULL"},
		{"checked_at", "timestamp with time zone", "YES", "CURRENT_TIMESTAMP"},
		{"error_message", "text", "YES", "NULL"},
		{"probe_details", "jsonb", "YES", "NULL"},
		{"created_at", "timestamp with time zone", "YES", "CURRENT_TIMESTAMP"},
	},
	"alert_events": {
		{"id", "uuid", "NO", "gen_random_uuid()"},
		{"service_name", "character varying(100)", "NO", "NULL"},
		{"alert_type", "text", "NO", "NULL"},
		{"status", "text", "NO", "NULL"},
		{"message", "text", "YES", "NULL"},
		{"details", "jsonb", "YES", "NULL"},
		{"created_at", "timestamp with time zone", "YES", "CURRENT_TIMESTAMP"},
		{"acknowledged_at", "timestamp with time zone", "YES", "NULL"},
		{"resolved_at", "timestamp with time zone", "YES", "NULL"},
		{"dedup_key", "character varying(200)", "YES", "NULL"},
	},
	"alert_transitions": {
		{"id", "bigint", "NO", "NULL"},
		{"alert_id", "uuid", "NO", "NULL"},
		{"at", "timestamp with time zone", "NO", "NULL"},
		{"from_status", "text", "YES", "NULL"},
		{"to_status", "text", "NO", "NULL"},
		{"by", "text", "YES", "NULL"},
		{"reason", "text", "YES", "NULL"},
		{"request_id", "uuid", "YES", "NULL"},
	},
	"alert_notifications": {
		{"alert_id", "uuid", "NO", "NULL"},
		{"next", "text", "YES", "NULL"},
		{"since", "timestamp with time zone", "NO", "NULL"},
		{"leased", "text", "YES", "NULL"},
		{"leased_until", "timestamp with time zone", "YES", "NULL"},
		{"opened_by", "uuid", "YES", "NULL"},
		{"resolved_by", "uuid", "YES", "NULL"},
		{"reminder_by", "uuid", "YES", "NULL"},
	},
	"service_history_hours": {
		{"service_name", "character varying(100)", "NO", "NULL"},
		{"hour", "timestamp with time zone", "NO", "NULL"},
		{"healthy", "bigint", "NO", "0"},
		{"degraded", "bigint", "NO", "0"},
		{"down", "bigint", "NO", "0"},
		{"checks", "bigint", "NO", "0"},
		{"sum_ms", "bigint", "NO", "0"},
		{"min_ms", "integer", "YES", "NULL"},
		{"max_ms", "integer", "YES", "NULL"},
		{"counts", "integer[]", "NO", "'{}'::integer[]"},
	},
	"service_history_days": {
		{"service_name", "character varying(100)", "NO", "NULL"},
		{"day", "timestamp with time zone", "NO", "NULL"},
		{"stale", "boolean", "NO", "true"},
		{"checks", "bigint", "NO", "0"},
		{"sum_ms", "bigint", "NO", "0"},
		{"min_ms", "integer", "YES", "NULL"},
		{"max_ms", "integer", "YES", "NULL"},
		{"counts", "integer[]", "NO", "'{}'::integer[]"},
	},
	"alert_requests": {
		{"id", "uuid", "NO", "NULL"},
		{"call", "jsonb", "NO", "NULL"},
		{"called_at", "timestamp with time zone", "NO", "CURRENT_TIMESTAMP"},
	},
}

var wantConstraints = [][]string{
	{"alert_events", "alert_events_alert_type_check", "CHECK ((alert_type = ANY (ARRAY['service_down'::text, 'service_degraded'::text, 'recovery'::text])))"},
	{"alert_events", "alert_events_pkey", "PRIMARY KEY (id)"},
	{"alert_events", "alert_events_status_check", "CHECK ((status = ANY (ARRAY['active'::text, 'acknowledged'::text, 'resolved'::text])))"},
	{"alert_notifications", "alert_notifications_alert_id_fkey", "FOREIGN KEY (alert_id) REFERENCES alert_events(id) ON DELETE CASCADE"},
	{"alert_notifications", "alert_notifications_next_check", "CHECK ((next = ANY (ARRAY['opened'::text, 'resolved'::text, 'reminder'::text])))"},
	{"alert_notifications", "alert_notifications_pkey", "PRIMARY KEY (alert_id)"},
	{"alert_requests", "alert_requests_pkey", "PRIMARY KEY (id)"},
	{"alert_transitions", "alert_transitions_alert_id_fkey", "FOREIGN KEY (alert_id) REFERENCES alert_events(id) ON DELETE CASCADE"},
	{"alert_transitions", "alert_transitions_pkey", "PRIMARY KEY (id)"},
	{"service_health_checks", "service_health_checks_pkey", "PRIMARY KEY (id)"},
	{"service_health_checks", "service_health_checks_status_check", "CHECK ((status = ANY (ARRAY['healthy'::text, 'degraded'::text, 'down'::text])))"},
	{"service_history_days", "service_history_days_pkey", "PRIMARY KEY (service_name, day)"},
	{"service_history_hours", "service_history_hours_pkey", "PRIMARY KEY (service_name, hour)"},
}

var wantIndexes = [][]string{
	{"CREATE UNIQUE INDEX alert_events_pkey ON public.alert_events USING btree (id)"},
	{"CREATE UNIQUE INDEX alert_notifications_pkey ON public.alert_notifications USING btree (alert_id)"},
	{"CREATE UNIQUE INDEX alert_requests_pkey ON public.alert_requests USING btree (id)"},
	{"CREATE UNIQUE INDEX alert_transitions_pkey ON public.alert_transitions USING btree (id)"},
	{"CREATE INDEX idx_alert_events_created_at ON public.alert_events USING btree (created_at)"},
	{"CREATE UNIQUE INDEX idx_alert_events_one_open_per_key ON public.alert_events USING btree (service_name, dedup_key) WHERE (status <> 'resolved'::text)"},
	{"CREATE INDEX idx_alert_events_resolved ON public.alert_events USING btree (COALESCE(resolved_at, created_at)) WHERE (status = 'resolved'::text)"},
	{"CREATE INDEX idx_alert_events_service_created_desc ON public.alert_events USING btree (service_name, created_at DESC NULLS LAST, id DESC NULLS LAST)"},
	{"CREATE INDEX idx_alert_events_service_status ON public.alert_events USING btree (service_name, status)"},
	{"CREATE INDEX idx_alert_events_service_status_created_desc ON public.alert_events USING btree (service_name, status, created_at DESC NULLS LAST, id DESC NULLS LAST)"},
	{"CREATE INDEX idx_alert_events_service_type_created_desc ON public.alert_events USING btree (service_name, alert_type, created_at DESC NULLS LAST, id DESC NULLS LAST)"},
	{"CREATE INDEX idx_alert_events_status ON public.alert_events USING btree (status)"},
	{"CREATE INDEX idx_alert_events_status_created_desc ON public.alert_events USING btree (status, created_at DESC NULLS LAST, id DESC NULLS LAST)"},
	{"CREATE INDEX idx_alert_events_type_created_desc ON public.alert_events USING btree (alert_type, created_at DESC NULLS LAST, id DESC NULLS LAST)"},
	{"CREATE INDEX idx_alert_notifications_next ON public.alert_notifications USING btree (next, since, alert_id) WHERE (next IS NOT NULL)"},
	{"CREATE INDEX idx_alert_requests_called_at ON public.alert_requests USING btree (called_at)"},
	{"CREATE INDEX idx_alert_transitions_alert ON public.alert_transitions USING btree (alert_id, id)"},
	{"CREATE INDEX idx_alert_transitions_request ON public.alert_transitions USING btree (request_id) WHERE (request_id IS NOT NULL)"},
	{"CREATE INDEX idx_service_health_checks_checked_desc ON public.service_health_checks USING btree (checked_at DESC, id DESC)"},
	{"CREATE INDEX idx_service_health_checks_created_at ON public.service_health_checks USING btree (created_at)"},
	{"CREATE INDEX idx_service_health_checks_service_checked_desc ON public.service_health_checks USING btree (service_name, checked_at DESC NULLS LAST, id DESC NULLS LAST)"},
	{"CREATE INDEX idx_service_health_checks_service_created ON public.service_health_checks USING btree (service_name, created_at)"},
	{"CREATE INDEX idx_service_health_checks_service_created_desc ON public.service_health_checks USING btree (service_name, created_at DESC NULLS LAST, id DESC NULLS LAST)"},
	{"CREATE INDEX idx_service_health_checks_states ON public.service_health_checks USING btree (service_name, status, checked_at)"},
	{"CREATE INDEX idx_service_health_checks_status_checked_desc ON public.service_health_checks USING btree (status, checked_at DESC NULLS LAST, id DESC NULLS LAST)"},
	{"CREATE INDEX idx_service_health_checks_status_created_desc ON public.service_health_checks USING btree (status, created_at DESC NULLS LAST, id DESC NULLS LAST)"},
	{"CREATE UNIQUE INDEX service_health_checks_pkey ON public.service_health_checks USING btree (id)"},
	{"CREATE UNIQUE INDEX service_history_days_pkey ON public.service_history_days USING btree (service_name, day)"},
	{"CREATE UNIQUE INDEX service_history_hours_pkey ON public.service_history_hours USING btree (service_name, hour)"},
}

// wantFunctions: arguments, result, language, whether it is stable, a definer's, its settings.
var wantFunctions = [][]string{
	{"add_counts(integer[],integer[])", "integer[]", "plpgsql", "i", "false", `search_path=""`},
	{"alert_history(uuid)", "json", "sql", "s", "false", `search_path=""`},
	{"alert_response_times(text,text,timestamp with time zone,timestamp with time zone)", "json", "plpgsql", "s", "false", `search_path="",plan_cache_mode=force_custom_plan`},
	{"claim_alert_notifications(uuid,bigint,bigint,integer)", "json", "plpgsql", "v", "false", `search_path=""`},
	{"confirm_alert_notification(uuid,text,uuid)", "json", "plpgsql", "v", "false", `search_path=""`},
	{"count_latencies(integer[])", "integer[]", "plpgsql", "i", "false", `search_path=""`},
	{"delete_resolved_alerts(integer,integer)", "json", "plpgsql", "v", "false", `search_path=""`},
	{"delete_service_history(integer,integer)", "json", "plpgsql", "v", "true", `search_path=""`},
	{"forget_alert_requests()", "trigger", "plpgsql", "v", "false", `search_path=""`},
	{"keep_service_history()", "trigger", "plpgsql", "v", "true", `search_path=""`},
	{"latency_of_services(text[],timestamp with time zone[],timestamp with time zone[],double precision[])", "jsonb", "plpgsql", "v", "false", `search_path="",jit=off,plan_cache_mode=force_custom_plan`},
	{"latest_service_health_checks(text,integer)", "json", "sql", "s", "false", `search_path=""`},
	{"raise_alert(uuid,text,text,text,text,text)", "json", "plpgsql", "v", "false", `search_path=""`},
	{"rebuild_service_history(timestamp with time zone,timestamp with time zone)", "json", "plpgsql", "v", "true", `search_path=""`},
	{"record_alert_transition()", "trigger", "plpgsql", "v", "true", `search_path=""`},
	{"resolve_open_alerts(uuid,text,text,text,text,text)", "json", "plpgsql", "v", "false", `search_path=""`},
	{"service_history(timestamp with time zone[],timestamp with time zone[],text[],text,integer,integer,boolean,double precision[])", "json", "plpgsql", "v", "true", `search_path="",jit=off,plan_cache_mode=force_custom_plan`},
	{"service_states(text[],timestamp with time zone,text,integer)", "json", "plpgsql", "s", "false", `search_path="",jit=off,enable_bitmapscan=off`},
	{"sum_up_service_days(text[],timestamp with time zone,timestamp with time zone)", "void", "plpgsql", "v", "false", `search_path=""`},
	{"transition_alert(uuid,uuid,text,text,text)", "json", "plpgsql", "v", "false", `search_path=""`},
}

func requireCatalog(t *testing.T, d database) {
	t.Helper()
	for table, want := range wantColumns {
		require.Equal(t, want, run(t, d, replace(columnsSQL, table)), table)
	}
	require.Equal(t, wantConstraints, run(t, d, constraintsSQL))
	require.Equal(t, wantIndexes, run(t, d, indexesSQL))
	require.Equal(t, [][]string{
		{"alert_events", "true", "false", "0"},
		{"alert_notifications", "true", "false", "0"},
		{"alert_requests", "true", "false", "0"},
		{"alert_transitions", "true", "false", "0"},
		{"service_health_checks", "true", "false", "0"},
		{"service_history_days", "true", "false", "0"},
		{"service_history_hours", "true", "false", "0"},
	}, run(t, d, securitySQL), "row level security, no policies")
	require.Equal(t, wantFunctions, run(t, d, functionsSQL), "with a fixed search_path, and their caller's privileges but for histories")
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	for name, open := range databases {
		t.Run(name+", from empty, and again", func(t *testing.T) {
			t.Parallel()
			d := open(t, true)
			migrate(t, d, "*.sql")
			requireCatalog(t, d)
			before := run(t, d, grantsSQL)
			migrate(t, d, "*.sql")
			requireCatalog(t, d)
			require.Equal(t, before, run(t, d, grantsSQL))
		})
		t.Run(name+", over 012 with rows", func(t *testing.T) {
			t.Parallel()
			d := open(t, true)
			migrate(t, d, "012_*.sql")
			run(t, d, `INSERT INTO service_health_checks (service_name, status) SELECT 'api', 'down' FROM generate_series(1, 100);
				INSERT INTO alert_events (service_name, alert_type, status) SELECT 'api', 'recovery', 'active' FROM generate_series(1, 100)`)
			rows := "SELECT md5(string_agg(c::text, ',' ORDER BY id)) FROM service_health_checks c UNION ALL SELECT md5(string_agg((to_jsonb(a) - 'dedup_key')::text, ',' ORDER BY id)) FROM alert_events a"
			before := run(t, d, rows)
			migrate(t, d, "*.sql")
			requireCatalog(t, d)
			require.Equal(t, before, run(t, d, rows), "the rows are as they were")
		})
		t.Run(name+", without Supabase's roles", func(t *testing.T) {
			t.Parallel()
			d := open(t, false)
			migrate(t, d, "*.sql")
			migrate(t, d, "*.sql")
			requireCatalog(t, d)
			require.Empty(t, run(t, d, grantsSQL))
		})
	}
}

func TestStructsHaveTheColumns(t *testing.T) {
	t.Parallel()
	for table, row := range map[string]any{"service_health_checks": healthcheck.ServiceHealthCheck{}, "alert_events": alertevent.AlertEvent{}} {
		var tags, columns []string
		for field := range reflect.TypeOf(row).Fields() {
			tags = append(tags, field.Tag.Get("json"))
		}
		for _, column := range wantColumns[table] { // which TestCatalog compares with the databases
			columns = append(columns, column[0])
		}
		slices.Sort(tags)
		slices.Sort(columns)
		require.Equal(t, columns, tags, table)
	}
}
