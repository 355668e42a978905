package healthcheck

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

// piece is rows that are sent by one request: a batch, or what is left of one
// that was refused. Once sent it is never joined with others: that all of its
// rows, or none, are in the table is what tells whether it was stored.
type piece struct {
	rows  []entry
	tried bool // a request with these rows may have been carried out
	// failedAt is how many pieces had been stored when the row, alone, failed for
	// no stated reason; 0 when it did not. Pieces that have one come last.
	failedAt int64
}

func (p piece) suspect() bool { return p.failedAt != 0 }

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
	// maxFutile is how many requests in a row may fail for no stated reason before
	// that is taken for an outage: a batch can be halved down to a row, and another
	// tried.
	maxFutile = 12
)

// sender is what one goroutine needs to send rows.
type sender struct {
	*Recorder
	closing  <-chan struct{}
	stored   int64 // pieces, and 1
	futile   int   // failures for no stated reason since a piece was stored; maxFutile in an outage
	failures int   // pauses since a piece was stored
	helping  sync.WaitGroup
}

// start has a goroutine send what is held, unless one does.
func (r *Recorder) start() {
	if r.done != nil {
		return
	}
	ctx := context.Background()
	if r.options.Logger != nil {
		ctx = r.options.Logger.WithContext(ctx)
	}
	ctx, r.cancel = context.WithCancel(ctx)
	r.done = make(chan struct{})
	s := &sender{Recorder: r, closing: r.closing, stored: 1}
	go s.run(ctx)
}

// run sends until nothing is held any more, or ctx ends.
func (s *sender) run(ctx context.Context) {
	for ctx.Err() == nil {
		pause, woken, over := s.next(ctx)
		if over {
			return
		}
		if pause == 0 {
			pause, woken = s.send(ctx), nil
		}
		s.wait(ctx, pause, woken)
	}
	s.helping.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

// end says that nothing is sent any more. s.mu is held.
func (s *sender) end() {
	s.cancel()
	close(s.done)
	s.done = nil
}

// next sees to it that there is a piece to send, or says how long to wait for
// one, unless woken, or that nothing is held.
func (s *sender) next(ctx context.Context) (pause time.Duration, woken <-chan struct{}, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) > 0 {
		// Whether a row that failed for no stated reason is at fault shows when
		// another is stored.
		if s.suspicious() && s.waiting.rows > 0 {
			s.pending = slices.Insert(s.pending, 0, piece{rows: s.batch(1)})
		}
		return 0, nil, false
	}
	if s.waiting.rows == 0 {
		if s.aside != nil {
			return maxPause, s.wake, false
		}
		s.end()
		return 0, nil, true
	}
	if !s.full() {
		if pause = s.waiting.first().at + s.options.BatchAge - s.now(); pause > 0 {
			return pause, s.wake, false
		}
	}
	s.pending = append(s.pending, piece{rows: s.batch(s.options.BatchRows)})
	if s.aside == nil && s.thrives() {
		s.aside = &piece{rows: s.batch(s.options.BatchRows)}
		s.helping.Go(func() { s.help(ctx) })
	}
	return 0, nil, false
}

// thrives says that batches are stored, and that the next is there already: then
// two are in the air at once, so that the server reads one while the database
// stores the other.
func (s *sender) thrives() bool {
	return s.stored > 1 && s.trouble == nil &&
		(s.waiting.rows >= s.options.BatchRows || s.waiting.bytes >= s.batchBytes())
}

// help sends the batch aside, and the next ones while all goes well. One that is
// not stored goes to pending, with all that follows from that.
func (s *sender) help(ctx context.Context) {
	for {
		p := *s.aside
		unsure, err := s.insert(ctx, p)
		s.mu.Lock()
		if err != nil {
			p.tried = unsure
			first := 0
			if s.sending {
				first = 1
			}
			s.pending = slices.Insert(s.pending, first, p)
		} else {
			s.keep(p)
		}
		s.aside = nil
		if err == nil && ctx.Err() == nil && s.thrives() {
			s.aside = &piece{rows: s.batch(s.options.BatchRows)}
			s.mu.Unlock()
			continue
		}
		s.poke()
		s.mu.Unlock()
		return
	}
}

// suspicious says that all of pending are rows that failed for no stated reason,
// and that what was sent last was not stored.
func (s *sender) suspicious() bool {
	return s.futile > 0 && len(s.pending) > 0 && s.pending[0].suspect()
}

// wait waits, unless it is woken, Close is called or ctx ends.
func (s *sender) wait(ctx context.Context, pause time.Duration, woken <-chan struct{}) {
	if pause == 0 {
		return
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-woken:
	case <-s.closing:
		s.closing = nil // once
	case <-ctx.Done():
	}
}

// send sends the first of pending, and says how long to wait before the next.
func (s *sender) send(ctx context.Context) (pause time.Duration) {
	s.mu.Lock()
	s.sending = true
	p := s.pending[0]
	s.mu.Unlock()

	unsure, err := s.insert(ctx, p)

	s.mu.Lock()
	s.sending = false
	p.tried = unsure
	s.pending[0] = p
	if err != nil && ctx.Err() != nil {
		s.mu.Unlock()
		return 0
	}
	refused := s.settle(p, err)
	if s.futile >= maxFutile || s.suspicious() && s.waiting.rows == 0 {
		pause = s.nextPause()
	}
	s.mu.Unlock()

	if refused != nil && s.options.OnRefused != nil {
		s.options.OnRefused(decode(refused.row), err)
	}
	return pause
}

// insert sends a piece. unsure says that its rows may be stored though there is
// an error.
func (s *sender) insert(ctx context.Context, p piece) (unsure bool, err error) {
	rows := make([]operation.Row, len(p.rows))
	for i, e := range p.rows {
		rows[i] = e.row
	}
	about := operation.Filter{}
	if len(p.rows) == 1 {
		about = operation.ID(p.rows[0].row.ID)
	}
	op := checks.Begin(operation.Insert, about)
	defer op.End(ctx, &err)
	unsure = p.tried
	if err = op.Open(ctx, s.model.Connect); err == nil {
		unsure, err = op.InsertBatch(ctx, rows, p.tried)
	}
	switch {
	case err == nil, errors.Is(err, supabase.ErrConflict):
		// Stored; or a row stands in the way of all, and none of them is.
		return false, err
	default:
		return unsure || !answered(err), err
	}
}

// settle does what follows from the answer to p, the first of pending. It returns
// the row that is refused, if any. s.mu is held.
func (s *sender) settle(p piece, err error) (refused *entry) {
	verdict := judge(err)
	if err != nil {
		s.stats.LastError, s.stats.LastErrorAt = err, time.Now()
	}
	if verdict > atFault {
		s.trouble = err
	}
	alone := len(p.rows) == 1
	switch verdict {
	case stored:
		s.pending = slices.Delete(s.pending, 0, 1)
		s.keep(p)
		s.relieve()
	case atFault:
		if !alone {
			s.halve(p)
			break
		}
		return s.refuse(p)
	case tooSlow:
		if !alone {
			s.halve(p)
			break
		}
		s.futile = maxFutile
	case unexplained:
		if s.guilty(p) {
			s.futile++
			return s.refuse(p)
		}
		s.futile++
		if !alone {
			s.spare(&p)
			s.halve(p)
			break
		}
		if !p.suspect() {
			p.failedAt = s.stored
		}
		s.pending = append(slices.Delete(s.pending, 0, 1), p)
	case outage:
		s.futile = maxFutile
	}
	return nil
}

// relieve notes that a piece was stored. What failed in an outage before that is
// not suspect any more.
func (s *sender) relieve() {
	if s.futile >= maxFutile {
		for i := range s.pending {
			s.pending[i].failedAt = 0
		}
	}
	s.stored++
	s.futile, s.failures, s.trouble = 0, 0, nil
}

// guilty says of a row that failed once more for no stated reason that it is at
// fault: another was stored since it first did, and just now, unless there are
// only such rows left. So an outage that begins, even one that comes and goes,
// does not condemn row after row.
func (s *sender) guilty(p piece) bool {
	return p.suspect() && p.failedAt < s.stored && (s.futile == 0 || s.waiting.rows == 0)
}

// refuse gives up a row, the first of pending.
func (s *sender) refuse(p piece) *entry {
	e := p.rows[0]
	s.stats.Refused++
	s.pending = slices.Delete(s.pending, 0, 1)
	s.drop(p)
	return &e
}

// spare puts a row aside, where there are no others, so that one can be stored
// after the row at fault was found.
func (s *sender) spare(p *piece) {
	last := len(p.rows) - 1
	if len(s.pending) > 1 || last < 2 {
		return
	}
	aside := *p
	p.rows, aside.rows = p.rows[:last:last], p.rows[last:]
	s.pending = append(s.pending, aside)
}

// halve replaces the first of pending by its halves.
func (s *sender) halve(p piece) {
	middle := len(p.rows) / 2
	first, second := p, p
	first.rows, second.rows = p.rows[:middle:middle], p.rows[middle:]
	s.pending = slices.Replace(s.pending, 0, 1, first, second)
}

// keep counts a piece as stored, and lets it go.
func (s *sender) keep(p piece) {
	s.stats.Stored += int64(len(p.rows))
	s.drop(p)
}

// drop lets the rows of a piece go.
func (s *sender) drop(p piece) {
	for _, e := range p.rows {
		s.release(e)
	}
	clear(p.rows) // the rest of its batch may be held for long
	s.admit()
}

// nextPause doubles, times a random factor, so that many Recorders do not come
// back at once.
func (s *sender) nextPause() time.Duration {
	pause := maxPause
	if s.failures < 6 {
		pause = min(firstPause<<s.failures, maxPause)
	}
	s.failures++
	return pause/2 + rand.N(pause/2+1) //nolint:gosec // spreading callers needs no secrecy
}
