package recorder

import (
	"slices"
	"time"
)

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
