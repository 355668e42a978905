package migrations_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func replace(sql, table string) string { return strings.ReplaceAll(sql, "%s", table) }

// wantGrants is all that anybody but the owner has.
var wantGrants = [][]string{
	{"alert_events", "service_role", "DELETE INSERT SELECT UPDATE"},
	{"alert_notifications", "service_role", "SELECT UPDATE"},
	{"alert_requests", "service_role", "DELETE INSERT SELECT UPDATE"},
	{"alert_transitions", "service_role", "SELECT"},
	{"service_health_checks", "service_role", "DELETE INSERT SELECT UPDATE"},
	{"service_history_days", "service_role", "SELECT"},
	{"service_history_hours", "service_role", "SELECT"},
}

const (
	allowed = ""
	denied  = "42501" // insufficient_privilege
)

// attempts are what each role may do, for each table (%s).
var attempts = []struct {
	what, sql           string
	service, anon, user string
}{
	{"read", "SELECT * FROM %s", allowed, denied, denied},
	{"count", "SELECT count(*) FROM %s", allowed, denied, denied},
	{"insert", "INSERT INTO %s SELECT * FROM %s WHERE false", allowed, denied, denied},
	{"update", "UPDATE %s SET service_name = service_name", allowed, denied, denied},
	{"delete", "DELETE FROM %s WHERE created_at < now()", allowed, denied, denied},
	{"lock", "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", allowed, denied, denied}, // comes with UPDATE
	{"truncate", "TRUNCATE %s", denied, denied, denied},
	{"add a column", "ALTER TABLE %s ADD COLUMN nope int", denied, denied, denied},
	{"drop", "DROP TABLE %s", denied, denied, denied},
	{"open it to others", "ALTER TABLE %s DISABLE ROW LEVEL SECURITY", denied, denied, denied},
	{"index", "CREATE INDEX ON %s (id)", denied, denied, denied},
	{"trigger", "CREATE TRIGGER nope BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()", denied, denied, denied},
}

func TestPrivileges(t *testing.T) {
	t.Parallel()
	histories := map[string]string{
		"a new project, without default grants": "",
		"an older project, with all of them":    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role; ",
		"one open to everybody":                 "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC; ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role; ",
	}
	for name, open := range databases {
		for history, before := range histories {
			t.Run(name+", "+history, func(t *testing.T) {
				t.Parallel()
				d := open(t, true)
				if before != "" {
					run(t, d, before)
				}
				migrate(t, d, "*.sql")
				require.Equal(t, wantGrants, run(t, d, grantsSQL))
				run(t, d, `INSERT INTO service_health_checks (service_name, status) VALUES ('api', 'down');
					INSERT INTO alert_events (service_name, alert_type, status) VALUES ('api', 'recovery', 'active')`)
				for _, table := range []string{"service_health_checks", "alert_events"} {
					for _, attempt := range attempts {
						for role, want := range map[string]string{"service_role": attempt.service, "anon": attempt.anon, "authenticated": attempt.user} {
							run(t, d, "BEGIN; SET LOCAL ROLE "+role)
							require.Equal(t, want, refusal(t, d, replace(attempt.sql, table)), "%s: %s %s", role, attempt.what, table)
							run(t, d, "ROLLBACK")
						}
					}
					run(t, d, "BEGIN; SET LOCAL ROLE service_role")
					require.Equal(t, [][]string{{"1"}}, run(t, d, replace("SELECT count(*)::text FROM %s", table)), "the service role sees rows without a policy")
					run(t, d, "ROLLBACK")
				}
			})
		}
	}
}

// calls are of functions that read or change what their caller may not.
var calls = []string{
	"SELECT latest_service_health_checks()", "SELECT service_states()", "SELECT service_history(ARRAY['2026-01-01Z'::timestamptz], ARRAY['2026-02-01Z'::timestamptz], quantiles => '{0.5}')",
	"SELECT rebuild_service_history('2026-01-01Z', '2026-01-02Z')", "SELECT delete_service_history(1)",
}

// The functions are the service role's alone, also where functions are everybody's
// by default, and after a role came later.
func TestFunctionPrivileges(t *testing.T) {
	t.Parallel()
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, true)
			run(t, d, "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role")
			migrate(t, d, "*.sql")
			run(t, d, "INSERT INTO service_health_checks (service_name, status) VALUES ('api', 'down')")
			// Even one who may read the table may not call it.
			run(t, d, "GRANT SELECT ON service_health_checks TO anon, authenticated")
			for role, want := range map[string]string{"service_role": allowed, "anon": denied, "authenticated": denied} {
				for _, call := range calls {
					run(t, d, "BEGIN; SET LOCAL ROLE "+role)
					require.Equal(t, want, refusal(t, d, call), "%s: %s", role, call)
					run(t, d, "ROLLBACK")
				}
			}
			for sql, want := range map[string]string{
				"SELECT * FROM service_history_hours, service_history_days": allowed, "DELETE FROM service_history_hours": denied, "UPDATE service_history_days SET stale = true": denied,
				"SELECT sum_up_service_days('{api}', '2026-01-01Z', '2026-02-01Z')": denied, "SELECT count_latencies('{1}')": denied,
			} {
				run(t, d, "BEGIN; SET LOCAL ROLE service_role")
				require.Equal(t, want, refusal(t, d, sql), sql)
				run(t, d, "ROLLBACK")
			}
			run(t, d, "BEGIN; SET LOCAL ROLE service_role; SET LOCAL search_path = pg_temp; CREATE TEMP TABLE service_health_checks (LIKE public.service_health_checks)")
			require.Equal(t, [][]string{{"1"}}, run(t, d, "SELECT json_array_length(public.latest_service_health_checks())::text"), "no search_path leads it to another table")
			run(t, d, "ROLLBACK")
		})
		t.Run(name+", the tables in another schema", func(t *testing.T) {
			t.Parallel()
			d := open(t, true)
			run(t, d, `CREATE SCHEMA "Monitoring"; SET search_path = "Monitoring"`)
			migrate(t, d, "*.sql")
			run(t, d, `INSERT INTO service_health_checks (service_name, status) VALUES ('api', 'down'); SET search_path = public`)
			require.Equal(t, [][]string{{"1"}}, run(t, d, `SELECT json_array_length("Monitoring".latest_service_health_checks())::text`))
		})
		t.Run(name+", without the roles", func(t *testing.T) {
			t.Parallel()
			d := open(t, false)
			migrate(t, d, "*.sql")
			require.Equal(t, [][]string{{"0"}}, run(t, d, "SELECT json_array_length(latest_service_health_checks())::text"))
			// They come later, and are given the tables, as lite on PGlite does it.
			run(t, d, "CREATE ROLE later; CREATE ROLE anon; GRANT ALL ON ALL TABLES IN SCHEMA public TO later, anon")
			for _, call := range calls[2:] {
				for role, want := range map[string]string{"later": allowed, "anon": denied} {
					run(t, d, "BEGIN; SET LOCAL ROLE "+role)
					require.Equal(t, want, refusal(t, d, call), "%s: %s", role, call)
					run(t, d, "ROLLBACK")
				}
			}
		})
	}
}
