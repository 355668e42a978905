// Package backoff says how long to wait after failures before the next try.
package backoff

import (
	"math/rand/v2"
	"time"
)

const (
	first = 100 * time.Millisecond
	most  = 5 * time.Second
)

// Wait returns how long to wait after that many failures in a row, 1 and above:
// 100 ms, doubled with each up to 5 s, times a random factor in [½, 1] so that
// many callers do not come back at once.
func Wait(failures int) time.Duration {
	wait := most
	if doublings := max(failures, 1) - 1; doublings < 6 {
		wait = min(first<<doublings, most)
	}
	return wait/2 + rand.N(wait/2+1) //nolint:gosec // spreading callers needs no secrecy
}
