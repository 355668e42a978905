package healthcheck

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/recorder"
	"github.com/supavigil/supavigil/supabase"
)

// Recorder stores checks in the background: probes hand them in and go on. Only
// NewRecorder makes one; its methods are safe for concurrent use.
//
// Rows are sent in batches, in the order in which they were handed in, each batch
// stored wholly or not at all; where batches pile up, two at once. While the
// database cannot be reached, or does not take rows for a reason that is not
// theirs (a key that was revoked, a column that became NOT NULL, a trigger that
// says "maintenance"), they are held and tried again, up to 5 s apart, and then all
// are stored with the checked_at that they had: each once, however many answers
// were lost. What a program holds is lost when it dies.
//
// A row that the database refuses does not hold up the others: its batch is split
// until it stands alone. It is refused (counted, and RecorderOptions.OnRefused told)
// only when it is known to be at fault, whatever the answer was:
//
//   - another row has its id, and holds something else: supabase.ErrConflict; or
//   - it failed, another was stored after that, and right then it failed alone: once
//     where the answer is PostgreSQL's about data, 7 times where the statement timed
//     out, 30 times else, so that a gateway that refuses requests at random has none
//     refused; or
//   - after Close only rows are left that failed alone: it failed so 7 times more
//     (about 5 s; 30 times, or 2½ minutes, where the answer does not say that it was
//     about data), and another was stored since it first did, or it is the only row
//     held. Where several are held that no other was stored after, it is 30 times each,
//     and PostgreSQL's word that it was the data.
//
// A row that may have been stored, its answer having been lost, is looked for first.
// Rows that fail when nothing else is stored are held.
//
// No goroutine runs while there is nothing to store, so a Recorder that is never
// closed leaves nothing behind once all is stored.
type Recorder struct {
	*face
}

// face is what a Recorder has that was made by NewRecorder.
type face struct {
	model    HealthCheckModel
	rows     *recorder.Recorder
	maxBytes int
	invalid  error                          // what is wrong with the options
	logger   atomic.Pointer[zerolog.Logger] // from the first Record on

	opened  atomic.Bool // the configuration has worked, or may
	mu      sync.Mutex
	opening *opening
}

// opening is a client being opened for the first Record.
type opening struct {
	deadline time.Time
	done     chan struct{}
	err      error // what can never work
}

// patience is how long the first Record waits for Connect, which does no I/O.
const patience = time.Second

// NewRecorder returns a Recorder that stores checks as the model does. It does
// nothing yet, and never fails: what is wrong with options is the error of Record,
// Flush and Close.
func NewRecorder(model HealthCheckModel, options RecorderOptions) *Recorder {
	options, invalid := options.check()
	f := &face{model: model, maxBytes: options.MaxBytes, invalid: invalid}
	if options.Logger != nil {
		f.logger.Store(options.Logger)
	}
	f.rows = recorder.New(recorder.Options{
		MaxRows: options.MaxRows, MaxBytes: options.MaxBytes,
		BatchRows: options.BatchRows, BatchBytes: min(operation.MaxBatchBytes, options.MaxBytes/4),
		BatchAge: options.BatchAge, DropOldest: options.DropOldest,
		Insert: f.insert, Find: f.find,
		OnRefused: func(row operation.Row, err error) {
			if options.OnRefused != nil {
				options.OnRefused(decode(row), err)
			}
		},
	})
	return &Recorder{f}
}

// insert stores rows, all or none.
func (f *face) insert(ctx context.Context, rows []operation.Row, tried bool) (uncertain bool, err error) {
	about := operation.Filter{}
	if len(rows) == 1 {
		about = operation.ID(rows[0].ID)
	}
	ctx = f.logger.Load().WithContext(ctx)
	op := checks.Begin(operation.Insert, about)
	defer op.End(ctx, &err)
	if err := op.Open(ctx, f.model.Connect); err != nil {
		return tried, err
	}
	uncertain, err = op.InsertBatch(ctx, rows, tried)
	if errors.Is(err, supabase.ErrConflict) && !uncertain && !tried {
		// Rows that were recorded before, from Unsent perhaps, are stored.
		uncertain, err = op.InsertBatch(ctx, rows, true)
	}
	return uncertain, err
}

// find says whether a row is stored.
func (f *face) find(ctx context.Context, row operation.Row) (found bool, err error) {
	ctx = f.logger.Load().WithContext(ctx)
	op := checks.Begin(operation.Select, operation.ID(row.ID))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, f.model.Connect); err != nil {
		return false, err
	}
	return op.Holds(ctx, row)
}

// ready returns what makes calls futile.
func (r *Recorder) ready(ctx context.Context) error {
	switch {
	case r == nil || r.face == nil:
		return notRecorded(supabase.ErrInvalid, "only NewRecorder makes a Recorder")
	case r.invalid != nil:
		return r.invalid
	case ctx == nil:
		return notRecorded(supabase.ErrInvalid, "ctx must not be nil")
	default:
		return nil
	}
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
// to those who wait; ErrInvalid of the model's Connect, for a configuration that
// cannot work, until it has worked once; ctx's error when it ended before there was
// room.
func (r *Recorder) Record(ctx context.Context, data CreateHealthCheckData) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	if data.CheckedAt.IsZero() {
		data.CheckedAt = time.Now()
	}
	row, invalid := data.encode()
	if size := recorder.Size(row); size > r.maxBytes {
		invalid = errors.Join(invalid, fmt.Errorf("the row takes %d bytes, and MaxBytes is %d", size, r.maxBytes))
	}
	if invalid != nil {
		return notRecorded(supabase.ErrInvalid, strings.ReplaceAll(invalid.Error(), "\n", "; "))
	}
	if !r.opened.Load() {
		if err := r.open(ctx); err != nil {
			return err
		}
	}
	err := r.rows.Record(ctx, row)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, recorder.ErrClosed):
		return notRecorded(supabase.ErrInvalid, "the recorder is closed, and the row was not taken")
	default:
		return notRecorded(err, "no room in time, and the row was not taken: "+err.Error())
	}
}

// open sees to it that the configuration can work, as far as that is known in time.
func (f *face) open(ctx context.Context) error {
	f.logger.CompareAndSwap(nil, zerolog.Ctx(ctx))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opened.Load() {
		return nil
	}
	if f.opening == nil {
		o := &opening{deadline: time.Now().Add(patience), done: make(chan struct{})}
		f.opening = o
		go func() {
			defer close(o.done)
			o.err = f.misconfigured()
		}()
	}
	select {
	case <-f.opening.done:
	case <-time.After(time.Until(f.opening.deadline)):
		return nil
	}
	err := f.opening.err
	f.opening = nil
	f.opened.Store(err == nil)
	return err
}

// misconfigured returns the error of a configuration that can never work.
func (f *face) misconfigured() error {
	connect := f.model.Connect
	if connect == nil {
		connect = supabase.ServiceClient
	}
	_, err := connect()
	if e, ok := errors.AsType[*supabase.Error](err); ok && errors.Is(err, supabase.ErrInvalid) {
		wrong := *e
		wrong.Op, wrong.Table = operation.Insert, table
		return &wrong
	}
	return nil
}

// Flush sends the rows that are held, without waiting for their batches to fill,
// and returns when all that were taken before the call are stored, refused or
// dropped. The error says how many are held when ctx ended before, and wraps ctx's
// error and the last failure; they go on being sent. A row that is refused again and
// again, while there is no other to show whose fault it is, is waited for.
func (r *Recorder) Flush(ctx context.Context) error {
	return r.end(ctx, (*recorder.Recorder).Flush)
}

// Close has the Recorder take no more rows, and sends those that it holds, without
// waiting for their batches to fill. It returns nil when none is held any more;
// rows that were refused have been reported.
//
// When ctx ends first, the request under way is given up, and the error says how
// many rows are not stored and how many may be or not. It wraps ctx's error and
// the last failure; Stats still counts the rows as buffered, and Unsent returns
// them. Another Close goes on where this one stopped. Of several at once each waits
// for its own ctx; the last to leave gives the request up. A ctx that does not end
// has Close wait for as long as rows are held: for the end of an outage.
func (r *Recorder) Close(ctx context.Context) error {
	return r.end(ctx, (*recorder.Recorder).Close)
}

// end is Flush or Close.
func (r *Recorder) end(ctx context.Context, do func(*recorder.Recorder, context.Context) error) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	cause := do(r.rows, ctx)
	if cause == nil {
		return nil
	}
	rows, uncertain, failure := r.rows.Held()
	message := ""
	switch certain := len(rows) - uncertain; {
	case uncertain == 0:
		message = counted(certain, "is", "are") + " not stored"
	case certain == 0:
		message = counted(uncertain, "may", "may") + " be stored or not"
	default:
		message = fmt.Sprintf("%s not stored, and %d more may be or not", counted(certain, "is", "are"), uncertain)
	}
	if failure != nil {
		message += ": " + withoutPrefix(failure)
		cause = fmt.Errorf("%w; last failure: %w", cause, failure)
	}
	return notRecorded(cause, message)
}

// counted is a number of rows, and a verb.
func counted(rows int, one, many string) string {
	if rows == 1 {
		return "1 row " + one
	}
	return fmt.Sprintf("%d rows %s", rows, many)
}

// withoutPrefix is what an error says besides whose it is.
func withoutPrefix(err error) string {
	if e, ok := errors.AsType[*supabase.Error](err); ok {
		return strings.TrimPrefix(e.Error(), "supabase: ")
	}
	return err.Error()
}

// Unsent returns the rows that the Recorder holds, oldest first, with their ID and
// CheckedAt set: after a Close that failed, to be kept elsewhere. Recorded again,
// also by another program, each is stored once, whether or not it was already. Until
// Close they are going to be sent.
func (r *Recorder) Unsent() []CreateHealthCheckData {
	if r == nil || r.face == nil {
		return nil
	}
	rows, _, _ := r.rows.Held()
	unsent := make([]CreateHealthCheckData, len(rows))
	for i, row := range rows {
		unsent[i] = decode(row)
	}
	return unsent
}
