package recorder

import (
	"context"
	"slices"
	"time"

	"github.com/supavigil/supavigil/internal/backoff"
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

// width is how many requests may be in flight: two while batches are stored and
// pile up, so that the server reads one while the database stores the other.
func (s *sender) width() int {
	if s.stored > 0 && s.lastError == nil && len(s.pending) == s.inFlight && s.fullBatch() {
		return 2
	}
	return 1
}

// next takes the batch to send now, or says how long to wait for one; 0 is until
// something changes.
func (s *sender) next() (*batch, time.Duration) {
	now := s.now()
	if wait := s.pausedUntil - now; wait > 0 {
		return nil, wait
	}
	// Whether what failed before is to blame shows right after another was stored.
	if s.credit > 0 {
		for _, b := range s.pending {
			if !b.inFlight && b.failures > 0 && b.refused == nil && b.failedAt < s.stored && b.due <= now {
				return b, 0
			}
		}
	}
	var retry, late *batch
	for _, b := range s.pending {
		switch {
		case b.inFlight:
		case b.failures == 0:
			return b, 0
		case b.unproven() && (retry == nil || b.failures < retry.failures):
			retry = b
		case !b.unproven() && (late == nil || b.retryAt < late.retryAt):
			late = b
		}
	}
	if retry != nil {
		if s.wantsProbe(retry) {
			if b := s.probe(retry.last.away); b != nil {
				return b, 0
			}
		}
		s.credit = 0
		return retry, 0
	}
	wait := time.Duration(0)
	if first := s.queue.first(); first != nil {
		if wait = first.at + s.options.BatchAge - now; s.ready() || wait <= 0 {
			b := &batch{rows: s.queue.popBatch(s.options.BatchRows, s.options.BatchBytes)}
			s.pending = append(s.pending, b)
			return b, 0
		}
	}
	if late != nil {
		if late.retryAt <= now {
			if late.refused == nil {
				if b := s.probe(false); b != nil {
					return b, 0
				}
			}
			s.credit = 0
			return late, 0
		}
		if wait == 0 || late.retryAt-now < wait {
			wait = late.retryAt - now
		}
	}
	return nil, wait
}

// wantsProbe says whether rather than what failed least another row is to be tried:
// at once where the answer was about the data, else with every third try, or, where
// nobody answered, every twelfth.
func (s *sender) wantsProbe(b *batch) bool {
	every := 3
	if b.last.away {
		every = 12
	}
	return b.last.split && s.failures < maxFailures || s.failures >= every*(s.probes+1)
}

// probe returns what was not tried yet, if there is anything: a row of the queue, from
// either end in turn, as those at fault may be many, and side by side; or a part of a
// batch, first of all where nobody answered, so that not more rows may be stored or
// not.
func (s *sender) probe(away bool) *batch {
	several := slices.IndexFunc(s.pending, func(b *batch) bool { return len(b.rows) > 1 })
	if s.queue.rows == 0 && s.stuck() {
		s.queue.admitOne()
	}
	switch {
	case several >= 0 && (away || s.queue.rows == 0):
		s.probes++
		return s.split(s.pending[several])
	case s.queue.rows == 0:
		return nil
	}
	s.probes++
	pop := s.queue.pop
	if s.probes%2 == 0 {
		pop = s.queue.popNewest
	}
	b := &batch{rows: []entry{pop()}}
	s.pending = append(s.pending, b)
	return b
}

// split replaces a batch by its halves, and returns the first.
func (s *sender) split(b *batch) *batch {
	middle := len(b.rows) / 2
	first, second := *b, *b
	first.rows, second.rows = b.rows[:middle:middle], b.rows[middle:]
	first.failures, second.failures = 0, 0
	i := slices.Index(s.pending, b)
	s.pending = slices.Replace(s.pending, i, i+1, &first, &second)
	return &first
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

// looked does what follows from a look for a row that is to be refused.
func (s *sender) looked(b *batch, got result) {
	switch {
	case got.err != nil:
		b.retryAt = s.now() + underWay
	case got.uncertain:
		s.stats.Stored++
		s.drop(b)
	default:
		s.refuse(b, b.refused)
	}
}

// fail does what follows from a failure: the batch is split, refused, or held.
func (s *sender) fail(b *batch, got result) {
	s.lastError, s.stats.LastError, s.stats.LastErrorAt = got.err, got.err, time.Now()
	proof := s.credit > 0 && b.failed() && b.failedAt < s.stored
	if !b.failed() {
		b.firstAt = s.stored
	}
	last := b.last
	b.failedAt, b.last = s.stored, judge(b.rows, got.err)
	b.last.away = b.last.away && got.took < longSilence
	if b.last.proofs != last.proofs { // what other answers proved does not count
		b.proofs, b.tries = 0, 0
	}
	b.failures++
	s.failures++
	s.credit = max(0, s.credit-1)
	if len(b.rows) > 1 {
		if proof || b.last.split && s.failures < maxFailures {
			s.split(b)
		} else {
			s.pause()
		}
		return
	}
	if proof {
		b.proofs++
	}
	if s.closed {
		b.tries++
	}
	switch guilty := s.guilty(b, proof); {
	case guilty && got.uncertain:
		b.refused, b.retryAt = got.err, s.now()+underWay
		return
	case guilty:
		s.refuse(b, got.err)
		return
	}
	s.remove(b)
	s.pending = append(s.pending, b)
	switch {
	case b.proofs > 0:
		b.retryAt = s.now() + max(backoff.Wait(b.failures), got.took)
		if proof {
			b.due = b.retryAt
		}
	case !b.last.split || s.failures >= maxFailures || s.onlyFailed():
		s.pause()
	}
}

// guilty says of a row that failed alone whether it is at fault, and that is known.
func (s *sender) guilty(b *batch, proof bool) bool {
	switch {
	case b.last.known || proof && b.proofs >= b.last.proofs:
		return true
	case !s.closed || b.last.tries == 0 || !s.onlyFailed():
		return false
	case b.firstAt < s.stored || s.queue.held == 1: // another was stored since; or there is none
		return b.tries >= b.last.tries
	default:
		return b.last.proofs == 1 && b.tries >= certainty
	}
}

// onlyFailed says that there is nothing to send but rows that failed alone.
func (s *sender) onlyFailed() bool {
	return s.queue.rows == 0 && s.queue.waiters.Len() == 0 &&
		!slices.ContainsFunc(s.pending, func(b *batch) bool { return len(b.rows) > 1 || b.failures == 0 })
}

// stuck says that what may never be stored may take all the room, so that a row is to
// be taken beyond it.
func (s *sender) stuck() bool {
	return s.inFlight == 0 && len(s.pending) > 0 && s.queue.held < s.options.MaxRows+extraRows &&
		!slices.ContainsFunc(s.pending, func(b *batch) bool { return len(b.rows) > 1 || b.failures == 0 || b.last.away && b.proofs == 0 })
}

func (s *sender) pause() {
	s.pauses++
	s.pausedUntil = s.now() + backoff.Wait(s.pauses)
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
