package conformance_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
)

func init() {
	cases["history: more services than a request asks for"] = historyOfMany
	cases["history: times that are hardly times"] = historyAtTheEnds
	cases["history: rebuilt and deleted"] = historyRebuilt
}

// historyOfMany asks of 150 services for 1,000 periods, for which 100 services are one
// request, and of 1,100 for one.
func historyOfMany(t *testing.T, s *suite) {
	prefix := uuid.NewString()
	var rows []map[string]any
	var names []string
	for i := range 1100 {
		names = append(names, fmt.Sprint(prefix, i))
		rows = append(rows, map[string]any{"service_name": names[i], "status": "degraded", "latency_ms": i, "checked_at": noon.Add(time.Duration(i%60) * time.Minute)})
	}
	s.store(t, checksTable, rows...)
	slices.Sort(names)
	hour := healthcheck.TimeRange{Start: noon, End: noon.Add(time.Hour)}

	periods := slices.Repeat([]healthcheck.TimeRange{hour}, 1000)
	history, err := s.checks.FindHistory(t.Context(), healthcheck.HistoryOptions{ServiceNames: names[:150], Periods: periods})
	require.NoError(t, err)
	require.Len(t, history, 150)
	for i, service := range history {
		require.Equal(t, names[i], service.ServiceName)
		require.Len(t, service.Periods, len(periods))
		for _, period := range service.Periods {
			require.Equal(t, healthcheck.Period{TimeRange: hour, Degraded: time.Minute, Unknown: 59 * time.Minute}, period)
		}
	}
	every, err := s.checks.FindHistory(t.Context(), healthcheck.HistoryOptions{Periods: periods[:1], Quantiles: []float64{1}})
	require.NoError(t, err)
	var found []string
	for _, service := range every { // others' are there as well: history outlives checks
		if slices.Contains(names, service.ServiceName) {
			found = append(found, service.ServiceName)
			require.EqualValues(t, 1, service.Periods[0].Latency.Checks)
		}
	}
	require.Equal(t, names, found)

	states, err := s.checks.FindStates(t.Context(), healthcheck.FindStatesOptions{})
	require.NoError(t, err)
	require.Len(t, states, len(names))
	for i, state := range states {
		require.Equal(t, names[i], state.Latest.ServiceName)
		require.Equal(t, state.Latest.CheckedAt, state.Since)
	}
}

// historyAtTheEnds stores what no history counts, which must not fail the insert, and
// times at both ends of those that there are.
func historyAtTheEnds(t *testing.T, s *suite) {
	name := uuid.NewString()
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	before1970 := time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)
	for _, at := range []any{nil, "infinity", "-infinity", first.Add(time.Microsecond), before1970, last} {
		s.store(t, checksTable, map[string]any{"service_name": name, "status": "healthy", "latency_ms": 0, "checked_at": at})
	}
	periods := []healthcheck.TimeRange{
		{Start: first.Add(time.Nanosecond), End: first.Add(time.Hour)},
		{Start: before1970.Add(-time.Minute), End: before1970.Add(time.Minute)},
		{Start: before1970, End: before1970},
		{Start: last.Add(-2 * time.Hour), End: last},
	}
	var found []healthcheck.Period
	for i := range periods { // each by itself: of all the days between, latency would be looked for
		history, err := s.checks.FindHistory(t.Context(), healthcheck.HistoryOptions{ServiceNames: []string{name}, Periods: periods[i : i+1], Quantiles: []float64{0.5}})
		require.NoError(t, err)
		require.Len(t, history, 1)
		found = append(found, history[0].Periods...)
	}
	zeros := healthcheck.Latency{Checks: 1, QuantilesMS: []float64{0}}
	require.Equal(t, []healthcheck.Period{
		{TimeRange: periods[0], Healthy: time.Minute, Unknown: 59 * time.Minute, Latency: zeros},
		{TimeRange: periods[1], Healthy: time.Minute, Unknown: time.Minute},
		{TimeRange: periods[2]},
		{TimeRange: periods[3], Unknown: 2 * time.Hour, Latency: zeros}, // its minute is cut off, its hour begins within
	}, found)
}

// historyRebuilt changes rows past the trigger, which sees inserts alone.
func historyRebuilt(t *testing.T, s *suite) {
	name, other := uuid.NewString(), uuid.NewString()
	for _, service := range []string{name, other} {
		for minute := range 3 {
			s.store(t, checksTable, map[string]any{"service_name": service, "status": "down", "checked_at": noon.Add(time.Duration(minute) * time.Minute)})
		}
	}
	count := func() (down []time.Duration) {
		history, err := s.checks.FindHistory(t.Context(), healthcheck.HistoryOptions{
			ServiceNames: []string{name, other}, Periods: []healthcheck.TimeRange{{Start: noon, End: noon.Add(time.Hour)}},
		})
		require.NoError(t, err)
		for _, service := range history {
			require.Equal(t, time.Hour, service.Periods[0].Down+service.Periods[0].Unknown+service.Periods[0].Healthy)
			down = append(down, service.Periods[0].Down)
		}
		return down
	}
	all := []time.Duration{3 * time.Minute, 3 * time.Minute}
	require.Equal(t, all, count())
	_, _, err := s.client.From(checksTable).Update(map[string]any{"status": "healthy"}, "minimal", "").Eq("service_name", name).ExecuteWithContext(t.Context())
	require.NoError(t, err)
	_, _, err = s.client.From(checksTable).Delete("minimal", "").Eq("service_name", other).ExecuteWithContext(t.Context())
	require.NoError(t, err)
	require.Equal(t, all, count())
	require.NoError(t, s.checks.RebuildHistory(t.Context(), noon.Add(time.Hour), noon.Add(30*24*time.Hour)))
	require.Equal(t, all, count())
	require.NoError(t, s.checks.RebuildHistory(t.Context(), noon.Add(59*time.Minute), noon.Add(59*time.Minute+time.Nanosecond)))
	rebuilt := []time.Duration{0, 3 * time.Minute} // what has no checks stays
	if name > other {
		slices.Reverse(rebuilt)
	}
	require.Equal(t, rebuilt, count())

	deleted, err := s.checks.DeleteHistoryOlderThan(t.Context(), int(time.Since(noon).Hours()/24)+2)
	require.NoError(t, err)
	require.GreaterOrEqual(t, deleted, int64(0))
	require.Equal(t, rebuilt, count(), "they are younger")
	deleted, err = s.checks.DeleteHistoryOlderThan(t.Context(), int(time.Since(noon).Hours()/24)-2)
	require.NoError(t, err)
	require.GreaterOrEqual(t, deleted, int64(2))
	require.Equal(t, []time.Duration{0, 0}, count())
}
