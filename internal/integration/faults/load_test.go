package faults_test

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// load calls all operations in turn, from many callers.
func load(ctx context.Context, s *stand, callers, calls int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			all := operations()
			for i := next.Add(1); i <= int64(calls) && ctx.Err() == nil; i = next.Add(1) {
				if _, err := all[i%int64(len(all))].call(ctx, s); err != nil {
					cancel(err)
				}
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

func unhandled(http.ResponseWriter, *http.Request) bool { return false }

// Many callers need few connections: those of the process's one pool. Not
// parallel: it looks at all goroutines.
func TestConnections(t *testing.T) { //nolint:paralleltest // see above
	earlier := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, earlier) })
	const callers, limit = 64, 128
	calls := callers * bounded(100, 10_000)
	server := newCounted(t, unhandled)
	before := runtime.NumGoroutine()
	require.NoError(t, load(t.Context(), models(server.config()), callers, calls))
	open, most, total := server.connections()
	t.Logf("%d callers, %d calls: %d connections opened, %d at once, %d open; goroutines %d before, %d after, connections' own included",
		callers, calls, total, most, open, before, runtime.NumGoroutine())
	require.LessOrEqual(t, most, limit)
	// net/http gives a connection up when, on a busy machine, the goroutine that
	// wrote the request says so 50 ms after the answer has come.
	require.LessOrEqual(t, total-most, calls/100)
}

// Memory does not grow with the calls. Not parallel: others allocate as well.
func TestMemory(t *testing.T) { //nolint:paralleltest // see above
	const callers, most = 16, 1 << 20
	calls := bounded(8_000, 200_000)
	server := newCounted(t, unhandled)
	s := models(server.config())
	require.NoError(t, load(t.Context(), s, callers, calls/10)) // the pool and the buffers fill
	before := heap()
	require.NoError(t, load(t.Context(), s, callers, calls))
	after := heap()
	t.Logf("%d calls: heap %d KiB before, %d KiB after", calls, before>>10, after>>10)
	require.Less(t, after, before+most)
}

// heap returns how much is allocated after collecting garbage, twice, since what
// a first collection finalizes is freed by the next.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
