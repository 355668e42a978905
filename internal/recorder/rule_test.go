package recorder

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/operation"
)

// However a row at fault is answered, it is refused, and no other is.
func TestEveryAnswerRefusesARowAtFault(t *testing.T) {
	t.Parallel()
	for name, err := range answers() {
		for _, before := range []int{0, 50, 999} {
			t.Run(fmt.Sprint(name, " after ", before), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					s.breaks(badRows(err))
					r := s.recorder(Options{})
					record(t, r, "a", before)
					record(t, r, "bad", 2)
					record(t, r, "b", 1000-before)
					for i := 0; i < 1000 && r.Stats().Refused < 2; i++ { // life goes on
						require.NoError(t, r.Record(t.Context(), row("c", i)))
						time.Sleep(time.Second) //nolint:forbidigo // in a bubble
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					require.NoError(t, r.Close(ctx))
					require.Len(t, s.refused, 2)
					require.Equal(t, err, s.refused["bad0"])
					require.EqualValues(t, len(s.table), r.Stats().Stored)
					require.Equal(t, r.Stats().Recorded, r.Stats().Stored+2)
				})
			})
		}
	}
}

// What hits every row refuses none, for however long, with a few rows or many, and
// at the end neither.
func TestNoAnswerToEveryRowRefusesAny(t *testing.T) {
	t.Parallel()
	for name, err := range answers() {
		for _, rows := range []int{2, 60, 3000} {
			t.Run(fmt.Sprint(name, " to ", rows), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					s.breaks(every(err))
					r := s.recorder(Options{})
					record(t, r, "a", rows)
					time.Sleep(10 * time.Minute) //nolint:forbidigo // in a bubble
					for _, end := range []func(context.Context) error{r.Flush, r.Close} {
						ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
						require.ErrorIs(t, end(ctx), context.DeadlineExceeded)
						cancel()
					}
					require.Empty(t, s.refused)
					held, _, last := r.Held()
					require.Len(t, held, rows)
					require.Equal(t, "a0", held[0].ID)
					require.Equal(t, err, last)
					s.breaks(nil)
					require.NoError(t, r.Close(t.Context()))
					require.Empty(t, s.refused)
					require.Len(t, s.table, rows)
				})
			})
		}
	}
}

// Nor do answers to requests at random, by a gateway or where nobody answers.
func TestNoAnswerAtRandomRefusesAny(t *testing.T) {
	t.Parallel()
	for name, err := range answers() {
		if judge(nil, err).proofs < certainty {
			// The database's own word on the data.
			require.NotContains(t, []string{"413 ", "500 57014", "lite's statement timeout", "403 ", "500 "}, name)
			continue
		}
		for _, part := range []float64{1. / 3, 1. / 2} {
			for _, batchRows := range []int{1, 1000} {
				t.Run(fmt.Sprintf("%s to %.2f of batches of %d", name, part, batchRows), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						s := newServer()
						s.breaks(random(part, err))
						r := s.recorder(Options{BatchRows: batchRows})
						record(t, r, "a", 2000)
						require.NoError(t, r.Close(t.Context()))
						require.Empty(t, s.refused)
						require.Len(t, s.table, 2000)
					})
				})
			}
		}
	}
}

// An outage that begins at any request, whatever is being found out then, refuses
// no row that is not at fault, however it is answered.
func TestOutageThatBeginsWhileSplitting(t *testing.T) {
	t.Parallel()
	for name, err := range answers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for after := 1; after < 40; after++ {
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					began := time.Now()
					s.breaks(func(rows []operation.Row) (error, bool) {
						if s.requests > after && time.Since(began) < 10*time.Minute {
							return err, false
						}
						return badRows(answer(500, "SUP"))(rows)
					})
					r := s.recorder(Options{})
					record(t, r, "a", 63)
					record(t, r, "bad", 1)
					record(t, r, "b", 64)
					time.Sleep(10*time.Minute + 10*time.Second) //nolint:forbidigo // in a bubble
					record(t, r, "c", 5)
					require.NoError(t, r.Close(t.Context()))
					require.Len(t, s.refused, 1, after)
					require.Contains(t, s.refused, "bad0")
					require.Len(t, s.table, 132)
				})
			}
		})
	}
}

// The last rows, with nothing left that would show whose fault it is.
func TestCloseEnds(t *testing.T) {
	t.Parallel()
	for name, err := range answers() {
		for _, rows := range []int{1, 2} {
			t.Run(fmt.Sprint(name, " to ", rows), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					s.breaks(badRows(err))
					r := s.recorder(Options{})
					record(t, r, "bad", rows)
					v := judge(nil, err)
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					began := time.Now()
					if v.tries == 0 || rows > 1 && v.proofs > 1 { // it may be an outage
						require.ErrorIs(t, r.Close(ctx), context.DeadlineExceeded)
						require.Equal(t, time.Hour, time.Since(began))
						require.Empty(t, s.refused)
						return
					}
					require.NoError(t, r.Close(ctx))
					require.Len(t, s.refused, rows)
					if v.proofs == 1 && rows == 1 {
						require.Less(t, time.Since(began), 10*time.Second)
					}
				})
			})
		}
	}
}

// A row whose answer was lost is stored, whatever the trigger says that started
// afterwards.
func TestARowThatIsStoredIsNotRefused(t *testing.T) {
	t.Parallel()
	for name, err := range answers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				s.breaks(func([]operation.Row) (error, bool) {
					if s.requests == 1 {
						return errNoAnswer, true
					}
					return err, false
				})
				r := s.recorder(Options{})
				record(t, r, "a", 1)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := r.Close(ctx); err != nil { // no answer at all
					require.Equal(t, "no answer", name)
					_, uncertain, _ := r.Held()
					require.Equal(t, 1, uncertain)
				}
				require.Empty(t, s.refused)
				require.Len(t, s.table, 1)
			})
		})
	}
}
