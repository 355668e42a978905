package recorder

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/internal/operation"
)

// phase is a time in which requests meet a fault.
type phase struct {
	length time.Duration
	fault  string  // "": none; else "lost", "late" or one of answers
	part   float64 // of the requests
}

// history is a run of TestRule.
type history struct {
	phases             []phase
	rows               []bool // at fault or not
	gap                time.Duration
	maxRows, batchRows int
	dropOldest         bool
	poison             string // how rows at fault are answered
	callers            int
	flush              bool
}

func histories(t *rapid.T) history {
	// At random may be all that is not the database's word on the data: there are 30
	// proofs to that. What comes and goes as a whole may be anything.
	whole := []string{"", "", "lost", "no answer", "400 P0001", "400 23514", "500 SUP", "403 ", "500 57014", "503 PGRST002", "400 ", "409 23505", "null in a column that is not sent"}
	inPart := []string{"lost", "late", "no answer", "403 ", "413 ", "500 57014", "400 WAF", "500 ", "502 ", "401 "}
	return history{
		phases: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) phase {
			p := phase{length: time.Duration(rapid.IntRange(10, 20_000).Draw(t, "ms")) * time.Millisecond, part: 1}
			if rapid.Bool().Draw(t, "random") {
				p.fault, p.part = rapid.SampledFrom(inPart).Draw(t, "fault"), rapid.Float64Range(0.1, 0.5).Draw(t, "part")
			} else {
				p.fault = rapid.SampledFrom(whole).Draw(t, "fault")
			}
			return p
		}), 0, 12).Draw(t, "phases"),
		rows:       rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 6), func(i int) bool { return i == 0 }), 1, 200).Draw(t, "rows"),
		gap:        time.Duration(rapid.SampledFrom([]int{0, 1, 30, 700}).Draw(t, "gap")) * time.Millisecond,
		maxRows:    rapid.SampledFrom([]int{1, 3, 20, 1000}).Draw(t, "MaxRows"),
		batchRows:  rapid.SampledFrom([]int{1, 4, 50}).Draw(t, "BatchRows"),
		dropOldest: rapid.Bool().Draw(t, "DropOldest"),
		poison:     rapid.SampledFrom([]string{"400 23514", "500 SUP", "400 P0001", "413 ", "500 57014", "403 "}).Draw(t, "poison"),
		callers:    rapid.IntRange(1, 4).Draw(t, "callers"),
		flush:      rapid.Bool().Draw(t, "flush"),
	}
}

// Whatever requests meet, and when: a row at fault is refused when others are stored
// after it, any other is stored once, and all ends.
func TestRule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := histories(rt)
		synctest.Test(t, h.run)
	})
}

func (h history) run(t *testing.T) {
	s := newServer()
	s.latency = 0 // else an outage could begin between a row that is stored and the next request
	all := answers()
	began := time.Now()
	var late sync.WaitGroup
	s.breaks(func(rows []operation.Row) (error, bool) {
		at := time.Since(began)
		for _, p := range h.phases {
			if at -= p.length; at >= 0 {
				continue
			}
			if p.fault == "" || rand.Float64() >= p.part { //nolint:gosec // not a secret
				break
			}
			switch p.fault {
			case "late":
				late.Go(func() {
					time.Sleep(700 * time.Millisecond) //nolint:forbidigo // in a bubble
					s.carryOut(rows)
				})
				return errNoAnswer, false
			case "lost":
				return errNoAnswer, !hasBad(rows)
			default:
				return all[p.fault], false
			}
		}
		return badRows(all[h.poison])(rows)
	})
	r := s.recorder(Options{MaxRows: h.maxRows, BatchRows: h.batchRows, DropOldest: h.dropOldest})
	var callers sync.WaitGroup
	for c := range h.callers {
		callers.Go(func() {
			for i := c; i < len(h.rows); i += h.callers {
				name := "good"
				if h.rows[i] {
					name = "bad"
				}
				if err := r.Record(context.Background(), row(name, i)); err != nil {
					t.Error(err)
				}
				balanced(t, r)
				time.Sleep(h.gap) //nolint:forbidigo // in a bubble
			}
		})
	}
	callers.Wait()
	if h.flush {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_ = r.Flush(ctx)
		cancel()
	}
	// All is well again, and rows come from time to time.
	for _, p := range h.phases {
		time.Sleep(p.length) //nolint:forbidigo // in a bubble
	}
	for i := range 300 {
		require.NoError(t, r.Record(t.Context(), row("later", i)))
		time.Sleep(5 * time.Second) //nolint:forbidigo // in a bubble
	}
	require.NoError(t, r.Close(t.Context()))
	late.Wait()
	balanced(t, r)
	stats := r.Stats()
	require.EqualValues(t, len(s.table), stats.Stored)
	require.EqualValues(t, len(s.refused), stats.Refused)
	require.EqualValues(t, len(h.rows)+300, stats.Stored+stats.Refused+stats.Dropped)
	for id := range s.refused {
		require.True(t, strings.HasPrefix(id, "bad"), "%s is refused, and not at fault: %v in %+v", id, s.refused[id], h)
		require.NotContains(t, s.table, id)
	}
	if !h.dropOldest {
		require.Zero(t, stats.Dropped)
		for i, bad := range h.rows {
			if bad {
				require.Contains(t, s.refused, fmt.Sprint("bad", i))
			}
		}
	}
}

// carryOut does what a request asks for whose answer was lost.
func (s *server) carryOut(rows []operation.Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range rows {
		if s.table[row.ID] || hasBad(rows) {
			return
		}
	}
	for _, row := range rows {
		s.table[row.ID] = true
	}
}

func balanced(t *testing.T, r *Recorder) {
	t.Helper()
	s := r.Stats()
	if s.Recorded != s.Stored+s.Refused+s.Dropped+int64(s.Buffered) || (s.Buffered == 0) != (s.BufferedBytes == 0) {
		t.Errorf("%+v", s)
	}
}
