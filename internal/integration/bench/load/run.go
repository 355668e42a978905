package load

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

// Options say how long to call, and from how many goroutines.
type Options struct {
	Callers  int
	WarmUp   time.Duration
	Duration time.Duration
	Requests int       // of one caller after the warm-up; 0: as many as Duration allows
	Profile  io.Writer // of the CPU, after the warm-up; nil: none
}

// Run calls do from all callers until the warm-up is over, waits for them, and
// then measures. Each call gets a number of its own. What is measured lies
// between two readings of the process's clocks, with no work of the bench in
// between but taking the time of each call: room for it is made before.
func Run(ctx context.Context, o Options, do func(ctx context.Context, n int) error) (Measurement, error) {
	l := &loop{do: do}
	l.all(ctx, o.Callers, nil, o.WarmUp, 0)
	latencies := make([][]uint32, o.Callers)
	for i := range latencies {
		latencies[i] = make([]uint32, 0, room(o))
	}
	runtime.GC() // every measurement starts with an empty heap
	if o.Profile != nil {
		if err := pprof.StartCPUProfile(o.Profile); err != nil {
			return Measurement{}, fmt.Errorf("profile: %w", err)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, err := processorTime()
	if err != nil {
		return Measurement{}, err
	}
	began := time.Now()
	l.all(ctx, o.Callers, latencies, o.Duration, o.Requests)
	took := time.Since(began)
	cpuAfter, err := processorTime()
	if err != nil {
		return Measurement{}, err
	}
	runtime.ReadMemStats(&after)
	if o.Profile != nil {
		pprof.StopCPUProfile()
	}

	var all []uint32
	for _, of := range latencies {
		all = append(all, of...)
	}
	m := Measurement{Requests: len(all), Errors: int(l.errors.Load()), Connections: -1}
	if failed := l.failed.Load(); failed != nil {
		m.Error = (*failed).Error()
	}
	requests := math.Max(1, float64(len(all)))
	m.PerSecond = float64(len(all)) / took.Seconds()
	m.CPU = float64((cpuAfter - cpu).Nanoseconds()) / 1000 / requests
	m.Allocations = float64(after.Mallocs-before.Mallocs) / requests
	m.Bytes = float64(after.TotalAlloc-before.TotalAlloc) / requests
	m.percentiles(all)
	return m, ctx.Err()
}

// room is how many latencies a caller may have: an answer of the canned server
// takes half a millisecond at least, and a slice grows where that was wrong.
func room(o Options) int {
	if o.Requests > 0 {
		return o.Requests
	}
	return int(o.Duration/(500*time.Microsecond)) + 1
}

// A loop is what the callers share.
type loop struct {
	do     func(ctx context.Context, n int) error
	calls  atomic.Int64
	errors atomic.Int64
	failed atomic.Pointer[error] // the first
}

// all calls from so many goroutines, each at least once, and notes how long each
// successful call took.
func (l *loop) all(ctx context.Context, callers int, latencies [][]uint32, duration time.Duration, requests int) {
	var wait sync.WaitGroup
	end := time.Now().Add(duration)
	for i := range callers {
		wait.Go(func() {
			for made := 0; ctx.Err() == nil; {
				began := time.Now()
				err := l.do(ctx, int(l.calls.Add(1)-1))
				ended := time.Now()
				if err != nil {
					l.errors.Add(1)
					l.failed.CompareAndSwap(nil, &err)
				} else if latencies != nil {
					latencies[i] = append(latencies[i], uint32(min(ended.Sub(began)/tick, math.MaxUint32))) //nolint:gosec // within
				}
				if made++; made == requests || requests == 0 && !ended.Before(end) {
					return
				}
			}
		})
	}
	wait.Wait()
}
