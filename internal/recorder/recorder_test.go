package recorder

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// Rows that are dropped are let go, so a Flush that waits for them ends.
func TestDroppedRowsEndAFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newServer().recorder(Options{MaxRows: 2, DropOldest: true})
		r.run = &run{wake: make(chan struct{}, 1)} // which sends nothing
		record(t, r, "a", 2)
		flushed := make(chan error, 1)
		go func() { flushed <- r.Flush(t.Context()) }()
		synctest.Wait()
		record(t, r, "b", 1)
		synctest.Wait()
		require.Empty(t, flushed, "one of the two is still held")
		record(t, r, "c", 1)
		synctest.Wait()
		require.Len(t, flushed, 1)
		require.NoError(t, <-flushed)
		require.EqualValues(t, 2, r.Stats().Dropped)
	})
}
