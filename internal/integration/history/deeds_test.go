package history

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/internal/integration/history/reference"
)

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
			latency = strconv.Itoa(*c.LatencyMS)
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
			some = call[map[string]int](l, l.database, "delete_service_history", "older_than_days", days, "max_rows", rows)["deleted"]
			require.LessOrEqual(l, some, rows)
		}
	}
	require.Equal(l, l.reference.DeleteHistory(hour.UTC().AddDate(0, 0, -days)), deleted)
}
