package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/supavigil/supavigil/healthcheck"
)

// readAll reads half of the rows, and watches the heap.
func (s *stand) readAll(ctx context.Context, rows int) error {
	runtime.GC()
	var highest uint64
	n, began := 0, time.Now()
	for _, err := range s.checks.All(ctx, healthcheck.FindAllOptions{Limit: rows / 2}) {
		if err != nil {
			return err
		}
		if n++; n%5_000 == 0 {
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			highest = max(highest, memory.HeapAlloc)
		}
	}
	if n != rows/2 {
		return fmt.Errorf("%d rows of %d read", n, rows/2)
	}
	took := time.Since(began)
	s.row("`All`", "%d rows in %v: %.0f rows/s; the heap was %.1f MiB at its highest, garbage included; the longest page took %v",
		n, took.Round(time.Second), float64(n)/took.Seconds(), float64(highest)/(1<<20), s.requests.of("GET").longest().Round(time.Millisecond))
	return nil
}
