package recorder

import (
	"slices"
	"time"

	"github.com/supavigil/supavigil/internal/backoff"
)

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
