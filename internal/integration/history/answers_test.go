package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/internal/integration/history/reference"
)

// wanted are services to ask for; nil stands for every one.
func (l *life) wanted() []string {
	if rapid.Bool().Draw(l.T, "every service") {
		return nil
	}
	return rapid.SliceOfN(rapid.SampledFrom(append(slices.Clone(names), "never")), 1, 5).Draw(l.T, "services")
}

func (l *life) periods() (periods []reference.Range) {
	location, err := time.LoadLocation(l.place.zone)
	require.NoError(l, err)
	for range rapid.IntRange(1, 4).Draw(l.T, "periods") {
		start := l.near("start").Truncate(time.Minute)
		periods = append(periods, reference.Range{Start: start, End: start.Add(time.Duration(rapid.IntRange(0, 3000).Draw(l.T, "length")) * time.Minute)})
	}
	if days := rapid.SampledFrom([]int{0, 0, 4, 10}).Draw(l.T, "days"); days > 0 {
		periods = append(periods, reference.Days(days, l.near("until").Truncate(time.Minute), location)...)
		if rapid.Bool().Draw(l.T, "all of them") {
			periods = append(periods, reference.Range{Start: periods[len(periods)-days].Start, End: periods[len(periods)-1].End})
		}
	}
	return periods
}

// service is one of service_history's.
type service struct {
	Name    string   `json:"service_name"`
	Minutes [][3]int `json:"minutes"`
	Latency []*struct {
		Checks      int64     `json:"checks"`
		SumMS       int64     `json:"sum_ms"`
		MinMS       int       `json:"min_ms"`
		MaxMS       int       `json:"max_ms"`
		QuantilesMS []float64 `json:"quantiles_ms"`
	} `json:"latency"`
}

func (l *life) history() {
	query := reference.Query{
		Services: l.wanted(), Periods: l.periods(), AnyHealthy: rapid.Bool().Draw(l.T, "any healthy"),
		SlotMinutes: rapid.SampledFrom([]int{1, 2, 3, 5, 15, 20, 60}).Draw(l.T, "slot"),
		Quantiles:   rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom([]float64{0, 0.5, 0.95, 1}), rapid.Float64Range(0, 1)), 0, 3).Draw(l.T, "quantiles"),
	}
	some := rapid.IntRange(1, 7).Draw(l.T, "services in an answer")
	if query.Services != nil {
		some = len(query.Services)
	}
	starts := array(query.Periods, func(r reference.Range) string { return moment(r.Start) }, "timestamptz")
	ends := array(query.Periods, func(r reference.Range) string { return moment(r.End) }, "timestamptz")
	var got []service
	for after := null; ; after = quote(got[len(got)-1].Name) {
		more := call[[]service](l, l.database, "service_history", "service_names", array(query.Services, quote, "text"), "after_service", after,
			"max_services", some, "starts", starts, "ends", ends, "slot_minutes", query.SlotMinutes,
			"any_healthy", query.AnyHealthy, "quantiles", array(query.Quantiles, func(q float64) string { return fmt.Sprint(q) }, "float8"))
		got = append(got, more...)
		if len(more) < some || query.Services != nil {
			break
		}
	}
	// Go adds the named ones that the functions have nothing of.
	want := slices.DeleteFunc(l.reference.History(query), func(s reference.Service) bool {
		return query.Services != nil && !slices.ContainsFunc(l.reference.History(reference.Query{}), func(with reference.Service) bool { return with.Name == s.Name })
	})
	require.Len(l, got, len(want))
	for i, s := range want {
		require.Equal(l, s.Name, got[i].Name)
		for j, p := range s.Periods {
			require.Equal(l, [3]int{p.Healthy, p.Degraded, p.Down}, got[i].Minutes[j], "%s, %v", s.Name, query.Periods[j])
			l.latency(p.Latency, got[i], j)
		}
	}
	l.days()
}

func (l *life) latency(want *reference.Latency, got service, period int) {
	if got.Latency == nil || want == nil || got.Latency[period] == nil {
		require.True(l, want == nil && (got.Latency == nil || got.Latency[period] == nil), "%s has a latency: %v, %v", got.Name, want, got.Latency)
		return
	}
	found := got.Latency[period]
	require.Equal(l, reference.Latency{
		Checks: found.Checks, SumMS: found.SumMS, MinMS: found.MinMS, MaxMS: found.MaxMS, QuantilesMS: found.QuantilesMS, ExactMS: want.ExactMS,
	}, *want, got.Name)
	for i, exact := range want.ExactMS {
		allowed := float64(exact) / 33
		if exact < 32 {
			allowed = 0
		}
		require.LessOrEqual(l, math.Abs(found.QuantilesMS[i]-float64(exact)), allowed)
	}
}

// days looks at what is kept beside the hours.
func (l *life) days() {
	wrong := l.run(`SELECT d.service_name, d.day FROM service_history_days d LEFT JOIN LATERAL (
			SELECT sum(h.checks) AS checks, sum(h.sum_ms) AS sum_ms, min(h.min_ms) AS min_ms, max(h.max_ms) AS max_ms
			FROM service_history_hours h WHERE h.service_name = d.service_name AND date_trunc('day', h.hour, 'UTC') = d.day
		) h ON true WHERE NOT d.stale AND (d.checks, d.sum_ms, d.min_ms, d.max_ms) IS DISTINCT FROM (coalesce(h.checks, 0), coalesce(h.sum_ms, 0), h.min_ms, h.max_ms)`)
	require.Empty(l, wrong)
}

func (l *life) states() {
	wanted := l.wanted()
	var seenSince time.Time
	if rapid.Bool().Draw(l.T, "seen since") {
		seenSince = l.near("seen since")
	}
	some := rapid.IntRange(1, 7).Draw(l.T, "states in an answer")
	if wanted != nil {
		some = len(wanted)
	}
	type state struct {
		Latest struct {
			ID      string `json:"id"`
			Service string `json:"service_name"`
		} `json:"latest"`
		Since  time.Time `json:"since"`
		Checks int       `json:"checks"`
	}
	var got []state
	for after := null; ; after = quote(got[len(got)-1].Latest.Service) {
		more := call[[]state](l, l.database, "service_states", "service_names", array(wanted, quote, "text"), "seen_since", moment(seenSince), "after_service", after, "max_services", some)
		got = append(got, more...)
		if len(more) < some || wanted != nil {
			break
		}
	}
	slices.SortFunc(got, func(a, b state) int { return cmp.Compare(a.Latest.Service, b.Latest.Service) }) // pages follow the database's order
	var want []state
	for _, s := range l.reference.States(wanted, seenSince) {
		one := state{Since: s.Since, Checks: s.Checks}
		one.Latest.ID, one.Latest.Service = s.Latest.ID, s.Latest.Service
		want = append(want, one)
	}
	for i := range got {
		got[i].Since = got[i].Since.UTC()
	}
	for i := range want {
		want[i].Since = want[i].Since.UTC()
	}
	require.Equal(l, want, got)
}
