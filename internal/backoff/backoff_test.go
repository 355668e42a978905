package backoff_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/backoff"
)

func TestWaitDoublesUpTo5Seconds(t *testing.T) {
	t.Parallel()
	for failures, milliseconds := range map[int]int{
		math.MinInt: 100, 0: 100, 1: 100, 2: 200, 3: 400, 6: 3200, 7: 5000, 8: 5000, 64: 5000, math.MaxInt: 5000,
	} {
		most := time.Duration(milliseconds) * time.Millisecond
		low, high := most, time.Duration(0)
		for range 1000 {
			wait := backoff.Wait(failures)
			low, high = min(low, wait), max(high, wait)
		}
		require.GreaterOrEqual(t, low, most/2)
		require.LessOrEqual(t, high, most)
		require.Greater(t, high-low, most/4, "spread")
	}
}
