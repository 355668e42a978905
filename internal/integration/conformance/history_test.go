package conformance_test

import (
	"cmp"
	"context"
	"maps"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/healthcheck"
	bruteforce "github.com/supavigil/supavigil/internal/integration/history/reference"
	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// TestHistoriesAgreeWithTheReference stores, repeats, deletes and rebuilds at random in
// the double and in the reference at once: histories and states are equal, always.
func TestHistoriesAgreeWithTheReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		server := supabasetest.NewServer()
		defer server.Close()
		config := server.Config()
		config.Transport = server.Transport()
		newPast(t, rt, open(t, double, config)).live(0)
	})
}

// TestHistoriesOfRealServersAgreeWithTheReference does the same on PostgreSQL, in fewer
// rounds, or with SUPAVIGIL_LONG=1 in as many as -rapid.checks says.
func TestHistoriesOfRealServersAgreeWithTheReference(t *testing.T) {
	t.Parallel()
	for _, kind := range realserver.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server, err := realserver.Start(context.Background(), kind, realserver.Options{Migrations: migrations.FS, Postgres: realserver.SharedPostgres(t)})
			realserver.Need(t, err)
			t.Cleanup(func() { require.NoError(t, server.Stop()) })
			s := open(t, kind, server.Config())
			const rounds = 4
			var done atomic.Int64
			rapid.Check(t, func(rt *rapid.T) {
				if done.Add(1) > rounds && os.Getenv("SUPAVIGIL_LONG") != "1" {
					return
				}
				s.empty(t)
				newPast(t, rt, s).live(25)
			})
		})
	}
}

// A past is what services of its own were like, in a database and in the reference.
// History outlives an emptied table, so each past has other services.
type past struct {
	*rapid.T
	suite     *suite
	loss      *loseFirst
	reference bruteforce.Database
	prefix    string
	place     place
}

// A place is a zone and a time at which something happened to its clocks.
type place struct {
	zone string
	then time.Time
}

var places = []place{
	{"Europe/Berlin", time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)},
	{"Europe/Berlin", time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)},
	{"Asia/Kolkata", time.Date(2026, 1, 1, 18, 30, 0, 0, time.UTC)},
	{"Asia/Kathmandu", time.Date(1985, 12, 31, 18, 30, 0, 0, time.UTC)},
	{"America/St_Johns", time.Date(2026, 11, 1, 4, 30, 0, 0, time.UTC)},
	{"America/St_Johns", time.Date(2010, 11, 7, 2, 31, 0, 0, time.UTC)}, // a minute after midnight
	{"Pacific/Apia", time.Date(2011, 12, 30, 10, 0, 0, 0, time.UTC)},    // a date that never was
	{"Australia/Lord_Howe", time.Date(2026, 4, 4, 15, 0, 0, 0, time.UTC)},
	{"Australia/Lord_Howe", time.Date(2026, 10, 3, 15, 30, 0, 0, time.UTC)},
	{"America/Santiago", time.Date(2026, 9, 6, 4, 0, 0, 0, time.UTC)}, // no midnight
	{"Asia/Beirut", time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC)},    // nor here
	{"UTC", time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)},
	{"UTC", time.Date(2040, 2, 29, 0, 0, 0, 0, time.UTC)}, // a prober's clock was wrong
}

func newPast(t *testing.T, rt *rapid.T, s *suite) *past {
	t.Helper()
	p := &past{T: rt, loss: &loseFirst{RoundTripper: cmp.Or(s.config.Transport, http.DefaultTransport)}, prefix: uuid.NewString(), place: rapid.SampledFrom(places).Draw(rt, "place")}
	p.loss.lost.Store(true)
	config := s.config
	config.Transport = p.loss
	p.suite = open(t, s.kind, config)
	return p
}

// live does so many things, or as many as rapid likes.
func (p *past) live(steps int) {
	actions := map[string]func(*rapid.T){}
	for name, action := range map[string]func(*past){
		"store": (*past).store, "store many": (*past).storeMany, "repeat": (*past).repeat, "forget checks": (*past).forgetChecks,
		"rebuild": (*past).rebuild, "forget history": (*past).forgetHistory, "history": (*past).history, "states": (*past).states,
	} {
		actions[name] = func(rt *rapid.T) {
			p.T = rt
			action(p)
		}
	}
	if steps == 0 {
		p.Repeat(actions)
		return
	}
	names := rapid.SampledFrom(slices.Sorted(maps.Keys(actions)))
	for range steps {
		actions[names.Draw(p.T, "action")](p.T)
	}
	p.history()
	p.states()
}

func (p *past) service() string {
	return p.prefix + rapid.SampledFrom([]string{"", "A", "a", "é"}).Draw(p.T, "service")
}

// lose has the answer to the next request lost, at times.
func (p *past) lose() { p.loss.lost.Store(rapid.IntRange(0, 19).Draw(p.T, "lose") > 0) }

// near is around what happened in the place, some of it late by months; often in one
// of few minutes, so that several checks share it.
func (p *past) near(name string) time.Time {
	at := p.place.then.Add(time.Duration(rapid.IntRange(-40, 40).Draw(p.T, name+", hours")) * 30 * time.Minute)
	at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 4, 5, 29, 59}).Draw(p.T, name+", minutes")) * time.Minute)
	at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 30_000_000, 59_999_999}).Draw(p.T, name+", microseconds")) * time.Microsecond)
	return at.AddDate(0, 0, -rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 30, 90}).Draw(p.T, name+", days"))
}

func (p *past) check() bruteforce.Check {
	c := bruteforce.Check{
		ID: uuid.NewString(), Service: p.service(), CheckedAt: p.near("checked_at"),
		Status: rapid.SampledFrom([]string{"healthy", "healthy", "degraded", "down"}).Draw(p.T, "status"),
	}
	if measured := rapid.IntRange(0, 4).Draw(p.T, "measured"); measured > 0 {
		c.LatencyMS = new(rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, 70_000), rapid.SampledFrom([]int{0, 31, 32, 33, math.MaxInt32})).Draw(p.T, "latency"))
	}
	return c
}

// store stores a row as other programs may: without a time, or with a negative latency.
func (p *past) store() {
	c := p.check()
	row := map[string]any{"id": c.ID, "service_name": c.Service, "status": c.Status, "created_at": p.created()}
	if rapid.IntRange(0, 5).Draw(p.T, "negative") == 0 {
		c.LatencyMS = new(-1)
	}
	if rapid.IntRange(0, 5).Draw(p.T, "no time") == 0 {
		c.CheckedAt = time.Time{}
	}
	if row["latency_ms"] = c.LatencyMS; c.LatencyMS == nil {
		row["latency_ms"] = nil
	}
	if row["checked_at"] = c.CheckedAt; c.CheckedAt.IsZero() {
		row["checked_at"] = nil
	}
	_, _, err := p.suite.client.From(checksTable).Insert(row, false, "", "minimal", "").ExecuteWithContext(p.Context())
	require.NoError(p, err)
	p.reference.Insert(c)
}

// created is old for some, which retention takes: by then they may be of any time.
func (p *past) created() time.Time {
	return time.Now().AddDate(0, 0, -rapid.SampledFrom([]int{0, 10}).Draw(p.T, "created, days ago"))
}

func (p *past) storeMany() {
	checks := make([]bruteforce.Check, rapid.IntRange(1, 40).Draw(p.T, "checks"))
	data := make([]healthcheck.CreateHealthCheckData, len(checks))
	for i := range checks {
		checks[i] = p.check()
		data[i] = dataOf(checks[i])
	}
	p.lose()
	stored, err := p.suite.checks.CreateMany(p.Context(), data)
	require.NoError(p, err)
	require.EqualValues(p, len(data), stored)
	p.reference.Insert(checks...)
}

func dataOf(c bruteforce.Check) healthcheck.CreateHealthCheckData {
	return healthcheck.CreateHealthCheckData{ID: c.ID, ServiceName: c.Service, Status: healthcheck.Status(c.Status), LatencyMS: c.LatencyMS, CheckedAt: c.CheckedAt}
}

// repeat stores a check that is there once more, which must not count.
func (p *past) repeat() {
	rows := slices.DeleteFunc(p.reference.Rows(), func(c bruteforce.Check) bool { return c.CheckedAt.IsZero() || c.LatencyMS != nil && *c.LatencyMS < 0 })
	if len(rows) == 0 {
		return
	}
	_, err := p.suite.checks.CreateMany(p.Context(), []healthcheck.CreateHealthCheckData{
		dataOf(p.check()), dataOf(rapid.SampledFrom(rows).Draw(p.T, "repeated")),
	})
	require.Error(p, err)
}

// forgetChecks deletes what was created long ago: of the rows that are left, those are
// the reference's.
func (p *past) forgetChecks() {
	p.lose()
	_, err := p.suite.checks.DeleteOlderThan(p.Context(), 5)
	require.NoError(p, err)
	left := map[string]bool{}
	for check, err := range p.suite.checks.All(p.Context(), healthcheck.FindAllOptions{}) {
		require.NoError(p, err)
		left[check.ID] = true
	}
	p.reference.Delete(func(c bruteforce.Check) bool { return !left[c.ID] })
}

func (p *past) rebuild() {
	since := p.near("since")
	until := since.Add(time.Duration(rapid.IntRange(1, 40*60).Draw(p.T, "minutes")) * time.Minute)
	p.lose()
	require.NoError(p, p.suite.checks.RebuildHistory(p.Context(), since, until))
	p.reference.Rebuild(since, until)
}

// forgetHistory asks again where an hour ended meanwhile: which of the two counted is
// not known then.
func (p *past) forgetHistory() {
	days := rapid.SampledFrom([]int{100, 5000, 6000, 36_500}).Draw(p.T, "days")
	var hour time.Time
	for now := time.Now(); now.Truncate(time.Hour) != hour; now = time.Now() {
		hour = now.Truncate(time.Hour)
		_, err := p.suite.checks.DeleteHistoryOlderThan(p.Context(), days)
		require.NoError(p, err)
	}
	p.reference.DeleteHistory(hour.UTC().AddDate(0, 0, -days))
}

func (p *past) names() []string {
	if rapid.IntRange(0, 2).Draw(p.T, "every service") == 0 {
		return nil
	}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		return p.prefix + rapid.SampledFrom([]string{"", "A", "a", "é", "never"}).Draw(t, "service")
	}), 1, 5).Draw(p.T, "services")
}

// ours leaves out the services of other pasts.
func ours[E any](p *past, all []E, name func(E) string) []E {
	return slices.DeleteFunc(all, func(e E) bool { return !strings.HasPrefix(name(e), p.prefix) })
}

func (p *past) periods() (periods []healthcheck.TimeRange) {
	location, err := time.LoadLocation(p.place.zone)
	require.NoError(p, err)
	for range rapid.IntRange(1, 4).Draw(p.T, "periods") {
		start := p.near("start")
		periods = append(periods, healthcheck.TimeRange{Start: start, End: start.Add(time.Duration(rapid.IntRange(0, 3000).Draw(p.T, "length")) * time.Minute)})
	}
	days := rapid.SampledFrom([]int{0, 3, 95}).Draw(p.T, "days")
	return append(periods, healthcheck.Days(days, p.near("until").Add(24*time.Hour), location)...)
}

func (p *past) history() {
	options := healthcheck.HistoryOptions{
		ServiceNames: p.names(), Periods: p.periods(),
		Slot:       rapid.SampledFrom([]time.Duration{0, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}).Draw(p.T, "slot"),
		AnyHealthy: rapid.Bool().Draw(p.T, "any healthy"),
		Quantiles:  rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom([]float64{0, 0.5, 0.95, 1}), rapid.Float64Range(0, 1)), 0, 3).Draw(p.T, "quantiles"),
	}
	query := bruteforce.Query{Services: options.ServiceNames, AnyHealthy: options.AnyHealthy, SlotMinutes: max(int(options.Slot.Minutes()), 1), Quantiles: options.Quantiles}
	for _, r := range options.Periods {
		query.Periods = append(query.Periods, bruteforce.Range(r))
	}
	want := p.reference.History(query)
	p.lose()
	found, err := p.suite.checks.FindHistory(p.Context(), options)
	require.NoError(p, err)
	got := ours(p, found, func(h healthcheck.ServiceHistory) string { return h.ServiceName })
	require.Len(p, got, len(want))
	for i, service := range want {
		require.Equal(p, service.Name, got[i].ServiceName)
		require.Len(p, got[i].Periods, len(service.Periods))
		for j, period := range service.Periods {
			require.Equal(p, asPeriod(options.Periods[j], period), got[i].Periods[j], "%s, period %d", service.Name, j)
		}
	}
}

// asPeriod is what the reference says in the model's terms.
func asPeriod(r healthcheck.TimeRange, p bruteforce.Period) healthcheck.Period {
	as := healthcheck.Period{
		TimeRange: r, Healthy: time.Duration(p.Healthy) * time.Minute, Degraded: time.Duration(p.Degraded) * time.Minute,
		Down: time.Duration(p.Down) * time.Minute, Unknown: time.Duration(p.Unknown) * time.Minute,
	}
	if l := p.Latency; l != nil {
		as.Latency = healthcheck.Latency{Checks: l.Checks, MeanMS: float64(l.SumMS) / float64(l.Checks), MinMS: l.MinMS, MaxMS: l.MaxMS, QuantilesMS: l.QuantilesMS}
	}
	return as
}

func (p *past) states() {
	options := healthcheck.FindStatesOptions{ServiceNames: p.names()}
	if rapid.Bool().Draw(p.T, "seen since") {
		options.SeenSince = p.near("seen since")
	}
	p.lose()
	found, err := p.suite.checks.FindStates(p.Context(), options)
	require.NoError(p, err)
	type state struct {
		id, service, status string
		checkedAt, since    time.Time
		checks              int
	}
	want, got := []state{}, []state{}
	for _, s := range p.reference.States(options.ServiceNames, options.SeenSince) {
		want = append(want, state{s.Latest.ID, s.Latest.Service, s.Latest.Status, s.Latest.CheckedAt, s.Since, s.Checks})
	}
	for _, s := range ours(p, found, func(s healthcheck.ServiceState) string { return s.Latest.ServiceName }) {
		got = append(got, state{s.Latest.ID, s.Latest.ServiceName, string(s.Latest.Status), s.Latest.CheckedAt, s.Since, s.Checks})
	}
	require.Equal(p, want, got)
}
