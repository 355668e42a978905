package healthcheck_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/internal/modeltest"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// midday is that of the checks below.
var midday = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// probe stores a check of a service at a minute past midday; latency -1 is none.
func probe(t *testing.T, server *supabasetest.Server, service string, minute float64, status healthcheck.Status, latency int) {
	t.Helper()
	row := map[string]any{"service_name": service, "status": status, "checked_at": midday.Add(time.Duration(minute * float64(time.Minute)))}
	if latency >= 0 {
		row["latency_ms"] = latency
	}
	modeltest.Store(t, server, "service_health_checks", row)
}

func modelOf(server *supabasetest.Server) healthcheck.HealthCheckModel {
	config := server.Config()
	config.MaxAttempts = 1
	return healthcheck.HealthCheckModel{Connect: config.ServiceClient}
}

func TestFindStates(t *testing.T) {
	t.Parallel()
	server := modeltest.Start(t)
	model := modelOf(server)
	states, err := model.FindStates(t.Context(), healthcheck.FindStatesOptions{})
	require.NoError(t, err)
	require.Equal(t, []healthcheck.ServiceState{}, states)

	for minute, status := range []healthcheck.Status{"down", "healthy", "healthy", "down", "down", "down"} {
		probe(t, server, "api", float64(minute), status, -1)
	}
	for minute := range 12 {
		probe(t, server, "Zebra", float64(minute), "healthy", 5)
	}
	probe(t, server, "gone", -90*24*60, "healthy", -1)
	modeltest.Store(t, server, "service_health_checks", map[string]any{"service_name": "timeless", "status": "down", "checked_at": nil})

	states, err = model.FindStates(t.Context(), healthcheck.FindStatesOptions{SeenSince: midday})
	require.NoError(t, err)
	require.Len(t, states, 2)
	require.Equal(t, "Zebra", states[0].Latest.ServiceName)
	require.Equal(t, 10, states[0].Checks)
	require.Equal(t, midday, states[0].Since)
	require.Equal(t, "api", states[1].Latest.ServiceName)
	require.Equal(t, healthcheck.StatusDown, states[1].Latest.Status)
	require.Equal(t, midday.Add(3*time.Minute), states[1].Since)
	require.Equal(t, midday.Add(5*time.Minute), states[1].Latest.CheckedAt)
	require.Equal(t, 3, states[1].Checks)

	states, err = model.FindStates(t.Context(), healthcheck.FindStatesOptions{ServiceNames: []string{"gone", "nobody", "gone", "timeless"}})
	require.NoError(t, err)
	require.Len(t, states, 1)
	require.Equal(t, "gone", states[0].Latest.ServiceName)

	requests := len(server.Requests())
	states, err = model.FindStates(t.Context(), healthcheck.FindStatesOptions{ServiceNames: []string{}})
	require.NoError(t, err)
	require.Empty(t, states)
	require.Len(t, server.Requests(), requests)
}

func TestFindHistory(t *testing.T) {
	t.Parallel()
	server := modeltest.Start(t)
	model := modelOf(server)
	// Minutes 0 to 4 healthy, 2 degraded by another prober, 3 down by another too.
	for minute := range 5 {
		probe(t, server, "api", float64(minute)+0.5, "healthy", 10*(minute+1))
	}
	probe(t, server, "api", 2, "degraded", 1000)
	probe(t, server, "api", 3.9, "down", 7)
	probe(t, server, "api", 3.9, "down", 7)
	probe(t, server, "api", 60, "healthy", -1)

	minutes := func(start, end float64) healthcheck.TimeRange {
		return healthcheck.TimeRange{
			Start: midday.Add(time.Duration(start * float64(time.Minute))), End: midday.Add(time.Duration(end * float64(time.Minute))),
		}
	}
	find := func(options healthcheck.HistoryOptions) []healthcheck.Period {
		options.ServiceNames = []string{"api"}
		history, err := model.FindHistory(t.Context(), options)
		require.NoError(t, err)
		require.Len(t, history, 1)
		require.Equal(t, "api", history[0].ServiceName)
		return history[0].Periods
	}
	type sums struct{ healthy, degraded, down, unknown int }
	of := func(p healthcheck.Period) sums {
		return sums{int(p.Healthy.Minutes()), int(p.Degraded.Minutes()), int(p.Down.Minutes()), int(p.Unknown.Minutes())}
	}
	for _, test := range []struct {
		name       string
		period     healthcheck.TimeRange
		slot       time.Duration
		anyHealthy bool
		want       sums
	}{
		{"the worst counts", minutes(0, 10), 0, false, sums{3, 1, 1, 5}},
		{"the best counts", minutes(0, 10), 0, true, sums{5, 0, 0, 5}},
		{"a bound within an hour", minutes(3, 5), 0, false, sums{1, 0, 1, 0}},
		{"bounds within minutes are cut", minutes(2.9, 4.1), 0, false, sums{0, 1, 1, 0}},
		{"two hours", minutes(-60, 120), 0, false, sums{4, 1, 1, 174}},
		{"slots", minutes(0, 15), 5 * time.Minute, false, sums{0, 0, 5, 10}},
		{"the best of slots", minutes(0, 15), 5 * time.Minute, true, sums{5, 0, 0, 10}},
		{"a slot that began before", minutes(1, 16), 5 * time.Minute, false, sums{0, 0, 0, 15}},
		{"a slot that ends later", minutes(-1, 1), 5 * time.Minute, false, sums{0, 0, 5, 0}},
		{"no slot", minutes(1, 2), 5 * time.Minute, false, sums{}},
		{"nothing", minutes(1, 1), 0, false, sums{}},
		{"hours", minutes(0, 120), time.Hour, false, sums{60, 0, 60, 0}},
	} {
		periods := find(healthcheck.HistoryOptions{Periods: []healthcheck.TimeRange{test.period}, Slot: test.slot, AnyHealthy: test.anyHealthy})
		require.Equal(t, test.want, of(periods[0]), test.name)
		require.Equal(t, test.period, periods[0].TimeRange)
		require.Equal(t, healthcheck.Latency{}, periods[0].Latency)
	}

	periods := find(healthcheck.HistoryOptions{
		Periods:   []healthcheck.TimeRange{minutes(0, 1), minutes(1, 60), minutes(60, 120)},
		Quantiles: []float64{0, 0.5, 1},
	})
	latency := periods[0].Latency // of the whole hour, which begins in it
	require.Equal(t, int64(6), latency.Checks)
	require.InDelta(t, (10+20+30+40+50+1000)/6.0, latency.MeanMS, 1e-9)
	require.Equal(t, 10, latency.MinMS)
	require.Equal(t, 1000, latency.MaxMS)
	require.Len(t, latency.QuantilesMS, 3)
	for i, exact := range []float64{10, 30, 1000} {
		require.InEpsilon(t, exact, latency.QuantilesMS[i], 1.0/33)
	}
	require.Equal(t, healthcheck.Latency{}, periods[1].Latency)
	require.Equal(t, healthcheck.Latency{}, periods[2].Latency)

	ratio, known := periods[0].Availability()
	require.True(t, known)
	require.InDelta(t, 1, ratio, 0)
	_, known = find(healthcheck.HistoryOptions{Periods: []healthcheck.TimeRange{minutes(20, 30)}})[0].Availability()
	require.False(t, known)

	// The history outlives the checks, and a service that has none is unknown.
	require.NoError(t, deleteAll(t, server))
	require.Equal(t, sums{3, 1, 1, 5}, of(find(healthcheck.HistoryOptions{Periods: []healthcheck.TimeRange{minutes(0, 10)}})[0]))
	history, err := model.FindHistory(t.Context(), healthcheck.HistoryOptions{
		ServiceNames: []string{"nobody", "api", "nobody"}, Periods: []healthcheck.TimeRange{minutes(0, 10)},
	})
	require.NoError(t, err)
	require.Len(t, history, 2)
	require.Equal(t, "nobody", history[1].ServiceName)
	require.Equal(t, sums{unknown: 10}, of(history[1].Periods[0]))
}

func deleteAll(t *testing.T, server *supabasetest.Server) error {
	t.Helper()
	client, err := server.Config().ServiceClient()
	require.NoError(t, err)
	_, _, err = client.From("service_health_checks").Delete("minimal", "").Gte("service_name", "").ExecuteWithContext(t.Context())
	return err
}

// Services come in several answers where there are many of them, or of their periods.
func TestFindHistoryOfManyServices(t *testing.T) {
	t.Parallel()
	const services = 2100
	server := modeltest.Start(t)
	model := modelOf(server)
	rows := make([]map[string]any, services)
	names := make([]string, services)
	for i := range rows {
		names[i] = fmt.Sprintf("service %04d", i)
		rows[i] = map[string]any{"service_name": names[i], "status": "down", "checked_at": midday}
	}
	modeltest.Store(t, server, "service_health_checks", rows...)
	for _, test := range []struct {
		names             []string
		periods, requests int
	}{
		{nil, 1, 3}, {names, 1, 3}, {names[:1000], 100, 1}, {names[:1000], 101, 2}, {names[:100], 1000, 1}, {names[:101], 1000, 2},
	} {
		periods := make([]healthcheck.TimeRange, test.periods)
		for i := range periods {
			periods[i] = healthcheck.TimeRange{Start: midday, End: midday.Add(time.Minute)}
		}
		before := len(server.Requests())
		history, err := model.FindHistory(t.Context(), healthcheck.HistoryOptions{ServiceNames: test.names, Periods: periods})
		require.NoError(t, err)
		require.Len(t, server.Requests(), before+test.requests)
		if test.names == nil {
			test.names = names
		}
		require.Len(t, history, len(test.names))
		for i, h := range history {
			require.Equal(t, test.names[i], h.ServiceName)
			require.Equal(t, time.Minute, h.Periods[test.periods-1].Down)
		}
	}
	before := len(server.Requests())
	states, err := model.FindStates(t.Context(), healthcheck.FindStatesOptions{})
	require.NoError(t, err)
	require.Len(t, states, services)
	require.Len(t, server.Requests(), before+3)
}

func TestInvalidHistoryIsNotAskedFor(t *testing.T) {
	t.Parallel()
	server := modeltest.Start(t)
	model := modelOf(server)
	hour := []healthcheck.TimeRange{{Start: midday, End: midday.Add(time.Hour)}}
	for message, options := range map[string]healthcheck.HistoryOptions{
		"periods must be 1…1000, not 0":                                                   {},
		"periods must be 1…1000, not 1001":                                                {Periods: healthcheck.Days(1001, midday, nil)},
		"period 1: start and end must be set":                                             {Periods: []healthcheck.TimeRange{{End: midday}}},
		"period 2: end must not be before start":                                          {Periods: append(hour, healthcheck.TimeRange{Start: midday, End: midday.Add(-1)})},
		"period 1: end must be at most 290 years after start":                             {Periods: []healthcheck.TimeRange{{Start: midday, End: midday.AddDate(300, 0, 0)}}},
		"slot must be whole minutes that divide an hour (0: 1 minute), not 7m0s":          {Periods: hour, Slot: 7 * time.Minute},
		"slot must be whole minutes that divide an hour (0: 1 minute), not 30s":           {Periods: hour, Slot: 30 * time.Second},
		"slot must be whole minutes that divide an hour (0: 1 minute), not -1m0s":         {Periods: hour, Slot: -time.Minute},
		"slot must be whole minutes that divide an hour (0: 1 minute), not 2h0m0s":        {Periods: hour, Slot: 2 * time.Hour},
		"quantile 2 must be within 0…1, not NaN; quantile 3 must be within 0…1, not 1.01": {Periods: hour, Quantiles: []float64{0.5, math.NaN(), 1.01}},
		"service name 2: service_name must not be blank; quantile 1 must be within 0…1, not -0.1": {
			ServiceNames: []string{"api", " "}, Periods: hour, Quantiles: []float64{-0.1},
		},
	} {
		_, err := model.FindHistory(t.Context(), options)
		modeltest.RequireInvalid(t, server, err, message)
	}
	_, err := model.FindStates(t.Context(), healthcheck.FindStatesOptions{ServiceNames: []string{""}, SeenSince: midday.AddDate(9000, 0, 0)})
	modeltest.RequireInvalid(t, server, err, "service name 1: service_name must not be blank; seenSince must be within the years 1…9999 (UTC), not 11026")
	modeltest.RequireInvalid(t, server, model.RebuildHistory(t.Context(), time.Time{}, midday), "since and until must be set")
	modeltest.RequireInvalid(t, server, model.RebuildHistory(t.Context(), midday, midday), "until must be after since")
	_, err = model.DeleteHistoryOlderThan(t.Context(), 0)
	modeltest.RequireInvalid(t, server, err, "days must be within 1…36500, not 0")
}

// An answer that cannot be is an error, whatever answers.
func TestImpossibleHistoryIsRefused(t *testing.T) {
	t.Parallel()
	server := modeltest.Start(t)
	model := modelOf(server)
	options := healthcheck.HistoryOptions{
		ServiceNames: []string{"api"}, Periods: []healthcheck.TimeRange{{Start: midday, End: midday.Add(time.Hour)}}, Quantiles: []float64{0.5},
	}
	const right = `{"checks": 2, "sum_ms": 5, "min_ms": 1, "max_ms": 4, "quantiles_ms": [1]}`
	answer := func(text string) error {
		server.HandleRPC("service_history", func(json.RawMessage) (any, error) { return json.RawMessage(text), nil })
		_, err := model.FindHistory(t.Context(), options)
		return err
	}
	require.NoError(t, answer(`[{"service_name": "api", "minutes": [[60, 0, 0]], "latency": [`+right+`]}]`))
	require.NoError(t, answer(`[{"service_name": "api", "minutes": [[1, 2, 3]], "latency": null, "later": 1}]`))
	for _, text := range []string{
		`null`, `{}`, `[null]`, `[{}]`, `7`,
		`[{"service_name": "api", "minutes": []}]`,
		`[{"service_name": "api", "minutes": [[1, 2]]}]`,
		`[{"service_name": "api", "minutes": [[1, 2, 3, 4]]}]`,
		`[{"service_name": "api", "minutes": [[1, -2, 3]]}]`,
		`[{"service_name": "api", "minutes": [[50, 10, 1]]}]`,
		`[{"service_name": "api", "minutes": [[9223372036854775807, 9223372036854775807, 9223372036854775807]]}]`,
		`[{"service_name": "api", "minutes": [[1, 2, 3], [1, 2, 3]]}]`,
		`[{"service_name": "api", "minutes": [[1, 2, 3]], "latency": []}]`,
		`[{"service_name": "api", "minutes": [[1, 2, 3]], "latency": [{"checks": 0, "quantiles_ms": [1]}]}]`,
		`[{"service_name": "api", "minutes": [[1, 2, 3]], "latency": [{"checks": 2, "quantiles_ms": []}]}]`,
		`[{"service_name": "api", "minutes": [[1, 2, 3]], "latency": [{"checks": 1, "sum_ms": -1, "min_ms": 0, "max_ms": 1, "quantiles_ms": [1]}]}]`,
		`[{"service_name": "api", "minutes": [[1, 2, 3]], "latency": [{"checks": 1, "sum_ms": 1, "min_ms": 2, "max_ms": 1, "quantiles_ms": [1]}]}]`,
		`[{"service_name": "api", "minutes": [[1, 2, 3]], "latency": [{"checks": 1, "sum_ms": 1, "min_ms": 1, "max_ms": 2, "quantiles_ms": [2.1]}]}]`,
		`[{"service_name": "web", "minutes": [[1, 2, 3]]}]`,
		`[{"service_name": "api", "minutes": [[1, 2, 3]]}, {"service_name": "api", "minutes": [[1, 2, 3]]}]`,
	} {
		err := modeltest.AsError(t, answer(text))
		require.Equal(t, 200, err.Status, text)
		require.False(t, err.Uncertain)
	}
	const latest = `{"id": "x", "service_name": "api", "checked_at": "2026-01-01T00:00:00Z"}`
	for _, text := range []string{
		`null`, `[{}]`, `[{"latest": {"id": "x", "service_name": "web", "checked_at": "2026-01-01T00:00:00Z"}, "since": "2026-01-01T00:00:00Z", "checks": 1}]`,
		`[{"latest": ` + latest + `, "since": "2026-01-01T00:00:00Z"}]`, `[{"latest": ` + latest + `, "checks": 1}]`,
		`[{"latest": ` + latest + `, "since": "2026-01-01T00:00:00.000001Z", "checks": 1}]`,
	} {
		server.HandleRPC("service_states", func(json.RawMessage) (any, error) { return json.RawMessage(text), nil })
		_, err := model.FindStates(t.Context(), healthcheck.FindStatesOptions{ServiceNames: []string{"api"}})
		require.Equal(t, 200, modeltest.AsError(t, err).Status, text)
	}
	for _, text := range []string{`{}`, `{"hours": -1}`} {
		server.HandleRPC("rebuild_service_history", func(json.RawMessage) (any, error) { return json.RawMessage(text), nil })
		require.True(t, modeltest.IsUncertain(t, model.RebuildHistory(t.Context(), midday, midday.Add(time.Hour))))
	}
	for _, text := range []string{`{}`, `{"deleted": -1}`, `{"deleted": 1001}`} {
		server.HandleRPC("delete_service_history", func(json.RawMessage) (any, error) { return json.RawMessage(text), nil })
		_, err := model.DeleteHistoryOlderThan(t.Context(), 1)
		require.True(t, modeltest.IsUncertain(t, err), text)
	}
}

// Whole hours are rebuilt, a day at a time, and fewer where that takes too long.
func TestRebuildHistoryInSlices(t *testing.T) {
	t.Parallel()
	server := modeltest.Start(t)
	model := modelOf(server)
	type slice struct{ Since, Until time.Time }
	var rebuilt []slice
	longest := 24 * time.Hour
	server.HandleRPC("rebuild_service_history", func(args json.RawMessage) (any, error) {
		var s slice
		if err := json.Unmarshal(args, &s); err != nil {
			return nil, err
		}
		if s.Until.Sub(s.Since) > longest {
			return nil, &supabase.Error{Code: "57014", Message: "canceling statement due to statement timeout"}
		}
		rebuilt = append(rebuilt, s)
		return map[string]int{"hours": 1}, nil
	})
	for limit, want := range map[time.Duration]int{24 * time.Hour: 3, 7 * time.Hour: 8, time.Hour: 50} {
		rebuilt, longest = nil, limit
		require.NoError(t, model.RebuildHistory(t.Context(), midday.Add(time.Minute), midday.Add(49*time.Hour+time.Second)))
		require.LessOrEqual(t, len(rebuilt), 50)
		require.GreaterOrEqual(t, len(rebuilt), want)
		require.True(t, rebuilt[0].Since.Equal(midday))
		for i := 1; i < len(rebuilt); i++ {
			require.Equal(t, rebuilt[i-1].Until, rebuilt[i].Since)
		}
		require.True(t, rebuilt[len(rebuilt)-1].Until.Equal(midday.Add(50*time.Hour)))
	}
	longest = 0
	err := model.RebuildHistory(t.Context(), midday, midday.Add(time.Hour))
	require.ErrorIs(t, err, supabase.ErrUnavailable)
	require.Equal(t, "57014", modeltest.AsError(t, err).Code)
}

// What was deleted stays in the history; what was corrected is in it once rebuilt; what
// is old goes.
func TestRebuildAndDeleteHistory(t *testing.T) {
	t.Parallel()
	server := modeltest.Start(t)
	model := modelOf(server)
	now := time.Now().UTC().Truncate(time.Hour)
	store := func(at time.Time, status string) {
		modeltest.Store(t, server, "service_health_checks", map[string]any{"service_name": "api", "status": status, "checked_at": at})
	}
	down := func() time.Duration {
		history, err := model.FindHistory(t.Context(), healthcheck.HistoryOptions{Periods: []healthcheck.TimeRange{{Start: now.AddDate(-2, 0, 0), End: now.Add(time.Hour)}}})
		require.NoError(t, err)
		if len(history) == 0 {
			return -1
		}
		return history[0].Periods[0].Down
	}
	store(now, "down")
	store(now.AddDate(0, 0, -400), "down")
	require.Equal(t, 2*time.Minute, down())
	require.NoError(t, deleteAll(t, server))
	store(now, "healthy")
	require.NoError(t, model.RebuildHistory(t.Context(), now.AddDate(0, 0, -1), now.Add(time.Minute)))
	require.Equal(t, time.Minute, down(), "the hour without a check stays")
	deleted, err := model.DeleteHistoryOlderThan(t.Context(), 365)
	require.NoError(t, err)
	require.Equal(t, int64(1), deleted)
	require.Equal(t, time.Duration(0), down())
	require.NoError(t, errors.Join(model.RebuildHistory(t.Context(), now.AddDate(0, 0, -1), now.AddDate(0, 0, 1))))
	require.Equal(t, time.Duration(0), down())
}
