package recorder

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/internal/operation"
)

// The queue does what a slice does, whatever is done with it.
func TestQueueIsLikeASlice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := queue{maxRows: rapid.IntRange(1, 2000).Draw(t, "MaxRows"), maxBytes: 1 << 20}
		var want, popped []string
		n := 0
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 5), 1, 50).Draw(t, "steps") {
			times := rapid.IntRange(1, 600).Draw(t, "times")
			for range times {
				switch {
				case step <= 1: // push, or drop
					n++
					e := entry{row: operation.Row{ID: strconv.Itoa(n), JSON: []byte("{}")}}
					fits := q.fits(e.size())
					q.take(e)
					want = append(want, e.row.ID)
					if dropped := q.dropOldest(0); dropped > 0 {
						require.False(t, fits)
						want = want[dropped:]
					}
				case step == 2 && len(want) > 0:
					require.Equal(t, want[0], q.first().row.ID)
					popped = append(popped, q.pop().row.ID)
					want = want[1:]
				case step == 3 && len(want) > 0:
					last := len(want) - 1
					require.Equal(t, want[last], q.popNewest().row.ID)
					popped = append(popped, want[last])
					want = want[:last]
				case step == 4 && len(popped) > 0:
					q.release(entry{row: operation.Row{JSON: []byte("{}")}})
					popped = popped[1:]
				case step == 5 && len(want) > 0:
					batch := q.popBatch(times, 50*(rowOverhead+2))
					require.Len(t, batch, min(times, 50, len(want)))
					for i, e := range batch {
						require.Equal(t, want[i], e.row.ID)
						popped = append(popped, e.row.ID)
					}
					want = want[len(batch):]
				}
			}
			var got []string
			for _, e := range slices.Concat(q.chunks...) {
				got = append(got, e.row.ID)
			}
			require.Equal(t, len(want), q.rows)
			require.Equal(t, append([]string(nil), want...), got)
			require.Equal(t, len(want)+len(popped), q.held)
			require.Equal(t, q.held*(rowOverhead+2), q.heldBytes)
			require.Equal(t, q.rows*(rowOverhead+2), q.bytes)
		}
	})
}

func TestWaitersAreServedInTheirOrder(t *testing.T) {
	t.Parallel()
	q := queue{maxRows: 2, maxBytes: 1050}
	of := func(bytes int) entry { return entry{row: operation.Row{JSON: make([]byte, bytes)}} }
	q.take(of(0))
	q.take(of(0))
	large, small, late := q.wait(of(700)), q.wait(of(0)), q.wait(of(0))
	q.admit()
	require.Empty(t, decided(large, small, late), "there is no room")
	q.release(q.pop())
	q.admit()
	require.Equal(t, []error{nil}, decided(large, small, late))
	errGone := errors.New("gone")
	q.decide(small, errGone)
	q.release(q.pop())
	q.admit()
	require.Equal(t, []error{nil, errGone, nil}, decided(large, small, late))
	last := q.wait(of(0))
	q.admitOne()
	require.Equal(t, []error{nil}, decided(last), "though there is no room")
	require.Equal(t, 3, q.held)
	refused := q.wait(of(0))
	q.refuse(errGone)
	require.Equal(t, []error{errGone}, decided(refused))
	require.EqualValues(t, 5, q.taken)
}

func decided(waiters ...*waiter) (errs []error) {
	for _, w := range waiters {
		select {
		case <-w.decided:
			errs = append(errs, w.err)
		default:
		}
	}
	return errs
}
