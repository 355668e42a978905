package recorder

import (
	"context"
	"slices"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
)

// batch is rows that are sent by one request, and what became of that so far. It
// may be split, but is never joined with others: that all of its rows, or none, are
// in the table is what tells whether it was stored.
type batch struct {
	rows     []entry
	inFlight bool
	tried    bool          // a request with these rows may have been carried out
	firstAt  int64         // how many batches had been stored when it first did
	failedAt int64         // and when it last did
	failures int           // since it was made
	proofs   int           // how often it failed, alone, right after another was stored
	tries    int           // how often it failed, alone, after Close
	due      time.Duration // when it may be blamed again
	retryAt  time.Duration // when it is to be tried without being blamed
	last     verdict       // on it, or on what it is a part of
	refused  error         // it is at fault, and may be stored all the same: it is looked for
}

// failed says that it failed, or did as a part of another.
func (b *batch) failed() bool { return b.last != verdict{} }

// unproven says that it failed and nothing is known yet about why, so that the
// others wait.
func (b *batch) unproven() bool { return b.failed() && b.proofs == 0 && b.refused == nil }

// sender sends what the queue holds. Its state is the Recorder's, as is the lock.
type sender struct {
	*Recorder
	pending     []*batch      // popped from the queue, in the order in which they are to be sent
	inFlight    int           // of pending
	stored      int64         // batches
	credit      int           // how many more failures count as right after a batch was stored
	failures    int           // since a batch was stored
	pauses      int           // likewise
	probes      int           // likewise: batches made to see if they can be stored
	pausedUntil time.Duration // by Recorder.now
}

const (
	// maxCredit is how many batches in a row may be blamed by the one stored before.
	maxCredit = 8
	// maxFailures is how many requests in a row may fail at once before that is taken
	// for an outage: a batch can be split down to a row, and another tried.
	maxFailures = 12
	// extraRows is how many rows are held beyond MaxRows where all of them fail alone.
	extraRows = 32
	// longSilence is when a row itself may be why no answer came.
	longSilence = 5 * time.Second
	// underWay is how long a request that was answered otherwise may still be carried
	// out.
	underWay = 10 * time.Second
)

type result struct {
	batch     *batch
	uncertain bool // of a look: the row is there
	err       error
	took      time.Duration
}

// send sends until nothing is held any more, or ctx ends.
func (s *sender) send(ctx context.Context, r *run) {
	results := make(chan result, 2)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		var pause time.Duration
		for ctx.Err() == nil && s.inFlight < s.width() {
			var b *batch
			if b, pause = s.next(); b == nil {
				break
			}
			b.inFlight = true
			s.inFlight++
			go func() { results <- s.attempt(ctx, b) }()
		}
		if s.inFlight == 0 && (ctx.Err() != nil || s.queue.held == 0) {
			break
		}
		idle := s.inFlight == 0
		if idle {
			s.credit = 0
		}
		s.mu.Unlock()
		got, came := wait(ctx, r, results, idle, pause)
		s.mu.Lock()
		if came {
			s.settle(ctx, got)
		}
	}
	r.cancel()
	s.run = nil
	close(r.done)
	if s.waiting > 0 {
		s.start()
	}
}

// wait waits for a result or, if none is on its way, for so long at most, 0 being
// forever; and until it is woken.
func wait(ctx context.Context, r *run, results <-chan result, idle bool, pause time.Duration) (got result, came bool) {
	if !idle {
		select {
		case got = <-results:
			return got, true
		case <-r.wake: // perhaps there is a second one to send
			return got, false
		}
	}
	var timeout <-chan time.Time
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-timeout:
	case <-r.wake:
	case <-ctx.Done():
	}
	return got, false
}

// attempt inserts a batch, or looks for a row that is to be refused.
func (s *sender) attempt(ctx context.Context, b *batch) result {
	rows := make([]operation.Row, len(b.rows))
	for i, e := range b.rows {
		rows[i] = e.row
	}
	if b.refused != nil {
		there, err := s.options.Find(ctx, rows[0])
		return result{batch: b, uncertain: there, err: err}
	}
	began := time.Now()
	uncertain, err := s.options.Insert(ctx, rows, b.tried)
	return result{batch: b, uncertain: uncertain, err: err, took: time.Since(began)}
}

// settle does what follows from a result.
func (s *sender) settle(ctx context.Context, got result) {
	b := got.batch
	b.inFlight = false
	s.inFlight--
	if b.refused != nil {
		s.looked(b, got)
		return
	}
	b.tried = got.uncertain
	switch {
	case got.err == nil:
		if !got.uncertain { // else that says nothing about now
			s.stored++
			s.credit, s.failures, s.pauses, s.probes, s.pausedUntil, s.lastError = maxCredit, 0, 0, 0, 0, nil
		}
		s.stats.Stored += int64(len(b.rows))
		s.drop(b)
	case ctx.Err() == nil: // else it was given up, which says nothing
		s.fail(b, got)
	}
}

// refuse reports a row, and lets it go.
func (s *sender) refuse(b *batch, err error) {
	s.mu.Unlock()
	s.options.OnRefused(b.rows[0].row, err)
	s.mu.Lock()
	s.stats.Refused++
	s.drop(b)
}

// drop lets the rows of a batch go.
func (s *sender) drop(b *batch) {
	for _, e := range b.rows {
		s.queue.release(e)
	}
	clear(b.rows) // the rest of what it was split from may be held for long
	s.remove(b)
	s.admit()
}

func (s *sender) remove(b *batch) {
	s.pending = slices.DeleteFunc(s.pending, func(other *batch) bool { return other == b })
}
