package recorder

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
)

// Options say how much a Recorder holds, and how it sends. All but DropOldest must
// be set.
type Options struct {
	MaxRows, MaxBytes     int // held, by Size
	BatchRows, BatchBytes int // to a request; one row may have more bytes
	BatchAge              time.Duration
	DropOldest            bool
	// Insert stores rows by one request, all or none of them. tried says that an
	// earlier call with the same rows may have been carried out; uncertain, with an
	// error, that one may have been, and without, that one was, and this request was
	// answered otherwise. It ends when ctx does.
	Insert func(ctx context.Context, rows []operation.Row, tried bool) (uncertain bool, err error)
	// Find says whether a row that may have been stored is there.
	Find func(ctx context.Context, row operation.Row) (there bool, err error)
	// OnRefused is told of each row that is refused, one at a time.
	OnRefused func(row operation.Row, err error)
}

// grace is how long Close waits for what became of requests that it gave up: they
// come back at once, unless something hangs.
const grace = 100 * time.Millisecond

// ErrClosed is the error of Record after Close.
var ErrClosed = errors.New("closed")

// Recorder stores rows in the background. Only New makes one; its methods are safe
// for concurrent use.
type Recorder struct {
	options Options
	began   time.Time

	mu        sync.Mutex // holds for all below, and for the sender
	queue     queue
	sender    sender
	stats     Stats
	run       *run // nil: nothing is sent
	closed    bool
	waiting   int           // calls of Flush and Close
	letGo     chan struct{} // closed, and made anew, when rows are let go
	lastError error         // the last failure, if nothing was stored since
}

// run is a goroutine that sends.
type run struct {
	cancel context.CancelFunc
	done   chan struct{}
	wake   chan struct{} // has it look again
}

// Stats say how a Recorder is doing.
type Stats struct {
	Recorded, Stored, Refused, Dropped int64
	Buffered, BufferedBytes, Blocked   int
	Oldest                             time.Duration
	LastError                          error
	LastErrorAt                        time.Time
}

// New returns a Recorder that holds nothing yet.
func New(options Options) *Recorder {
	r := &Recorder{options: options, began: time.Now(), letGo: make(chan struct{})}
	r.queue.maxRows, r.queue.maxBytes = options.MaxRows, options.MaxBytes
	r.sender.Recorder = r
	return r
}

// Record takes a row, at once or when there is room. The error is ErrClosed, or
// that of ctx, which ended before there was.
func (r *Recorder) Record(ctx context.Context, row operation.Row) error {
	w, err := r.offer(row)
	if w == nil {
		return err
	}
	select {
	case <-w.decided:
		return w.err
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-w.decided:
	default:
		r.queue.decide(w, ctx.Err())
		r.admit() // the next may be smaller
	}
	return w.err
}

// offer takes a row, or has its caller wait.
func (r *Recorder) offer(row operation.Row) (*waiter, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := entry{row: row, at: r.now()}
	switch {
	case r.closed:
		return nil, ErrClosed
	case r.options.DropOldest:
		keep := 0
		if r.sender.stuck() {
			keep = 1
		}
		r.queue.take(e)
		if dropped := r.queue.dropOldest(keep); dropped > 0 {
			r.stats.Dropped += dropped
			r.admit()
		}
	case r.queue.waiters.Len() == 0 && r.queue.fits(e.size()):
		r.queue.take(e)
	default:
		w := r.queue.wait(e)
		r.wake() // not to wait for the batch to fill
		return w, nil
	}
	r.start()
	if r.queue.rows == 1 || r.ready() {
		r.wake()
	}
	return nil, nil
}

// ready says that no more rows are waited for before a batch is sent.
func (r *Recorder) ready() bool {
	return r.ending() || r.queue.waiters.Len() > 0 || r.fullBatch()
}

func (r *Recorder) fullBatch() bool {
	return r.queue.rows >= r.options.BatchRows || r.queue.bytes >= r.options.BatchBytes
}

// ending says that no row is to wait for others.
func (r *Recorder) ending() bool { return r.closed || r.waiting > 0 }

// admit takes rows for which there is room now that others were let go.
func (r *Recorder) admit() {
	r.queue.admit()
	close(r.letGo)
	r.letGo = make(chan struct{})
}

// start has a goroutine send what is held, unless one does.
func (r *Recorder) start() {
	if r.run != nil || r.queue.held == 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.run = &run{cancel: cancel, done: make(chan struct{}), wake: make(chan struct{}, 1)}
	go r.sender.send(ctx, r.run)
}

// wake has the sender look again.
func (r *Recorder) wake() {
	if r.run == nil {
		return
	}
	select {
	case r.run.wake <- struct{}{}:
	default:
	}
}

// Flush returns when all rows taken before are let go: stored, refused or dropped.
// The error is that of ctx, which ended before.
func (r *Recorder) Flush(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flush(ctx)
}

// Close takes no more rows, and returns when none is held. When ctx ends first, and
// nobody else waits, sending is given up, and the error is that of ctx.
func (r *Recorder) Close(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.queue.refuse(ErrClosed)
	}
	err := r.flush(ctx)
	if r.run != nil && r.waiting == 0 {
		r.run.cancel()
		soon, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer stop()
		r.await(soon, r.run.done)
	}
	return err
}

// flush has the sender try at once what it would wait with, and waits until the rows
// taken before are let go.
func (r *Recorder) flush(ctx context.Context) error {
	last := r.queue.taken
	r.waiting++
	defer func() { r.waiting-- }()
	r.sender.pausedUntil = 0
	r.start()
	r.wake()
	for e := r.oldest(); e != nil && e.seq <= last; e = r.oldest() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.await(ctx, r.letGo)
	}
	return nil
}

// await waits, without the lock, until a channel is closed or ctx ends.
func (r *Recorder) await(ctx context.Context, done <-chan struct{}) {
	r.mu.Unlock()
	defer r.mu.Lock()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Held returns the rows that are held, in the order in which they were taken, how
// many of them may be stored already, and the last failure, if nothing was stored
// since.
func (r *Recorder) Held() (rows []operation.Row, uncertain int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	entries := make([]entry, 0, r.queue.held)
	for _, b := range r.sender.pending {
		entries = append(entries, b.rows...)
		if b.tried || b.inFlight {
			uncertain += len(b.rows)
		}
	}
	for _, chunk := range r.queue.chunks {
		entries = append(entries, chunk...)
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.seq, b.seq) })
	rows = make([]operation.Row, len(entries))
	for i, e := range entries {
		rows[i] = e.row
	}
	return rows, uncertain, r.lastError
}

// Stats returns how the Recorder is doing.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Recorded, s.Buffered, s.BufferedBytes, s.Blocked = r.queue.taken, r.queue.held, r.queue.heldBytes, r.queue.waiters.Len()
	if e := r.oldest(); e != nil {
		s.Oldest = r.now() - e.at
	}
	return s
}

// oldest returns the row that has been held longest, or nil.
func (r *Recorder) oldest() *entry {
	oldest := r.queue.first()
	for _, b := range r.sender.pending {
		if oldest == nil || b.rows[0].seq < oldest.seq {
			oldest = &b.rows[0]
		}
	}
	return oldest
}

// now is the time since the Recorder was made, which no change of the clock turns
// back.
func (r *Recorder) now() time.Duration { return time.Since(r.began) }
