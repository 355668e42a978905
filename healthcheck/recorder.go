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

// Recorder stores checks in the background, so that probes do not wait. Create it
// with [NewRecorder]. Its methods are safe for concurrent use. It has no goroutine
// while there is nothing to store, so one that is never closed leaks nothing.
//
// It sends rows in batches, in order, each stored wholly or not at all; two at once
// when they pile up. While the database is unreachable, or fails for a reason that is
// not in the rows (a revoked key, a trigger), they are held and retried, at most 5 s
// apart. Each is stored once, however many answers are lost. They are held in memory:
// what is not stored when the program dies is lost.
//
// A row that the database refuses does not block the others: its batch is split until
// the row is alone. It is refused only if another row has its id and other values
// ([supabase.ErrConflict]), or if it fails alone right after another was stored: once
// if PostgreSQL says that the data is wrong, 30 times for anything else, a statement
// timeout too. After Close, when only such rows are left, it takes 7 or 30 more
// failures (5 s, or 2½ minutes). While nothing can be stored, nothing is refused.
type Recorder struct {
	model    HealthCheckModel
	rows     *recorder.Recorder // nil where NewRecorder did not make it
	maxBytes int
	invalid  error                          // what is wrong with the options
	logger   atomic.Pointer[zerolog.Logger] // from the first Record on

	opened   atomic.Bool // the configuration has worked, or may
	mu       sync.Mutex
	opening  chan error // of a client that is being opened for the first Record: what can never work
	deadline time.Time  // until when that is waited for
}

// patience is how long the first Record waits for Connect, which does no I/O.
const patience = time.Second

// NewRecorder returns a Recorder that stores checks with the model. Invalid options
// are the error of Record, Flush and Close.
func NewRecorder(model HealthCheckModel, options RecorderOptions) *Recorder {
	options, invalid := options.check()
	r := &Recorder{model: model, maxBytes: options.MaxBytes, invalid: invalid}
	if options.Logger != nil {
		r.logger.Store(options.Logger)
	}
	r.rows = recorder.New(recorder.Options{
		MaxRows: options.MaxRows, MaxBytes: options.MaxBytes,
		BatchRows: options.BatchRows, BatchBytes: min(operation.MaxBatchBytes, options.MaxBytes/4),
		BatchAge: options.BatchAge, DropOldest: options.DropOldest,
		Insert: r.insert, Find: r.find,
		OnRefused: func(row operation.Row, err error) {
			if options.OnRefused != nil {
				options.OnRefused(decode(row), err)
			}
		},
	})
	return r
}

// insert stores rows, all or none.
func (r *Recorder) insert(ctx context.Context, rows []operation.Row, tried bool) (uncertain bool, err error) {
	about := operation.Filter{}
	if len(rows) == 1 {
		about = operation.ID(rows[0].ID)
	}
	ctx = r.logger.Load().WithContext(ctx)
	op := checks.Begin(operation.Insert, about)
	defer op.End(ctx, &err)
	if err := op.Open(ctx, r.model.Connect); err != nil {
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
func (r *Recorder) find(ctx context.Context, row operation.Row) (found bool, err error) {
	ctx = r.logger.Load().WithContext(ctx)
	op := checks.Begin(operation.Select, operation.ID(row.ID))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, r.model.Connect); err != nil {
		return false, err
	}
	return op.Holds(ctx, row)
}

// ready returns why no call can succeed.
func (r *Recorder) ready(ctx context.Context) error {
	switch {
	case r == nil || r.rows == nil:
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

// Record takes a copy of a check, and returns without waiting until it is stored.
// Without an ID it gets one; without a CheckedAt, this machine's time. When there is
// no room, Record waits, in the order of the calls, or drops, with DropOldest. ctx
// limits this waiting and nothing else: with room, the row is taken even if ctx is over.
//
// After an error the row was not taken: ErrInvalid for data that the table cannot
// hold, a row larger than MaxBytes, invalid options, a configuration that cannot work,
// or after Close; else ctx's error.
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
func (r *Recorder) open(ctx context.Context) error {
	r.logger.CompareAndSwap(nil, zerolog.Ctx(ctx))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opened.Load() {
		return nil
	}
	if r.opening == nil {
		opening := make(chan error, 1)
		r.opening, r.deadline = opening, time.Now().Add(patience)
		go func() { opening <- r.misconfigured() }()
	}
	select {
	case err := <-r.opening:
		r.opening = nil
		r.opened.Store(err == nil)
		return err
	case <-time.After(time.Until(r.deadline)):
		return nil
	}
}

// misconfigured returns the error of a configuration that can never work.
func (r *Recorder) misconfigured() error {
	op := checks.Begin(operation.Insert, operation.Filter{})
	if err := op.Open(context.Background(), r.model.Connect); errors.Is(err, supabase.ErrInvalid) {
		return err
	}
	return nil
}

// Flush sends the rows held without waiting for full batches, and returns when all
// that were taken before are stored, refused or dropped. If ctx ends first, the error
// has the number still held, ctx's error and the last failure; sending continues.
func (r *Recorder) Flush(ctx context.Context) error {
	return r.end(ctx, (*recorder.Recorder).Flush)
}

// Close takes no more rows, and returns when all held are stored or refused. If ctx
// ends first, it cancels the request in flight; the error has the number of rows that
// are not stored and that may be, ctx's error and the last failure. [Recorder.Unsent]
// returns these rows, and another Close continues. Of several calls at once only the
// last cancels. Without an end of ctx Close waits for the end of an outage.
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
		message += ": " + strings.TrimPrefix(failure.Error(), "supabase: ")
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

// Unsent returns the rows held, oldest first, with ID and CheckedAt set, to be kept
// elsewhere after a Close that failed. When recorded again, even by another program,
// each is stored once. Before Close they are still going to be sent.
func (r *Recorder) Unsent() []CreateHealthCheckData {
	if r == nil || r.rows == nil {
		return nil
	}
	rows, _, _ := r.rows.Held()
	unsent := make([]CreateHealthCheckData, len(rows))
	for i, row := range rows {
		unsent[i] = decode(row)
	}
	return unsent
}
