package conformance_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/healthcheck"
	bruteforce "github.com/supavigil/supavigil/internal/integration/history/reference"
)

// Days are those that come of walking through their minutes, around what happened to
// clocks and at any other time.
func TestDaysAgreeWithTheReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.SampledFrom(places).Draw(t, "place")
		location, err := time.LoadLocation(at.zone)
		require.NoError(t, err)
		until := at.then.Add(time.Duration(rapid.Int64Range(-4*86400, 4*86400).Draw(t, "seconds")) * time.Second)
		if rapid.Bool().Draw(t, "at another time") {
			until = time.Unix(rapid.Int64Range(300_000_000, 2_100_000_000).Draw(t, "until"), 0)
		}
		n := rapid.IntRange(0, 40).Draw(t, "days")
		days := healthcheck.Days(n, until, location)
		want := bruteforce.Days(n, until, location)
		require.True(t, slices.EqualFunc(want, days, func(w bruteforce.Range, d healthcheck.TimeRange) bool {
			return w.Start.Equal(d.Start) && w.End.Equal(d.End)
		}), "%v, not %v", days, want)
	})
}
