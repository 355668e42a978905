package faults_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A cell is one fault on one operation.
type cell struct {
	fault     fault
	operation operation
	form      form
}

// Cells that hang wait for a time limit, and keep no processor busy; the others
// do, and would have them miss it.
const workers, hangingWorkers = 16, 384

func TestMatrix(t *testing.T) {
	t.Parallel()
	faults := allFaults(t)
	var light, hanging, heavy []cell
	for _, f := range faults {
		for _, o := range operations() {
			if !f.concerns(o) {
				continue
			}
			for _, how := range f.forms(o) {
				switch c := (cell{f, o, how}); {
				case f.heavy:
					heavy = append(heavy, c)
				case f.hangs || f.wait > 0:
					hanging = append(hanging, c)
				default:
					light = append(light, c)
				}
			}
		}
	}
	runCells(t, light, workers)
	runCells(t, hanging, hangingWorkers)
	runCells(t, heavy, 1)
	t.Logf("%d faults on %d operations: %d cells", len(faults), len(operations()), len(light)+len(hanging)+len(heavy))
}

func runCells(t *testing.T, cells []cell, workers int) {
	t.Helper()
	next := make(chan cell)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for c := range next {
				t.Run(c.fault.name+"/"+c.operation.name+"/"+string(c.form), c.run)
			}
		})
	}
	for _, c := range cells {
		next <- c
	}
	close(next)
	running.Wait()
}

func allFaults(t *testing.T) []fault {
	t.Helper()
	faults := append(networkFaults(), answerFaults()...)
	faults = append(faults, bodyFaults(t)...)
	names := map[string]bool{}
	for _, f := range faults {
		require.False(t, names[f.name], f.name)
		names[f.name] = true
		if f.class == "" && f.status == 0 && !f.harmless {
			require.Fail(t, "no class and no status", f.name)
		}
	}
	return faults
}

func (c cell) run(t *testing.T) {
	s := newStand(t)
	s.config.MaxAttempts, s.config.Timeout = maxAttempts, unhurried
	if c.fault.hangs && c.form != deadline {
		s.config.Timeout = timeout
	}
	defer func() {
		if t.Failed() {
			for _, request := range s.double.Requests() {
				t.Log("arrived:", request.Method, request.Path, request.Query, request.Header)
			}
		}
	}()
	s.arm(t, c)
	before, seen := look(t, s.double), len(s.double.Requests())

	limit := patience
	if c.form == deadline {
		limit = brief
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	got := s.run(ctx, t, c.operation)

	now := look(t, s.double).since(before)
	c.verify(t, got, len(s.double.Requests())-seen, now)
}

// arm brings the fault about.
func (s *stand) arm(t *testing.T, c cell) {
	t.Helper()
	switch {
	case c.fault.network != nil:
		s.armNetwork(t, c)
	case c.form == later:
		s.armLater(c)
	case c.form == always:
		for range max(maxAttempts, c.fault.attempts[c.operation.name]) {
			s.double.Intercept(c.onWrite(c.fault.handle(s)))
		}
	default:
		s.double.Intercept(c.onWrite(c.fault.handle(s)))
	}
}

// onWrite lets the request pass that looks where to write.
func (c cell) onWrite(handle func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		return (!c.operation.probes || r.Method != http.MethodGet) && handle(w, r)
	}
}

func (f fault) handle(s *stand) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		f.answer(s, w, r)
		return true
	}
}

func (s *stand) armNetwork(t *testing.T, c cell) {
	t.Helper()
	s.withProxy(t)
	if c.fault.warm {
		require.Nil(t, s.run(t.Context(), t, operations()[1]).err)
	}
	c.fault.network(t, s)
	s.trips.Store(0)
	if c.form == once && !c.fault.harmless && !c.fault.spares(c.operation) {
		s.heal = func() { s.renew(t) }
	}
}

func (s *stand) armLater(c cell) {
	if c.operation.readsBack {
		s.double.Intercept(fault{answer: afterwards(breakOff)}.handle(s))
	}
	first := true
	s.double.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !c.operation.readsBack && first {
			first = false
			return false
		}
		return c.fault.handle(s)(w, r)
	})
}

// verify compares what came of a cell with what is promised.
func (c cell) verify(t *testing.T, got outcome, arrived int, now change) {
	t.Helper()
	want := c.fault.promised(c.operation, c.form)
	require.Less(t, got.took, 10*want.within)
	if want.fails {
		require.NotNil(t, got.err, "a %s must fail", c.fault.name)
		require.ElementsMatch(t, want.classes, classes(got.err), "%v", got.err)
		require.Equal(t, want.code, got.err.Code, "%v", got.err)
		if want.status == answered {
			require.Contains(t, []int{200, 201, 204}, got.err.Status, "%v", got.err)
		} else {
			require.Equal(t, want.status, got.err.Status, "%v", got.err)
		}
		require.Equal(t, got.attempts, got.err.Attempts)
		if want.uncertain {
			require.True(t, got.err.Uncertain, "%v", got.err)
		}
	} else {
		require.Nil(t, got.err, "%v", got.err)
		require.Equal(t, want.result, got.result)
	}
	c.verifyRequests(t, want, got.attempts, arrived)
	if c.form == deadline && now == (change{}) {
		return // the caller may have left before the request arrived
	}
	require.Equal(t, want.change, now)
}

func (c cell) verifyRequests(t *testing.T, want promise, out, arrived int) {
	t.Helper()
	// A busy machine can let an attempt run into the short limit that is there
	// for another; and who finds a connection closed does so before or after
	// having used it.
	slack := 0
	if c.fault.hangs && (c.form == once || c.form == later) || c.fault.warm || c.fault.resent && c.form == later {
		slack = 1
	}
	require.GreaterOrEqual(t, out, want.attempts)
	require.LessOrEqual(t, out, want.attempts+slack)
	if c.form == deadline {
		require.LessOrEqual(t, arrived, want.arrive)
		return
	}
	require.GreaterOrEqual(t, arrived, want.arrive)
	require.LessOrEqual(t, arrived, want.arrive+slack)
}
