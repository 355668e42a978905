package queryplans_test

import (
	"context"
	"time"

	"github.com/supavigil/supavigil/healthcheck"
)

const historyTables = "service_history_hours"

// past are the operations of migration 017. What was is read from its hours alone,
// never from checks.
func past() []operation {
	day := time.Now().UTC().AddDate(0, 0, -100).Truncate(24 * time.Hour)
	const days = 3
	history := func(services ...string) func(context.Context, models) (int, error) {
		return func(ctx context.Context, m models) (int, error) {
			found, err := m.checks.FindHistory(ctx, healthcheck.HistoryOptions{
				ServiceNames: services, Periods: []healthcheck.TimeRange{{Start: day.AddDate(0, 0, 50), End: day.AddDate(0, 0, 50+days)}}, Quantiles: []float64{0.5},
			})
			return len(found) * days * 24, err // hours
		}
	}
	return []operation{
		{"make a day's history", checksTable, "idx_service_health_checks_states", func(ctx context.Context, m models) (int, error) {
			return checks / 300, m.checks.RebuildHistory(ctx, day, day.AddDate(0, 0, 1))
		}, 0, false},
		{"history of every service", historyTables, "service_history_hours_pkey", history(), 5, false}, // of which days are summed up, once
		{"history of a service", historyTables, "service_history_hours_pkey", history(service), 0, false},
		{"history, of the checks' table", checksTable, "", func(ctx context.Context, m models) (int, error) {
			_, err := history()(ctx, m)
			return 0, err
		}, 0, false},
		// A service whose last checks were all healthy is read no further than the others.
		{"store a long run", checksTable, "", func(ctx context.Context, m models) (int, error) {
			data := make([]healthcheck.CreateHealthCheckData, 5000)
			for i := range data {
				data[i] = healthcheck.CreateHealthCheckData{ServiceName: "steady", Status: healthcheck.StatusHealthy, CheckedAt: time.Now().Add(-time.Duration(i) * time.Second)}
			}
			stored, err := m.checks.CreateMany(ctx, data)
			return int(stored), err
		}, 0, false},
		// The newest check, one of each status, one of each other status, and up to ten of the run.
		{"states of every service", checksTable, "idx_service_health_checks_states", func(ctx context.Context, m models) (int, error) {
			return rowsOf(m.checks.FindStates(ctx, healthcheck.FindStatesOptions{}))
		}, 25, false},
		{"forget the history", historyTables, "service_history_hours_pkey", func(ctx context.Context, m models) (int, error) {
			deleted, err := m.checks.DeleteHistoryOlderThan(ctx, 89)
			return int(deleted), err
		}, 6, false},
	}
}
