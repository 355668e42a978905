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
// The session must be a superuser's, whose rows no trigger sees.
func Fill(ctx context.Context, session *pgx.Conn, checks int) error {
	return execute(ctx, session,
		"SET session_replication_role = replica",
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
		"RESET session_replication_role",
		"VACUUM ANALYZE service_health_checks",
		"VACUUM ANALYZE alert_events",
	)
}

// FillRaised stores n alerts of 500 services, as raised through migration 016, of
// which open ones are open: all told of, and to be reminded of while active. They are
// of 300 days too; the newest are the open ones. Key key-1 is of service svc-1, and so on.
func FillRaised(ctx context.Context, session *pgx.Conn, n, open int) error {
	const raised = "FROM alert_events WHERE dedup_key LIKE 'key-%'"
	return execute(ctx, session,
		"SET session_replication_role = replica",
		fmt.Sprintf(`INSERT INTO alert_events (service_name, alert_type, status, created_at, resolved_at, dedup_key)
			SELECT 'svc-' || n %% 500, (ARRAY['service_down', 'service_degraded'])[1 + n %% 2], CASE WHEN n > %[2]d THEN 'resolved' WHEN n %% 4 = 0 THEN 'acknowledged' ELSE 'active' END,
				at, CASE WHEN n > %[2]d THEN at + INTERVAL '5 minutes' END, 'key-' || n
			FROM (SELECT n, now() - INTERVAL '5 minutes' - n * (INTERVAL '300 days' / %[1]d) AS at FROM generate_series(1, %[1]d) n) rows`, n, open),
		"INSERT INTO alert_transitions (alert_id, at, to_status) SELECT id, created_at, 'active' "+raised,
		"INSERT INTO alert_transitions (alert_id, at, from_status, to_status, request_id) SELECT id, resolved_at, 'active', 'resolved', gen_random_uuid() "+raised+" AND status = 'resolved'",
		"INSERT INTO alert_notifications (alert_id, next, since, opened_by) SELECT id, CASE status WHEN 'active' THEN 'reminder' END, created_at, gen_random_uuid() "+raised,
		"INSERT INTO alert_requests (id, call) SELECT gen_random_uuid(), '[]' FROM generate_series(1, 5000)",
		"RESET session_replication_role",
		"VACUUM ANALYZE",
	)
}

func execute(ctx context.Context, session *pgx.Conn, statements ...string) error {
	for _, sql := range statements {
		if _, err := session.Exec(ctx, sql); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return nil
}

// FillHistory stores the hours of the last 90 days of the services that Fill has, as
// migration 017 keeps them.
func FillHistory(ctx context.Context, session *pgx.Conn) error {
	return execute(ctx, session,
		fmt.Sprintf(`INSERT INTO service_history_hours (service_name, hour, healthy, checks, sum_ms, min_ms, max_ms, counts)
			SELECT 'service-' || i, date_trunc('hour', now(), 'UTC') - h * INTERVAL '1 hour', (1::bigint << 60) - 1, 60, 2700, 40, 49, '[40:49]={6,6,6,6,6,6,6,6,6,6}'
			FROM generate_series(0, 90 * 24) h, generate_series(0, %d) i`, Services-1),
		"VACUUM ANALYZE service_history_hours",
	)
}
