// Package queryplans shows that the models' queries are served by indexes, on
// tables of a size at which it matters. Its tests ask PostgreSQL what it did;
// the program in measure takes plans and times.
package queryplans

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Services is how many services the checks are about.
const Services = 50

// Fill stores checks and a fifth as many alerts, as a year's monitoring leaves
// them: in the order of time, checked a moment before they were stored, one
// alert of a hundred active, and a few rows without times, as others may store.
func Fill(ctx context.Context, session *pgx.Conn, checks int) error {
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO service_health_checks (service_name, status, latency_ms, checked_at, probe_details, created_at)
			SELECT 'service-' || i %% %d, (ARRAY['healthy', 'healthy', 'degraded', 'down'])[1 + i %% 4], i %% 1000, at - interval '20 ms', '{"http_status": 200}', at
			FROM (SELECT i, now() - (%d - i) * (interval '300 days' / %d) - interval '1 minute' AS at FROM generate_series(1, %d) i) rows`,
			Services, checks, checks, checks),
		`INSERT INTO service_health_checks (service_name, status, checked_at, created_at)
			SELECT 'service-' || i, 'down', NULL, NULL FROM generate_series(0, 9) i`,
		fmt.Sprintf(`INSERT INTO alert_events (service_name, alert_type, status, message, created_at)
			SELECT 'service-' || i %% %d, (ARRAY['service_down', 'service_degraded', 'recovery'])[1 + i %% 3],
				CASE WHEN (i / %d) %% 100 = 0 THEN 'active' ELSE 'resolved' END, 'message', now() - (%d - i) * (interval '300 days' / %d) - interval '1 minute'
			FROM generate_series(1, %d) i`, Services, Services, checks/5, checks/5, checks/5),
		`INSERT INTO alert_events (service_name, alert_type, status, created_at)
			SELECT 'service-' || i, 'recovery', 'active', NULL FROM generate_series(0, 9) i`,
		`VACUUM ANALYZE service_health_checks`,
		`VACUUM ANALYZE alert_events`,
	} {
		if _, err := session.Exec(ctx, sql); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return nil
}
