package migrations_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// another opens a second session of the same database.
func another(t *testing.T, d database) database {
	t.Helper()
	session, err := pgx.ConnectConfig(t.Context(), d.(postgres).session.Config())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close(context.Background())) })
	return postgres{session}
}

const lockNotAvailable = "55P03"

// Once all is there, the files stop nobody, and wait for nobody.
func TestRunAgainOnTablesInUse(t *testing.T) {
	t.Parallel()
	d := databases["PostgreSQL"](t, true)
	migrate(t, d, "*.sql")
	before := run(t, d, stateSQL)
	other := another(t, d)
	for _, use := range []string{
		"SELECT * FROM service_health_checks; SELECT * FROM alert_events",
		"INSERT INTO service_health_checks (service_name, status) VALUES ('api', 'down'); INSERT INTO alert_events (service_name, alert_type, status) VALUES ('api', 'recovery', 'active')",
		"LOCK TABLE service_health_checks, alert_events IN EXCLUSIVE MODE",
	} {
		run(t, other, "BEGIN; "+use)
		migrate(t, d, "*.sql")
		run(t, other, "ROLLBACK")
	}
	require.Equal(t, before, run(t, d, stateSQL))
	run(t, d, "BEGIN")
	migrate(t, d, "*.sql")
	require.Empty(t, run(t, d, `SELECT relation::regclass::text, mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation >= 16384 AND mode <> 'AccessShareLock'`))
	run(t, d, "COMMIT")
}

// What lacks is made when nobody is in the way, and otherwise the file ends soon,
// though the session would wait for ever.
func TestLocksAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	for name, lacking := range map[string]struct{ lacks, use, files string }{
		"row level security, beside a reader": {"ALTER TABLE alert_events DISABLE ROW LEVEL SECURITY", "SELECT * FROM alert_events", "012"},
		"an index of 012, beside a writer":    {"DROP INDEX idx_alert_events_status", "DELETE FROM alert_events", "012"},
		"an index of 014, beside a writer":    {"DROP INDEX idx_alert_events_type_created_desc", "DELETE FROM alert_events", "014"},
		"an index to replace, beside a reader": {
			"DROP INDEX idx_alert_events_type_created_desc; CREATE INDEX idx_alert_events_type_created_desc ON alert_events (alert_type)", "SELECT * FROM alert_events", "014",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := databases["PostgreSQL"](t, true)
			migrate(t, d, "*.sql")
			run(t, d, lacking.lacks)
			other := another(t, d)
			run(t, other, "BEGIN; "+lacking.use)
			requireRefused(t, d, lacking.files, lockNotAvailable, "when nobody holds a lock on the tables for more than a second")
			run(t, other, "ROLLBACK")
			migrate(t, d, "*.sql")
			requireCatalog(t, d)
		})
	}
}
