package healthcheck

import (
	"container/list"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
)

// entry is a row that is held.
type entry struct {
	row operation.Row
	at  time.Duration // when it was handed in, by Recorder.now
}

// rowOverhead is what a row takes besides its JSON: the entry, its id, and what
// the allocator rounds up.
const rowOverhead = 160

func (e entry) size() int { return len(e.row.JSON) + rowOverhead }

// offer is a row whose caller waits for room.
type offer struct {
	entry   entry
	decided chan struct{} // closed when err says whether it was taken
	err     error
	place   *list.Element
}

// offer takes a row, or says why not, or has its caller wait.
func (r *Recorder) offer(e entry) (error, *offer) { //nolint:revive,staticcheck // the error is that of the row, not of offering it
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errClosed(), nil
	}
	e.at = r.now()
	if r.options.DropOldest {
		r.take(e)
		for !r.fits(entry{}, 0) && r.waiting.rows > 0 {
			r.stats.Dropped++
			r.release(r.waiting.pop())
		}
		return nil, nil
	}
	if r.blocked.Len() == 0 && r.fits(e, 1) {
		r.take(e)
		return nil, nil
	}
	waits := &offer{entry: e, decided: make(chan struct{})}
	waits.place = r.blocked.PushBack(waits)
	r.poke() // not to wait for the batch to fill
	return nil, waits
}

// withdraw takes back an offer, unless it has been decided.
func (r *Recorder) withdraw(o *offer, cause error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-o.decided:
		return o.err
	default:
	}
	r.decide(o.place, notRecorded(cause, "no room in time, and the row was not taken: "+cause.Error()))
	r.admit() // it may have been too large where the next is not
	return o.err
}

func (r *Recorder) decide(place *list.Element, err error) {
	o := r.blocked.Remove(place).(*offer)
	o.err = err
	close(o.decided)
}

// admit takes the rows that wait for room, as far as there is some.
func (r *Recorder) admit() {
	for first := r.blocked.Front(); first != nil; first = r.blocked.Front() {
		o := first.Value.(*offer)
		if !r.fits(o.entry, 1) {
			return
		}
		r.decide(first, nil)
		r.take(o.entry)
	}
}

// fits says whether there is room for n rows of the size of e.
func (r *Recorder) fits(e entry, n int) bool {
	return r.rows+n <= r.options.MaxRows && r.bytes+n*e.size() <= r.options.MaxBytes
}

// take holds a row from now on.
func (r *Recorder) take(e entry) {
	r.waiting.push(e)
	r.rows++
	r.bytes += e.size()
	r.stats.Recorded++
	r.start()
	if r.waiting.rows == 1 || r.full() {
		r.poke()
	}
}

// release lets a row go.
func (r *Recorder) release(e entry) {
	r.rows--
	r.bytes -= e.size()
}

// poke has the sender look again.
func (r *Recorder) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// full says that no more rows are waited for before a batch is sent.
func (r *Recorder) full() bool {
	return r.closed || r.blocked.Len() > 0 || r.waiting.rows >= r.options.BatchRows || r.waiting.bytes >= r.batchBytes()
}

func (r *Recorder) batchBytes() int { return min(operation.MaxBatchBytes, r.options.MaxBytes/4) }

// batch takes rows from the buffer, at least one and at most so many.
func (r *Recorder) batch(rows int) []entry {
	rows = min(rows, r.waiting.rows)
	entries := make([]entry, 0, rows)
	for size := 0; len(entries) < rows; {
		size += r.waiting.first().size()
		if len(entries) > 0 && size > r.batchBytes() {
			break
		}
		entries = append(entries, r.waiting.pop())
	}
	return entries
}

// queue holds rows in chunks, so that it grows without copying and what has left
// it can be collected. The zero value is empty.
type queue struct {
	head, tail  *chunk
	rows, bytes int
}

type chunk struct {
	entries  [256]entry // 14 KiB, a size class of the allocator
	from, to int
	next     *chunk
}

func (q *queue) push(e entry) {
	if q.tail == nil {
		q.head = &chunk{}
		q.tail = q.head
	} else if q.tail.to == len(q.tail.entries) {
		q.tail.next = &chunk{}
		q.tail = q.tail.next
	}
	q.tail.entries[q.tail.to] = e
	q.tail.to++
	q.rows++
	q.bytes += e.size()
}

// first returns the oldest row, or nil.
func (q *queue) first() *entry {
	if q.rows == 0 {
		return nil
	}
	return &q.head.entries[q.head.from]
}

// pop takes the oldest row out. There must be one.
func (q *queue) pop() entry {
	c := q.head
	e := c.entries[c.from]
	c.entries[c.from] = entry{}
	c.from++
	q.rows--
	q.bytes -= e.size()
	if c.from == c.to {
		if c.next == nil {
			c.from, c.to = 0, 0
		} else {
			q.head = c.next
		}
	}
	return e
}
