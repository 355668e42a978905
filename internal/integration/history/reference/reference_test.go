package reference_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/integration/history/reference"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func check(service, status string, at time.Time, latency ...int) reference.Check {
	c := reference.Check{ID: fmt.Sprintf("00000000-0000-7000-8000-%012d", at.Unix()), Service: service, Status: status, CheckedAt: at}
	if len(latency) > 0 {
		c.LatencyMS = &latency[0]
	}
	return c
}

// The reference is held against what can be counted by hand.
func TestAnHourCountedByHand(t *testing.T) {
	t.Parallel()
	var d reference.Database
	d.Insert(
		check("api", "healthy", noon.Add(10*time.Second), 20),
		check("api", "down", noon.Add(70*time.Second), 9000),
		check("api", "healthy", noon.Add(80*time.Second), 100),
		check("api", "degraded", noon.Add(7*time.Minute+59*time.Second), 0),
		check("api", "healthy", time.Time{}, 5),
		check("api", "unheard of", noon, 5),
		check("api", "healthy", noon.Add(time.Hour), 1000),
		check("web", "down", noon),
	)
	hour := []reference.Range{{Start: noon.Add(30 * time.Second), End: noon.Add(time.Hour)}}
	history := func(slot int, anyHealthy bool) reference.Period {
		all := d.History(reference.Query{Services: []string{"api"}, Periods: hour, SlotMinutes: slot, AnyHealthy: anyHealthy})
		require.Len(t, all, 1)
		return all[0].Periods[0]
	}
	require.Equal(t, reference.Period{Healthy: 1, Degraded: 1, Down: 1, Unknown: 57}, history(1, false))
	require.Equal(t, reference.Period{Healthy: 2, Degraded: 1, Unknown: 57}, history(1, true))
	require.Equal(t, reference.Period{Degraded: 5, Down: 5, Unknown: 50}, history(5, false))
	require.Equal(t, reference.Period{Healthy: 60}, history(60, true))

	latency := d.History(reference.Query{Services: []string{"api", "none"}, Periods: hour, SlotMinutes: 1, Quantiles: []float64{0, 0.5, 1}})
	require.Equal(t, &reference.Latency{Checks: 3, SumMS: 120, MinMS: 0, MaxMS: 100, QuantilesMS: []float64{0, 20, 100}, ExactMS: []int{0, 20, 100}}, latency[0].Periods[0].Latency)
	require.Equal(t, []reference.Period{{Unknown: 60}}, latency[1].Periods)

	states := d.States(nil, time.Time{})
	require.Len(t, states, 2)
	require.Equal(t, "web", states[1].Latest.Service)
	require.Equal(t, noon.Add(time.Hour), states[0].Since)
	require.Equal(t, 1, states[0].Checks)
	require.Empty(t, d.States(nil, noon.Add(2*time.Hour)))
}

func TestHistoryOutlivesItsChecks(t *testing.T) {
	t.Parallel()
	var d reference.Database
	d.Insert(check("api", "healthy", noon, 20), check("api", "down", noon.Add(time.Minute)), check("api", "down", noon.Add(time.Hour)))
	day := []reference.Range{{Start: noon, End: noon.Add(2 * time.Hour)}}
	query := reference.Query{Periods: day, SlotMinutes: 1}
	require.Equal(t, 2, d.Delete(func(c reference.Check) bool { return c.Status == "down" }))
	require.Equal(t, reference.Period{Healthy: 1, Down: 2, Unknown: 117}, d.History(query)[0].Periods[0])
	require.Equal(t, 1, d.Rebuild(noon.Add(time.Minute), noon.Add(61*time.Minute)))
	require.Equal(t, reference.Period{Healthy: 1, Down: 1, Unknown: 118}, d.History(query)[0].Periods[0], "an hour without checks stays")
	require.Equal(t, 1, d.DeleteHistory(noon.Add(119*time.Minute)))
	require.Equal(t, 1, d.DeleteHistory(noon.Add(120*time.Minute)))
	require.Empty(t, d.History(query))
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	var buckets, to60s int
	for high := -1; high < math.MaxInt32; {
		low := high + 1
		var begins int
		begins, high = reference.Bucket(low)
		require.Equal(t, low, begins)
		for _, ms := range []int{low, low + (high-low)/2, high} {
			l, h := reference.Bucket(ms)
			require.Equal(t, [2]int{low, high}, [2]int{l, h})
			require.InDelta(t, ms, reference.Middle(ms), float64(ms)/33)
		}
		if buckets++; low <= 60_000 {
			to60s = buckets
		}
	}
	require.Equal(t, []int{206, 448}, []int{to60s, buckets})
}

func TestDaysBeginAtTheFirstInstantOfTheirDates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone  string
		until time.Time
		hours []float64
	}{
		{"Europe/Berlin", time.Date(2026, 3, 29, 22, 0, 0, 0, time.UTC), []float64{24, 23}},
		{"Asia/Beirut", time.Date(2026, 3, 29, 21, 0, 0, 0, time.UTC), []float64{24, 23}}, // no midnight
		{"Pacific/Apia", time.Date(2011, 12, 31, 10, 0, 0, 0, time.UTC), []float64{24, 24}},
		{"Australia/Lord_Howe", time.Date(2026, 4, 5, 13, 30, 0, 0, time.UTC), []float64{24, 24.5}},
		{"America/St_Johns", time.Date(2010, 11, 7, 4, 0, 0, 0, time.UTC), []float64{24, 1.5}}, // back at 00:01
	} {
		location, err := time.LoadLocation(test.zone)
		require.NoError(t, err)
		var hours []float64
		days := reference.Days(2, test.until, location)
		for _, d := range days {
			hours = append(hours, d.End.Sub(d.Start).Hours())
		}
		require.Equal(t, test.hours, hours, test.zone)
		require.True(t, slices.IsSortedFunc(days, func(a, b reference.Range) int { return a.Start.Compare(b.Start) }))
	}
	require.Empty(t, reference.Days(0, noon, time.UTC))
}
