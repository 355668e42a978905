package history

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
)

// BenchmarkStoring reports the rows a second with the trigger of 017, in proportion to
// those without it, through @supabase/lite on PostgreSQL: medians of calls that take
// turns.
func BenchmarkStoring(b *testing.B) {
	for _, test := range []struct{ services, rows int }{{1, 1}, {33, 1000}, {1000, 1000}} {
		b.Run(fmt.Sprintf("%d-rows-of-%d-services", test.rows, test.services), func(b *testing.B) {
			server, conn := start(b)
			model := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
			at := time.Now().Add(-24 * time.Hour)
			var took [2][]float64
			for b.Loop() {
				for i, with := range []string{"DISABLE", "ENABLE"} {
					_, err := conn.Exec(b.Context(), "ALTER TABLE service_health_checks "+with+" TRIGGER keep_service_history")
					require.NoError(b, err)
					data := make([]healthcheck.CreateHealthCheckData, test.rows)
					for n := range data {
						if n%test.services == 0 {
							at = at.Add(time.Minute)
						}
						data[n] = healthcheck.CreateHealthCheckData{
							ServiceName: fmt.Sprint("service ", n%test.services), Status: healthcheck.StatusHealthy, LatencyMS: new(40 + (n*7919)%50), CheckedAt: at,
						}
					}
					began := time.Now()
					if test.rows == 1 {
						_, err = model.Create(b.Context(), data[0])
					} else {
						_, err = model.CreateMany(b.Context(), data)
					}
					require.NoError(b, err)
					took[i] = append(took[i], time.Since(began).Seconds())
				}
			}
			without, with := median(took[0]), median(took[1])
			b.ReportMetric(float64(test.rows)/without, "rows/s-without")
			b.ReportMetric(without/with, "×-with")
		})
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// fillHours stores so many hours of services as the trigger would: an outage now and
// then, and 60 latencies in some 20 buckets.
const fillHours = `INSERT INTO service_history_hours
	SELECT 'service ' || lpad(s::text, 4, '0'), date_trunc('hour', now(), 'UTC') - h * interval '1 hour', (1::bigint << 60) - 1,
		CASE WHEN h %% 50 = 0 THEN 7 ELSE 0 END, CASE WHEN (h + s) %% 200 = 0 THEN 1023 ELSE 0 END, l.checks, 100 * l.checks, 50, 900, l.counts
	FROM generate_series(1, %d) s, generate_series(0, %d) h CROSS JOIN LATERAL (
		SELECT sum(n) AS checks, format('[%%s:%%s]=%%s', min(b), max(b), array_agg(n ORDER BY b))::integer[] AS counts
		FROM (SELECT b, CASE WHEN random() < 0.6 THEN 1 + floor(random() * 5 + 0 * h)::integer END AS n FROM generate_series(50 + s %% 10, 80 + s %% 10) b) r
	) l ORDER BY 2, 1`

// fillChecks stores a check a minute of so many services.
const fillChecks = `INSERT INTO service_health_checks (service_name, status, latency_ms, checked_at)
	SELECT 'service ' || lpad(s::text, 4, '0'), CASE WHEN (m / 7 + s) %% 40 = 0 THEN 'down' ELSE 'healthy' END, 50, now() - m * interval '1 minute'
	FROM generate_series(0, %d) m, generate_series(1, %d) s`

// BenchmarkReading reports medians through @supabase/lite on PostgreSQL: of a status
// page, of its latencies, of a service's year, and of the states of 2,000 services, on
// 200,000 checks, or 10,000,000 with SUPAVIGIL_LONG=1.
func BenchmarkReading(b *testing.B) {
	server, conn := start(b)
	minutes := 100
	if long() {
		minutes = 5000
	}
	const statesOf = 2000
	run(b, conn, fmt.Sprintf(fillHours, 100, 24*91), fmt.Sprintf(fillHours, 1, 24*366)+" ON CONFLICT DO NOTHING",
		"ALTER TABLE service_health_checks DISABLE TRIGGER keep_service_history", fmt.Sprintf(fillChecks, minutes-1, statesOf), "VACUUM ANALYZE")
	model := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	now := time.Now()
	last := func(days int) healthcheck.TimeRange {
		return healthcheck.TimeRange{Start: now.AddDate(0, 0, -days), End: now}
	}
	long := []healthcheck.TimeRange{last(1), last(7), last(30), last(90)}
	history := func(options healthcheck.HistoryOptions, want int) func(context.Context) error {
		return func(ctx context.Context) error {
			found, err := model.FindHistory(ctx, options)
			if err == nil && len(found) != want {
				return fmt.Errorf("%d services", len(found))
			}
			return err
		}
	}
	for _, test := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"page", history(healthcheck.HistoryOptions{Periods: append(healthcheck.Days(90, now, nil), long...), Slot: 5 * time.Minute}, 100)},
		{"quantiles", history(healthcheck.HistoryOptions{Periods: long, Quantiles: []float64{0.5, 0.95}}, 100)},
		{"year", history(healthcheck.HistoryOptions{ServiceNames: []string{"service 0001"}, Periods: healthcheck.Days(365, now, nil)}, 1)},
		{"states", func(ctx context.Context) error {
			found, err := model.FindStates(ctx, healthcheck.FindStatesOptions{})
			if err == nil && len(found) != statesOf {
				return fmt.Errorf("%d services", len(found))
			}
			return err
		}},
	} {
		b.Run(test.name, func(b *testing.B) {
			for range 20 { // by then the days are summed up
				require.NoError(b, test.do(b.Context()))
			}
			var took []float64
			for b.Loop() {
				began := time.Now()
				require.NoError(b, test.do(b.Context()))
				took = append(took, float64(time.Since(began).Microseconds())/1000)
			}
			b.ReportMetric(median(took), "ms-median")
		})
	}
}

// BenchmarkDay stores a check a minute of 1,000 services, a batch a minute, with
// autovacuum on: three hours of them, or a day with SUPAVIGIL_LONG=1. It reports what an
// hour of a service takes, with its indexes.
func BenchmarkDay(b *testing.B) {
	minutes := 180
	if long() {
		minutes = 24 * 60
	}
	for b.Loop() {
		_, conn := start(b)
		for minute := range minutes {
			_, err := conn.Exec(b.Context(), `INSERT INTO service_health_checks (service_name, status, latency_ms, checked_at)
				SELECT 'service ' || lpad(s::text, 4, '0'), CASE WHEN ($1 / 7 + s) % 40 = 0 THEN 'down' WHEN ($1 + s) % 50 = 0 THEN 'degraded' ELSE 'healthy' END,
					(40 + s % 100) * (0.8 + 0.6 * random() + CASE WHEN random() < 0.05 THEN 3 * random() ELSE 0 END),
					TIMESTAMPTZ '2026-01-02 00:00:00Z' + $1 * INTERVAL '1 minute' + s * INTERVAL '50 ms'
				FROM generate_series(1, 1000) s`, minute)
			require.NoError(b, err)
		}
		var bytes float64
		require.NoError(b, conn.QueryRow(b.Context(), `SELECT (pg_total_relation_size('service_history_hours') + pg_total_relation_size('service_history_days')) / count(*)::float8
			FROM service_history_hours`).Scan(&bytes))
		b.ReportMetric(bytes, "bytes/hour")
	}
}

func run(b *testing.B, conn *pgx.Conn, statements ...string) {
	b.Helper()
	for _, sql := range statements {
		_, err := conn.Exec(b.Context(), sql)
		require.NoError(b, err)
	}
}
