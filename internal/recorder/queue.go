package recorder

import (
	"container/list"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
)

// entry is a row that is held.
type entry struct {
	row operation.Row
	seq int64         // rows are numbered from 1 as they are taken
	at  time.Duration // when it was taken, by Recorder.now
}

// rowOverhead is what a row takes besides its JSON: the entry, its id, and what
// the allocator rounds up.
const rowOverhead = 160

// Size returns the bytes of memory that a row counts for.
func Size(row operation.Row) int { return len(row.JSON) + rowOverhead }

func (e entry) size() int { return Size(e.row) }

// queue is the bounded room for rows. Those that nobody has sent yet wait in it,
// oldest first; those that were popped count as held until they are released. Its
// methods are not safe for concurrent use.
type queue struct {
	maxRows, maxBytes int

	held, heldBytes int // rows in the queue, and those popped and not released
	taken           int64
	rows, bytes     int       // rows in the queue
	chunks          [][]entry // these, in parts, so that a long queue is never copied; none is empty
	waiters         list.List // of *waiter
}

// chunkRows is how many rows a chunk has room for, in 16 KiB.
const chunkRows = 256

// waiter is a row whose caller waits for room.
type waiter struct {
	entry   entry
	decided chan struct{} // closed when err says whether it was taken
	err     error
	place   *list.Element
}

// fits says whether there is room for a row of that size.
func (q *queue) fits(size int) bool { return q.held < q.maxRows && q.heldBytes+size <= q.maxBytes }

// take holds a row from now on.
func (q *queue) take(e entry) {
	q.taken++
	e.seq = q.taken
	q.held++
	q.heldBytes += e.size()
	q.push(e)
}

// dropOldest makes room for what is held beyond the bounds, keeping so many rows all
// the same, and returns the number of rows dropped.
func (q *queue) dropOldest(keep int) (dropped int64) {
	for q.rows > keep && (q.held > q.maxRows || q.heldBytes > q.maxBytes) {
		q.release(q.pop())
		dropped++
	}
	return dropped
}

// wait has a row's caller wait for room.
func (q *queue) wait(e entry) *waiter {
	w := &waiter{entry: e, decided: make(chan struct{})}
	w.place = q.waiters.PushBack(w)
	return w
}

// decide ends a waiter's wait.
func (q *queue) decide(w *waiter, err error) {
	q.waiters.Remove(w.place)
	w.err = err
	close(w.decided)
}

// admit takes the rows of those who wait, first come, first served, as far as
// there is room.
func (q *queue) admit() {
	for first := q.waiters.Front(); first != nil && q.fits(first.Value.(*waiter).entry.size()); first = q.waiters.Front() {
		q.admitOne()
	}
}

// admitOne takes the row of the first who waits, though there is no room.
func (q *queue) admitOne() {
	if first := q.waiters.Front(); first != nil {
		w := first.Value.(*waiter)
		q.decide(w, nil)
		q.take(w.entry)
	}
}

// refuse ends the wait of all who wait.
func (q *queue) refuse(err error) {
	for q.waiters.Len() > 0 {
		q.decide(q.waiters.Front().Value.(*waiter), err)
	}
}

// release lets a row go that was popped.
func (q *queue) release(e entry) {
	q.held--
	q.heldBytes -= e.size()
}

// popBatch takes rows out, oldest first: at least one, at most so many, and of
// more than one no more than so many bytes. There must be one.
func (q *queue) popBatch(rows, bytes int) []entry {
	rows = min(rows, q.rows)
	entries := make([]entry, 0, rows)
	for size := 0; len(entries) < rows; {
		size += q.first().size()
		if len(entries) > 0 && size > bytes {
			break
		}
		entries = append(entries, q.pop())
	}
	return entries
}

func (q *queue) push(e entry) {
	last := len(q.chunks) - 1
	if last < 0 || len(q.chunks[last]) == cap(q.chunks[last]) {
		q.chunks = append(q.chunks, make([]entry, 0, chunkRows))
		last++
	}
	q.chunks[last] = append(q.chunks[last], e)
	q.rows++
	q.bytes += e.size()
}

// first returns the oldest row, or nil.
func (q *queue) first() *entry {
	if q.rows == 0 {
		return nil
	}
	return &q.chunks[0][0]
}

// pop takes the oldest row out. There must be one.
func (q *queue) pop() entry {
	e := q.chunks[0][0]
	q.chunks[0][0] = entry{} // so that what it holds can be collected
	q.chunks[0] = q.chunks[0][1:]
	if len(q.chunks[0]) == 0 {
		q.chunks[0] = nil
		q.chunks = q.chunks[1:]
	}
	q.rows--
	q.bytes -= e.size()
	return e
}

// popNewest takes the newest row out. There must be one.
func (q *queue) popNewest() entry {
	last := len(q.chunks) - 1
	chunk := q.chunks[last]
	newest := len(chunk) - 1
	e := chunk[newest]
	chunk[newest] = entry{}
	q.chunks[last] = chunk[:newest]
	if newest == 0 {
		q.chunks[last] = nil
		q.chunks = q.chunks[:last]
	}
	q.rows--
	q.bytes -= e.size()
	return e
}
