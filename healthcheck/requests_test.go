package healthcheck_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
)

// What each method costs in requests, on three checks of now.
func TestRequestsOfEachMethod(t *testing.T) {
	t.Parallel()
	check := healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusHealthy}
	for method, test := range map[string]struct {
		requests int
		call     func(context.Context, healthcheck.HealthCheckModel) error
	}{
		"Create": {1, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			_, err := m.Create(ctx, check)
			return err
		}},
		"CreateMany of 1,000": {1, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			checks := make([]healthcheck.CreateHealthCheckData, 1000)
			for i := range checks {
				checks[i] = check
			}
			_, err := m.CreateMany(ctx, checks)
			return err
		}},
		"FindLatest": {1, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			_, err := m.FindLatest(ctx)
			return err
		}},
		"FindLatestByService": {1, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			_, err := m.FindLatestByService(ctx, "api")
			return err
		}},
		"FindAll, limit reached": {1, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			_, err := m.FindAll(ctx, healthcheck.FindAllOptions{Limit: 3})
			return err
		}},
		"FindAll, ends before": {2, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			_, err := m.FindAll(ctx, healthcheck.FindAllOptions{Limit: 4})
			return err
		}},
		"All": {2, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			for _, err := range m.All(ctx, healthcheck.FindAllOptions{By: healthcheck.CheckedAt}) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		"DeleteOlderThan, nothing to delete": {1, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			_, err := m.DeleteOlderThan(ctx, 1)
			return err
		}},
		"FindStates": {1, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			_, err := m.FindStates(ctx, healthcheck.FindStatesOptions{})
			return err
		}},
		"FindHistory of 91 periods": {1, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			_, err := m.FindHistory(ctx, healthcheck.HistoryOptions{Periods: append(healthcheck.Days(90, noon, nil), healthcheck.TimeRange{Start: noon, End: noon}), Quantiles: []float64{0.5}})
			return err
		}},
		"RebuildHistory of two days": {2, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			return m.RebuildHistory(ctx, noon, noon.Add(47*time.Hour))
		}},
		"DeleteHistoryOlderThan": {1, func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			_, err := m.DeleteHistoryOlderThan(ctx, 1)
			return err
		}},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			server, model := start(t)
			for range 3 {
				store(t, server, map[string]any{"service_name": "api", "status": "healthy"})
			}
			before := len(server.Requests())
			require.NoError(t, test.call(t.Context(), model))
			require.Len(t, server.Requests()[before:], test.requests)
		})
	}
}

// A slice is a request that looks where it ends, and one that deletes it.
func TestRequestsOfSlices(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	old := make([]map[string]any, 4_000)
	for i := range old {
		old[i] = map[string]any{"service_name": "api", "status": "healthy", "created_at": noon.Add(time.Duration(i) * time.Second)}
	}
	store(t, server, old...)
	store(t, server, map[string]any{"service_name": "api", "status": "healthy"})
	before := len(server.Requests())
	deleted, err := model.DeleteOlderThan(t.Context(), 1)
	require.NoError(t, err)
	require.EqualValues(t, 4_000, deleted)
	require.Len(t, server.Requests()[before:], 4, "two slices: a page of those looked at first, and the rest")
}
