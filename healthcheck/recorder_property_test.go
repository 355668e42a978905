package healthcheck_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/healthcheck"
)

// fate is what becomes of a request in TestRecorderStoresEachRowOnce.
type fate int

const (
	carriedOut fate = iota
	requestLost
	answerLost
	unavailable
	tooSlow
	late // the answer is lost, and the request carried out when others have been
	fates
)

// ordeal is a run of TestRecorderStoresEachRowOnce.
type ordeal struct {
	fates      []fate // of the first requests; then all goes well
	rows       []int  // how each row is: 0 good, 1 its own id, 2 refused
	maxRows    int
	batchRows  int
	dropOldest bool
	probes     int
}

func ordeals(t *rapid.T) ordeal {
	return ordeal{
		fates:      rapid.SliceOfN(rapid.Map(rapid.IntRange(0, int(fates)-1), func(i int) fate { return fate(i) }), 0, 40).Draw(t, "fates"),
		rows:       rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 0, 1, 1, 2}), 1, 60).Draw(t, "rows"),
		maxRows:    rapid.IntRange(1, 40).Draw(t, "MaxRows"),
		batchRows:  rapid.IntRange(1, 20).Draw(t, "BatchRows"),
		dropOldest: rapid.Bool().Draw(t, "DropOldest"),
		probes:     rapid.IntRange(1, 4).Draw(t, "probes"),
	}
}

// Whatever becomes of requests and answers, a row that was taken is in the table
// once, or counted as refused or dropped.
func TestRecorderStoresEachRowOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		run := ordeals(rt)
		w := newWire(t)
		synctest.Test(t, func(t *testing.T) { run.endure(t, w) })
		w.server.Close()
	})
}

func (run ordeal) endure(t *testing.T, w *wire) {
	t.Helper()
	refused := map[string]bool{}
	next := 0
	var mu sync.Mutex
	var delayed sync.WaitGroup
	w.breaks(func(r *http.Request, body string, carryOut func()) (*http.Response, error) {
		mu.Lock()
		what := carriedOut
		if next < len(run.fates) {
			what = run.fates[next]
		}
		next++
		mu.Unlock()
		if r.Method == http.MethodPost && strings.Contains(body, `"service_name":"bad`) && what != requestLost {
			return replies(400, "23514"), nil
		}
		switch what {
		case requestLost:
			return nil, errRefused
		case answerLost:
			carryOut()
			return nil, errRefused
		case unavailable:
			return replies(503, "PGRST002"), nil
		case tooSlow:
			return replies(500, "57014"), nil
		case late:
			delayed.Go(func() {
				time.Sleep(700 * time.Millisecond) //nolint:forbidigo // in a bubble
				carryOut()
			})
			return nil, errRefused
		case carriedOut, fates:
		}
		return nil, nil //nolint:nilnil // no fault
	})
	r := w.recorder(healthcheck.RecorderOptions{
		MaxRows: run.maxRows, BatchRows: run.batchRows, DropOldest: run.dropOldest,
		OnRefused: func(data healthcheck.CreateHealthCheckData, _ error) { refused[data.ServiceName] = true },
	})
	var probes sync.WaitGroup
	for p := range run.probes {
		probes.Go(func() {
			for i := p; i < len(run.rows); i += run.probes {
				data := check(fmt.Sprint("good", i))
				switch run.rows[i] {
				case 1:
					data.ID = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
				case 2:
					data.ServiceName = fmt.Sprint("bad", i)
				}
				if err := r.Record(context.Background(), data); err != nil {
					t.Error(err)
				}
				balanced(t, r.Stats())
				time.Sleep(time.Duration(i%7) * 50 * time.Millisecond) //nolint:forbidigo // in a bubble
			}
		})
	}
	probes.Wait()
	require.NoError(t, r.Close(t.Context()))
	delayed.Wait()
	stats := r.Stats()
	balanced(t, stats)
	require.EqualValues(t, len(run.rows), stats.Recorded)
	require.EqualValues(t, len(refused), stats.Refused)
	stored := w.stored(t)
	require.EqualValues(t, len(stored), stats.Stored)
	for name := range stored {
		require.True(t, strings.HasPrefix(name, "good"), name)
	}
	for name := range refused {
		require.True(t, strings.HasPrefix(name, "bad"), name)
	}
	if !run.dropOldest {
		require.Zero(t, stats.Dropped)
	}
}
