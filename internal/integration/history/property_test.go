package history

import (
	"sync/atomic"
	"testing"
	"time"

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
