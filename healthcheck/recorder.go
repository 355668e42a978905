package healthcheck

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

// RecorderOptions say how much a Recorder holds, and how it sends. The zero
// value is the default; what is negative is ErrInvalid at the first Record.
type RecorderOptions struct {
	// MaxRows is how many rows are held at most, those that wait and those that
	// are being sent. Defaults to 100,000.
	MaxRows int
	// MaxBytes is how many bytes of memory they may take: their JSON, and 160
	// bytes for each. The request under way needs a few MiB besides. Defaults to
	// 64 MiB.
	MaxBytes int
	// BatchRows is how many rows make a batch, which is sent at once; at most
	// 1,000. A batch has no more than a quarter of MaxRows and MaxBytes either, so
	// that one is gathered while others are sent, nor more than 1 MiB, unless one
	// row alone has. Defaults to 1,000.
	BatchRows int
	// BatchAge is how long a row waits, in time without failures, for others to
	// make a batch with. Defaults to 1 s.
	BatchAge time.Duration
	// DropOldest makes room, where there is none, by dropping the oldest rows that
	// are not being sent; Stats counts them. Defaults to false: Record blocks.
	DropOldest bool
	// OnRefused is told of each row that the database refuses: the data as it was
	// sent, with its ID, CheckedAt in UTC and the numbers in ProbeDetails as float64;
	// and why. There is one call at a time, and sending waits for it, so it must
	// return soon, and call neither Record, which may wait for it, nor Close. Defaults
	// to counting alone.
	OnRefused func(data CreateHealthCheckData, err error)
	// Logger gets one event for each batch, as the model's operations write it.
	// Defaults to silence.
	Logger *zerolog.Logger
}

const (
	defaultMaxRows  = 100_000
	defaultMaxBytes = 64 << 20
	defaultBatchAge = time.Second
)

// Recorder stores checks in the background: probes hand them in and go on. Only
// NewRecorder makes one; its methods are safe for concurrent use.
//
// Rows are sent in batches, in the order in which they were handed in, each batch
// stored wholly or not at all; where batches pile up, two at once. While the
// database cannot be reached, or does not take rows for a reason that is not
// theirs (a key that was revoked, a migration that is missing), they are held, one
// batch is tried again and again, up to 5 s apart, and then all are stored with
// the checked_at that they had: each once, however many answers were lost. What a
// program holds is lost when it dies.
//
// A row that the database refuses does not hold up the others: its batch is
// halved until it stands alone; then it is counted, and RecorderOptions.OnRefused
// told. It is refused by an SQLSTATE of what a row can be at fault for (classes 22,
// 23, 44, 54 and P0, any other that a trigger raised with status 400) or by 413,
// too large. An answer that does not say whose fault it was, such as
// @supabase/lite's 500 SUP or the 403 of a firewall, refuses a row only when it
// came twice to the row alone, and another row was stored in between; until then
// the row is held.
//
// No goroutine runs while there is nothing to store, so a Recorder that is never
// closed leaves nothing behind once all is stored.
type Recorder struct {
	model   HealthCheckModel
	options RecorderOptions // with their defaults
	invalid error           // what is wrong with them
	began   time.Time

	mu      sync.Mutex // holds for all below
	waiting queue      // rows that nobody has sent yet
	pending []piece    // what was taken from waiting; the sender's alone to change
	sending bool       // the first of pending is in the air
	aside   *piece     // the batch in the air besides that one, while all goes well
	blocked list.List  // of *offer, whose callers wait for room
	rows    int        // in waiting and pending
	bytes   int
	stats   RecorderStats // the counts and errors
	trouble error         // the last failure that was no row's fault, if nothing was stored since

	done    chan struct{} // closed when the sender has ended; nil: none runs
	cancel  context.CancelFunc
	wake    chan struct{} // has the sender look again
	closed  bool
	closing chan struct{} // closed with it
	closers int           // calls of Close that wait
}

// RecorderStats say how a Recorder is doing. At any time Recorded = Stored +
// Refused + Dropped + Buffered.
type RecorderStats struct {
	Recorded int64 // rows that Record has taken
	Stored   int64 // rows that are in the table for certain
	Refused  int64 // rows that the database refused
	Dropped  int64 // rows that made room for others, with DropOldest
	Buffered int   // rows held: waiting or being sent
	// BufferedBytes is the memory that they take, as RecorderOptions.MaxBytes
	// counts it.
	BufferedBytes int
	// Blocked is how many calls of Record wait for room. Their rows are not among
	// those above.
	Blocked int
	// Oldest is how long the oldest row held has been so; 0 without any.
	Oldest time.Duration
	// LastError is the last failure, a row refused included, and LastErrorAt when
	// it was, by this machine's clock. Both stay when things go well again; nil
	// and the zero time before the first.
	LastError   error
	LastErrorAt time.Time
}

// NewRecorder returns a Recorder that stores checks as the model does. It does
// nothing yet, and never fails: what is wrong with options is the error of Record
// and Close.
func NewRecorder(model HealthCheckModel, options RecorderOptions) *Recorder {
	r := &Recorder{
		model: model, began: time.Now(),
		wake: make(chan struct{}, 1), closing: make(chan struct{}),
	}
	r.options, r.invalid = options.check()
	return r
}

// check returns the options with their defaults, or what is wrong with them.
func (o RecorderOptions) check() (RecorderOptions, error) {
	var problems []string
	for _, limit := range []struct {
		name     string
		negative bool
	}{
		{"MaxRows", o.MaxRows < 0},
		{"MaxBytes", o.MaxBytes < 0},
		{"BatchRows", o.BatchRows < 0},
		{"BatchAge", o.BatchAge < 0},
	} {
		if limit.negative {
			problems = append(problems, limit.name+" must not be negative; 0 means its default")
		}
	}
	if o.BatchRows > operation.MaxBatchRows {
		problems = append(problems, fmt.Sprintf("BatchRows must be at most %d, not %d", operation.MaxBatchRows, o.BatchRows))
	}
	if problems != nil {
		return o, notRecorded(supabase.ErrInvalid, "RecorderOptions: "+strings.Join(problems, "; "))
	}
	if o.MaxRows == 0 {
		o.MaxRows = defaultMaxRows
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.BatchRows == 0 {
		o.BatchRows = operation.MaxBatchRows
	}
	if o.BatchAge == 0 {
		o.BatchAge = defaultBatchAge
	}
	o.BatchRows = min(o.BatchRows, max(1, o.MaxRows/4))
	return o, nil
}

// notRecorded is an error of what was refused before any I/O, or not waited for.
func notRecorded(cause error, message string) *supabase.Error {
	return &supabase.Error{Op: operation.Insert, Table: table, Message: message, Err: cause}
}

// Record takes a check to be stored, and returns without waiting for that. The
// row is fixed: what data points to may change afterwards. Without an ID it gets
// one; without a CheckedAt it gets the time by this machine's clock, since the
// database's would be that of storing.
//
// Where there is no room it blocks until there is, or, with DropOldest, drops.
// Callers that block are served in their order. ctx limits the waiting and
// nothing else: where there is room, the row of a probe whose time is up is taken.
//
// An error says that the row was not taken: ErrInvalid for data that the table
// cannot hold, a row larger than MaxBytes, wrong options, and after Close, also
// to those who wait; ctx's error when it ended before there was room.
func (r *Recorder) Record(ctx context.Context, data CreateHealthCheckData) error {
	if r.invalid != nil {
		return r.invalid
	}
	if ctx == nil {
		return notRecorded(supabase.ErrInvalid, "ctx must not be nil")
	}
	if data.CheckedAt.IsZero() {
		data.CheckedAt = time.Now()
	}
	row, invalid := data.encode()
	e := entry{row: row}
	if e.size() > r.options.MaxBytes {
		invalid = errors.Join(invalid, fmt.Errorf("the row takes %d bytes, and MaxBytes is %d", e.size(), r.options.MaxBytes))
	}
	if invalid != nil {
		return notRecorded(supabase.ErrInvalid, strings.ReplaceAll(invalid.Error(), "\n", "; "))
	}
	taken, waits := r.offer(e)
	if waits == nil {
		return taken
	}
	select {
	case <-waits.decided:
		return waits.err
	case <-ctx.Done():
		return r.withdraw(waits, ctx.Err())
	}
}

// Close has the Recorder take no more rows, and sends those that it holds, without
// waiting for their batches to fill. It returns nil when none is held any more;
// rows that were refused have been reported.
//
// When ctx ends first, the request under way is given up, and the error says how
// many rows are not stored and how many may be or not. It wraps ctx's error and
// the last failure, and Stats still counts the rows as buffered. Another Close
// goes on where this one stopped. Of several at once each waits for its own ctx;
// the last to leave gives the request up.
func (r *Recorder) Close(ctx context.Context) error {
	if r.invalid != nil {
		return r.invalid
	}
	if ctx == nil {
		return notRecorded(supabase.ErrInvalid, "ctx must not be nil")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shut()
	r.closers++
	defer func() { r.closers-- }()
	for r.rows > 0 || r.done != nil {
		if ctx.Err() != nil && r.done == nil {
			return r.unsent(ctx.Err())
		}
		r.start()
		done := r.done
		r.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
		}
		r.mu.Lock()
		if ctx.Err() == nil || r.done == nil {
			continue
		}
		if r.closers > 1 {
			return r.unsent(ctx.Err())
		}
		r.cancel()
		r.mu.Unlock()
		<-done
		r.mu.Lock()
	}
	return nil
}

// shut takes no more rows and sends away who waits for room.
func (r *Recorder) shut() {
	if r.closed {
		return
	}
	r.closed = true
	close(r.closing)
	for r.blocked.Len() > 0 {
		r.decide(r.blocked.Front(), errClosed())
	}
}

func errClosed() error {
	return notRecorded(supabase.ErrInvalid, "the recorder is closed, and the row was not taken")
}

// unsent is the error of a Close that ended because of cause.
func (r *Recorder) unsent(cause error) error {
	maybe := 0
	for i, p := range r.pending {
		if p.tried || i == 0 && r.sending {
			maybe += len(p.rows)
		}
	}
	if r.aside != nil {
		maybe += len(r.aside.rows)
	}
	message := fmt.Sprintf("%d rows are not stored", r.rows-maybe)
	if maybe > 0 {
		message += fmt.Sprintf(", and %d more may be or not", maybe)
	}
	if r.trouble != nil {
		message += ": " + withoutPrefix(r.trouble)
		cause = fmt.Errorf("%w; last failure: %w", cause, r.trouble)
	}
	return notRecorded(cause, message)
}

// withoutPrefix is what an error says besides whose it is.
func withoutPrefix(err error) string {
	if e, ok := errors.AsType[*supabase.Error](err); ok {
		return strings.TrimPrefix(e.Error(), "supabase: ")
	}
	return err.Error()
}

// Stats returns how the Recorder is doing. It is cheap.
func (r *Recorder) Stats() RecorderStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats := r.stats
	stats.Buffered, stats.BufferedBytes, stats.Blocked = r.rows, r.bytes, r.blocked.Len()
	if r.rows == 0 {
		return stats
	}
	oldest := r.now()
	if first := r.waiting.first(); first != nil {
		oldest = first.at
	}
	for _, p := range r.pending {
		oldest = min(oldest, p.rows[0].at)
	}
	if r.aside != nil {
		oldest = min(oldest, r.aside.rows[0].at)
	}
	stats.Oldest = r.now() - oldest
	return stats
}

// now is the time since the Recorder was made, which no change of the clock
// turns back.
func (r *Recorder) now() time.Duration { return time.Since(r.began) }
