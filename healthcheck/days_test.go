package healthcheck_test

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata" // the zones, wherever the tests run

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/healthcheck"
)

func zone(t interface {
	require.TestingT
	Helper()
}, name string,
) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	require.NoError(t, err)
	return location
}

func TestDays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone, until string
		n           int
		want        []string
	}{
		{"UTC", "2026-03-01T00:00:00Z", 0, nil},
		{"UTC", "2026-03-01T00:00:00Z", -1, nil},
		{"UTC", "2026-03-01T00:00:00Z", 1, []string{"2026-02-28T00:00:00Z 24h0m0s"}},
		{"UTC", "2026-03-01T00:00:01Z", 2, []string{"2026-02-28T00:00:00Z 24h0m0s", "2026-03-01T00:00:00Z 1s"}},
		{"Europe/Berlin", "2026-03-29T22:00:00Z", 2, []string{"2026-03-28T00:00:00+01:00 24h0m0s", "2026-03-29T00:00:00+01:00 23h0m0s"}},
		{"Europe/Berlin", "2026-10-25T23:00:00Z", 1, []string{"2026-10-25T00:00:00+02:00 25h0m0s"}},
		{"Asia/Kolkata", "2026-01-02T10:00:00Z", 1, []string{"2026-01-02T00:00:00+05:30 15h30m0s"}},
		{"Asia/Kathmandu", "2026-01-02T18:15:00Z", 1, []string{"2026-01-02T00:00:00+05:45 24h0m0s"}},
		{"Australia/Lord_Howe", "2026-04-05T13:30:00Z", 1, []string{"2026-04-05T00:00:00+11:00 24h30m0s"}},
		// There is no midnight on that day.
		{"Asia/Beirut", "2026-03-29T21:00:00Z", 1, []string{"2026-03-29T01:00:00+03:00 23h0m0s"}},
		{"America/Santiago", "2026-09-07T03:00:00Z", 2, []string{"2026-09-05T00:00:00-04:00 24h0m0s", "2026-09-06T01:00:00-03:00 23h0m0s"}},
		// Samoa left out the 30th of December 2011.
		{"Pacific/Apia", "2011-12-31T10:00:00Z", 2, []string{"2011-12-29T00:00:00-10:00 24h0m0s", "2011-12-31T00:00:00+14:00 24h0m0s"}},
		// A minute after midnight it was 23:01 again.
		{"America/St_Johns", "2010-11-08T03:30:00Z", 2, []string{"2010-11-06T00:00:00-02:30 24h0m0s", "2010-11-07T00:00:00-02:30 25h0m0s"}},
		{"America/St_Johns", "2010-11-07T03:00:00Z", 2, []string{"2010-11-06T00:00:00-02:30 24h0m0s", "2010-11-07T00:00:00-02:30 30m0s"}},
	} {
		t.Run(test.zone+" "+test.until, func(t *testing.T) {
			t.Parallel()
			until, err := time.Parse(time.RFC3339, test.until)
			require.NoError(t, err)
			var got []string
			for _, day := range healthcheck.Days(test.n, until, zone(t, test.zone)) {
				got = append(got, fmt.Sprint(day.Start.Format(time.RFC3339), " ", day.End.Sub(day.Start)))
			}
			require.Equal(t, test.want, got)
		})
	}
	until := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	require.Equal(t, healthcheck.Days(90, until, time.UTC), healthcheck.Days(90, until, nil))
	require.Empty(t, healthcheck.Days(2, time.Time{}, nil))
}

// Whatever a location did to its clocks: days follow each other without a gap, and
// none begins before the first minute that has its date.
func TestDaysFollowEachOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		location := zone(t, rapid.SampledFrom([]string{
			"Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe",
			"America/Santiago", "Asia/Beirut", "America/Havana", "Africa/Casablanca", "Pacific/Kiritimati", "America/Sao_Paulo",
		}).Draw(t, "zone"))
		until := time.Unix(rapid.Int64Range(0, 2_000_000_000).Draw(t, "until"), 0)
		n := rapid.IntRange(1, 5).Draw(t, "days")
		days := healthcheck.Days(n, until, location)
		require.Len(t, days, n)
		require.True(t, days[n-1].End.Equal(until))
		for i, day := range days {
			require.True(t, day.Start.Before(day.End))
			if i > 0 {
				require.Equal(t, days[i-1].End, day.Start)
			}
			date := day.Start.Format(time.DateOnly)
			for at := day.Start.Add(-time.Minute); at.After(day.Start.Add(-50 * time.Hour)); at = at.Add(-5 * time.Minute) {
				require.NotEqual(t, date, at.Format(time.DateOnly), "an earlier minute has that date")
			}
		}
	})
}
