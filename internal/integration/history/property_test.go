package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/internal/integration/history/reference"
)

// TestHistoryAgreesWithTheReference lives many short lives at random, for some seconds;
// with SUPAVIGIL_LONG=1 for five minutes, if -rapid.checks allows as many.
func TestHistoryAgreesWithTheReference(t *testing.T) {
	t.Parallel()
	limit := 6 * time.Second
	if long() {
		limit = 5 * time.Minute
	}
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			var lives, deeds atomic.Int64
			begun, differed := time.Now(), false
			rapid.Check(t, func(rt *rapid.T) {
				if !differed && time.Since(begun) > limit {
					return
				}
				whole := false
				defer func() { differed = differed || !whole }() // and is to differ again
				l := &life{T: rt, database: d, place: rapid.SampledFrom(places).Draw(rt, "place")}
				l.run("RESET ROLE; TRUNCATE service_health_checks, service_history_hours, service_history_days; SET ROLE service_role")
				for range rapid.IntRange(1, 30).Draw(rt, "deeds") {
					l.act()
					deeds.Add(1)
				}
				l.history()
				l.states()
				lives.Add(1)
				whole = true
			})
			t.Logf("%d lives, %d deeds", lives.Load(), deeds.Load())
		})
	}
}

// places are zones, and times at which something happened to their clocks. The zero
// time is now, where days are not over yet.
var places = []struct {
	zone string
	then time.Time
}{
	{"Europe/Berlin", time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)},
	{"Europe/Berlin", time.Date(2025, 10, 26, 1, 0, 0, 0, time.UTC)},
	{"Asia/Kolkata", time.Date(2026, 1, 1, 18, 30, 0, 0, time.UTC)},
	{"Asia/Kathmandu", time.Time{}},
	{"America/St_Johns", time.Date(2026, 3, 8, 5, 30, 0, 0, time.UTC)},
	{"Pacific/Apia", time.Date(2011, 12, 30, 10, 0, 0, 0, time.UTC)},
	{"Australia/Lord_Howe", time.Date(2026, 4, 4, 15, 0, 0, 0, time.UTC)},
	{"America/Santiago", time.Date(2025, 9, 7, 4, 0, 0, 0, time.UTC)},
	{"Asia/Beirut", time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC)},
	{"UTC", time.Time{}},
	{"UTC", time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)},
	{"UTC", time.Date(2050, 2, 28, 23, 0, 0, 0, time.UTC)}, // a prober's clock is wrong
}

// A life is what is done to one database and to the reference.
type life struct {
	*rapid.T
	database  database
	reference reference.Database
	place     struct {
		zone string
		then time.Time
	}
}

func (l *life) run(sql string) [][]*string { return must(l, l.database, sql) }

func (l *life) act() {
	// Storing comes often, so that there is something to be asked about.
	rapid.SampledFrom([]func(){l.store, l.store, l.store, l.repeat, l.odd, l.deleteChecks, l.rebuild, l.deleteHistory, l.history, l.states}).Draw(l.T, "deed")()
}

var names = []string{"api", "Api", "ápi", "b", "web'", "web"}

// near is around what happened in the place, or late by months; often in one of few
// minutes, so that several checks share it.
func (l *life) near(name string) time.Time {
	at := l.place.then
	if at.IsZero() {
		at = time.Now().UTC().Truncate(time.Hour)
	}
	at = at.Add(time.Duration(rapid.IntRange(-100, 100).Draw(l.T, name+", half hours")) * 30 * time.Minute)
	at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 4, 5, 29}).Draw(l.T, name+", minutes")) * time.Minute)
	at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 30_000_000, 59_999_999}).Draw(l.T, name+", microseconds")) * time.Microsecond)
	return at.AddDate(0, 0, -rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 3, 30, 90}).Draw(l.T, name+", days"))
}

func (l *life) check() reference.Check {
	c := reference.Check{
		ID: uuid.NewString(), Service: rapid.SampledFrom(names).Draw(l.T, "service"), CheckedAt: l.near("checked_at"),
		Status: rapid.SampledFrom([]string{"healthy", "healthy", "healthy", "degraded", "down", "unheard of"}).Draw(l.T, "status"),
	}
	if rapid.IntRange(0, 4).Draw(l.T, "measured") > 0 {
		c.LatencyMS = new(rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, 70_000), rapid.IntRange(0, math.MaxInt32),
			rapid.SampledFrom([]int{-1, math.MinInt32, 31, 32, 33, 1<<30 - 1, 1 << 30, math.MaxInt32})).Draw(l.T, "latency"))
	}
	if rapid.IntRange(0, 9).Draw(l.T, "no time") == 0 {
		c.CheckedAt = time.Time{}
	}
	return c
}

func insert(checks []reference.Check) string {
	rows := make([]string, len(checks))
	for i, c := range checks {
		latency := null
		if c.LatencyMS != nil {
			latency = fmt.Sprint(*c.LatencyMS)
		}
		rows[i] = fmt.Sprintf("(%s, %s, %s, %s, %s)", quote(c.ID), quote(c.Service), quote(c.Status), latency, moment(c.CheckedAt))
	}
	return "INSERT INTO service_health_checks (id, service_name, status, latency_ms, checked_at) VALUES " + strings.Join(rows, ", ")
}

func (l *life) store() {
	checks := make([]reference.Check, rapid.IntRange(1, 60).Draw(l.T, "checks"))
	for i := range checks {
		checks[i] = l.check()
	}
	l.run(insert(checks))
	l.reference.Insert(checks...)
}

// repeat stores checks once more, as after a lost answer, among new ones: the repeated
// are nothing, and a statement that fails leaves nothing.
func (l *life) repeat() {
	there := l.reference.Rows()
	if len(there) == 0 {
		return
	}
	checks := rapid.SliceOfN(rapid.SampledFrom(there), 1, 10).Draw(l.T, "repeated")
	fresh := l.check()
	_, err := l.database.Query(l.Context(), insert(append(checks, fresh)))
	require.ErrorContains(l, err, "service_health_checks_pkey")
	l.run(insert(append(checks, fresh)) + " ON CONFLICT DO NOTHING")
	l.reference.Insert(fresh)
}

// odd stores what no history can count, which fails no insert, and takes it back.
func (l *life) odd() {
	at := rapid.SampledFrom([]string{"infinity", "-infinity", "4714-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00"}).Draw(l.T, "odd time")
	l.run("INSERT INTO service_health_checks (service_name, status, latency_ms, checked_at, error_message) VALUES ('odd', 'healthy', 1, " + quote(at) + ", 'odd')")
	l.run("RESET ROLE; DELETE FROM service_health_checks WHERE error_message = 'odd'; DELETE FROM service_history_hours WHERE service_name = 'odd'; DELETE FROM service_history_days WHERE service_name = 'odd'; SET ROLE service_role")
}

func (l *life) deleteChecks() {
	ids := map[string]bool{}
	var quoted []string
	for _, c := range l.reference.Rows() {
		if rapid.IntRange(0, 3).Draw(l.T, "goes") == 0 {
			ids[c.ID] = true
			quoted = append(quoted, quote(c.ID))
		}
	}
	l.run("DELETE FROM service_health_checks WHERE id = ANY (" + array(append([]string{}, quoted...), func(s string) string { return s }, "uuid") + ")")
	l.reference.Delete(func(c reference.Check) bool { return ids[c.ID] })
}

func (l *life) rebuild() {
	since := l.near("since").Truncate(time.Hour)
	until := since.Add(time.Duration(rapid.IntRange(1, 100).Draw(l.T, "hours")) * time.Hour)
	rebuilt := call[map[string]int](l, l.database, "rebuild_service_history", "since", moment(since), "until", moment(until))
	require.Equal(l, map[string]int{"hours": l.reference.Rebuild(since, until)}, rebuilt)
}

// deleteHistory asks again where an hour ended meanwhile: which of the two counted is
// not known then.
func (l *life) deleteHistory() {
	days := rapid.SampledFrom([]int{1, 2, 3, 30, 100, 250, 20_000}).Draw(l.T, "days")
	rows := rapid.SampledFrom([]int{1, 7, 1000}).Draw(l.T, "rows")
	deleted := 0
	var hour time.Time
	for now := time.Now(); now.Truncate(time.Hour) != hour; now = time.Now() {
		hour = now.Truncate(time.Hour)
		for some := -1; some != 0; deleted += some {
			some = call[map[string]int](l, l.database, "delete_service_history", "older_than_days", fmt.Sprint(days), "max_rows", fmt.Sprint(rows))["deleted"]
			require.LessOrEqual(l, some, rows)
		}
	}
	require.Equal(l, l.reference.DeleteHistory(hour.UTC().AddDate(0, 0, -days)), deleted)
}

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
			"max_services", fmt.Sprint(some), "starts", starts, "ends", ends, "slot_minutes", fmt.Sprint(query.SlotMinutes),
			"any_healthy", fmt.Sprint(query.AnyHealthy), "quantiles", array(query.Quantiles, func(q float64) string { return fmt.Sprint(q) }, "float8"))
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
		more := call[[]state](l, l.database, "service_states", "service_names", array(wanted, quote, "text"), "seen_since", moment(seenSince), "after_service", after, "max_services", fmt.Sprint(some))
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
