// Package load calls one operation from many goroutines and measures what that
// costs this process, which does nothing else.
package load

import (
	"slices"
	"time"
)

// Measurement is what calls cost. What was not measured is negative.
type Measurement struct {
	Requests int    `json:"requests"` // that succeeded, after the warm-up
	Errors   int    `json:"errors"`   // that failed, in the warm-up too
	Error    string `json:"error"`    // the first of them

	PerSecond   float64 `json:"per_second"`  // requests
	P50         float64 `json:"p50_ms"`      // latency of the requests, ms
	P99         float64 `json:"p99_ms"`      // latency of the requests, ms
	P999        float64 `json:"p999_ms"`     // latency of the requests, ms
	CPU         float64 `json:"cpu_us"`      // user and system, µs per request
	Allocations float64 `json:"allocations"` // per request
	Bytes       float64 `json:"bytes"`       // allocated, per request
	Connections float64 `json:"connections"` // opened since the process started, the warm-up included
}

// tick is what latencies are counted in, so that one takes four bytes.
const tick = 100 * time.Nanosecond

// percentiles sets the latencies.
func (m *Measurement) percentiles(latencies []uint32) {
	slices.Sort(latencies)
	at := func(share float64) float64 {
		if len(latencies) == 0 {
			return -1
		}
		i := min(int(share*float64(len(latencies))), len(latencies)-1)
		return float64(latencies[i]) * float64(tick) / float64(time.Millisecond)
	}
	m.P50, m.P99, m.P999 = at(0.5), at(0.99), at(0.999)
}
