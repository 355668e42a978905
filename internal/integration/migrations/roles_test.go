package migrations_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A role that may not do what a file must is told which may.
func TestRolesThatMayNotChangeNothing(t *testing.T) {
	t.Parallel()
	d := databases["PostgreSQL"](t, true)
	run(t, d, "CREATE ROLE owner; CREATE ROLE member IN ROLE owner; CREATE ROLE distant NOINHERIT IN ROLE owner; CREATE ROLE stranger")
	const everything = "; GRANT ALL ON ALL TABLES IN SCHEMA public TO anon; GRANT ALL ON SCHEMA public TO stranger, owner"
	migrate(t, d, "012_*.sql")
	run(t, d, "ALTER TABLE service_health_checks OWNER TO owner; ALTER TABLE alert_events OWNER TO owner"+everything)
	for _, role := range []string{"stranger", "distant"} {
		run(t, d, "SET ROLE "+role)
		requireRefused(t, d, every, denied, "belongs to owner, whose rights "+role+" does not have. Nothing was changed. Run this file again as a role that owns the tables")
		run(t, d, "RESET ROLE")
	}
	for _, role := range []string{"owner", "member"} {
		run(t, d, "SET ROLE "+role)
		migrate(t, d, "*.sql")
		run(t, d, "RESET ROLE")
		require.Equal(t, wantGrants, run(t, d, grantsSQL), role)
		run(t, d, "GRANT ALL ON ALL TABLES IN SCHEMA public TO anon")
	}
	migrate(t, d, "*.sql") // as a superuser
	require.Equal(t, wantGrants, run(t, d, grantsSQL))

	run(t, d, "CREATE SCHEMA closed; GRANT USAGE ON SCHEMA closed TO stranger; SET search_path = closed; SET ROLE stranger")
	requireRefused(t, d, "012", denied, "permission denied for schema closed. Nothing was changed. Run this file again as a role that owns the tables and schema closed")
}

// grants are privileges that somebody gave before 013, and what is left to say
// when it cannot take them.
var grants = []struct{ name, sql, message string }{
	{"to a role's column, by another", `GRANT SELECT (message) ON alert_events TO reporting WITH GRANT OPTION; SET ROLE reporting;
		GRANT SELECT (message) ON alert_events TO anon; RESET ROLE`, "anon has SELECT on alert_events.message, granted by reporting"},
	{
		"by another", `GRANT INSERT ON alert_events TO reporting WITH GRANT OPTION; SET ROLE reporting; GRANT INSERT ON alert_events TO PUBLIC; RESET ROLE`,
		"PUBLIC has INSERT on alert_events, granted by reporting",
	},
	{
		"by the service role", `GRANT SELECT ON alert_events TO service_role WITH GRANT OPTION; SET ROLE service_role; GRANT SELECT ON alert_events TO reporting; RESET ROLE`,
		"service_role has SELECT on alert_events, granted by service_role to reporting",
	},
	{"through a membership", "GRANT SELECT ON alert_events TO reporting; GRANT reporting TO authenticated", "authenticated has SELECT on alert_events, granted by "},

	{"of everything", "GRANT ALL ON ALL TABLES IN SCHEMA public TO anon, authenticated, service_role WITH GRANT OPTION", ""},
	{"to everybody", "GRANT SELECT, UPDATE ON alert_events TO PUBLIC", ""},
	{"of columns", "GRANT SELECT (id), UPDATE (status) ON alert_events TO anon, authenticated, service_role, PUBLIC", ""},
	{"of too little", "GRANT SELECT ON service_health_checks TO service_role", ""},
	{"of the right ones, to give on", "GRANT SELECT, INSERT, UPDATE, DELETE ON service_health_checks, alert_events TO service_role WITH GRANT OPTION", ""},
	{"to others, who keep it", "GRANT SELECT ON alert_events TO reporting", ""},
}

func TestGrantsOfOthers(t *testing.T) {
	t.Parallel()
	d := databases["PostgreSQL"](t, true)
	migrate(t, d, "012_*.sql")
	run(t, d, "CREATE ROLE reporting; GRANT USAGE ON SCHEMA public TO reporting")
	for _, grant := range grants {
		run(t, d, grant.sql)
		if grant.message != "" {
			requireRefused(t, d, "013", "0LP01", grant.message)
		} else {
			migrate(t, d, "013_*.sql")
			before := run(t, d, stateSQL)
			migrate(t, d, "013_*.sql")
			require.Equal(t, before, run(t, d, stateSQL), "%s: again changes nothing", grant.name)
		}
		run(t, d, "REVOKE reporting FROM authenticated; REVOKE ALL ON alert_events FROM service_role CASCADE")
		if grant.name == "to others, who keep it" {
			continue
		}
		run(t, d, "REVOKE ALL ON alert_events FROM reporting CASCADE")
		migrate(t, d, "013_*.sql")
		require.Equal(t, [][]string{wantGrants[0], wantGrants[4]}, run(t, d, grantsSQL), grant.name) // those of 012
		require.Equal(t, [][]string{{"0"}}, run(t, d, "SELECT count(*)::text FROM pg_attribute WHERE attrelid IN ('alert_events'::regclass, 'service_health_checks'::regclass) AND attacl <> '{}'"), grant.name)
	}
	require.Equal(t, [][]string{{"alert_events", "reporting", "SELECT"}}, run(t, d, grantsSQL)[:1])
}

// All that is needed in a schema of its own comes with the files.
func TestSchemaOfItsOwn(t *testing.T) {
	t.Parallel()
	d := databases["PostgreSQL"](t, true)
	inSchema(t, d, "mon's Data")
	migrate(t, d, "*.sql")
	before := run(t, d, stateSQL)
	migrate(t, d, "*.sql")
	require.Equal(t, before, run(t, d, stateSQL))
	run(t, d, `RESET search_path; SET ROLE service_role; INSERT INTO "mon's Data".service_health_checks (service_name, status) VALUES ('api', 'down')`)
	require.Equal(t, [][]string{{"1"}}, run(t, d, `SELECT json_array_length("mon's Data".latest_service_health_checks())::text`))
	run(t, d, "RESET ROLE")
	for _, role := range []string{"anon", "authenticated"} {
		run(t, d, "SET ROLE "+role)
		require.Equal(t, denied, refusal(t, d, `SELECT "mon's Data".latest_service_health_checks()`))
		require.Equal(t, denied, refusal(t, d, `SELECT * FROM "mon's Data".alert_events`))
		run(t, d, "RESET ROLE")
	}
	require.Empty(t, run(t, d, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"))
}
