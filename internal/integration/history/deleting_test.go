package history

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

// Hours that are deleted while their day is being summed up leave no day behind.
func TestDeletingWaitsForWhatIsSummedUp(t *testing.T) {
	t.Parallel()
	made, err := realserver.SharedPostgres(t).NewDatabase(t.Context(), migrations.FS)
	require.NoError(t, err)
	reader, deleter, watcher := connect(t, made.URL), connect(t, made.URL), connect(t, made.URL)
	must(t, reader, `INSERT INTO service_health_checks (service_name, status, latency_ms, checked_at)
		SELECT 'api', 'healthy', 5, '2026-01-01Z'::timestamptz + n * interval '1 hour' FROM generate_series(0, 99) n`)
	must(t, reader, "DELETE FROM service_history_days") // as when it was never asked for
	must(t, reader, "BEGIN; SELECT service_history(starts => '{2026-01-01Z}', ends => '{2026-01-06Z}', quantiles => '{0.5}')")

	done := make(chan error, 1)
	go func() {
		_, err := deleter.Query(t.Context(), "SET lock_timeout = '60s'; SELECT delete_service_history(older_than_days => 1)")
		done <- err
	}()
	var finished bool
	require.Eventually(t, func() bool {
		select {
		case err = <-done:
			finished = true
		default:
		}
		waiting := must(t, watcher, "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
		return finished || len(waiting) > 0
	}, time.Minute, 10*time.Millisecond)
	must(t, reader, "COMMIT")
	if !finished {
		err = <-done
	}
	require.NoError(t, err)
	require.Empty(t, must(t, watcher, "SELECT hour FROM service_history_hours UNION ALL SELECT day FROM service_history_days"))
}
