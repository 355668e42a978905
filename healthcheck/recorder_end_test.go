package healthcheck_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
)

func within(t *testing.T, limit time.Duration, end func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	began := time.Now()
	err := end(ctx)
	require.LessOrEqual(t, time.Since(began), limit+100*time.Millisecond)
	return err
}

// undialled is a port that is closed: no request leaves.
func undialled(*http.Request, string, func()) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

func TestRecorderFlush(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		r := w.recorder(healthcheck.RecorderOptions{BatchAge: time.Hour})
		require.NoError(t, r.Flush(t.Context()), "nothing is held")
		record(t, r, "a", 3)
		began := time.Now()
		require.NoError(t, r.Flush(t.Context()))
		require.Equal(t, began, time.Now(), "it does not wait for the batch to fill")
		require.EqualValues(t, 3, r.Stats().Stored)

		w.breaks(undialled)
		record(t, r, "b", 1)
		err := within(t, time.Minute, r.Flush)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, supabase.ErrUnavailable)
		// The minute may end while a request with the row is in flight.
		require.Regexp(t, "insert service_health_checks: 1 row (is not stored|may be stored or not): ", err.Error())
		go func() {
			time.Sleep(time.Minute) //nolint:forbidigo // in a bubble
			w.breaks(nil)
		}()
		require.NoError(t, r.Flush(t.Context()))
		require.EqualValues(t, 4, r.Stats().Stored)

		// What is recorded afterwards is not waited for.
		w.breaks(func(_ *http.Request, body string, _ func()) (*http.Response, error) {
			if strings.Contains(body, "later") {
				return replies(503, "PGRST002"), nil
			}
			time.Sleep(time.Second) //nolint:forbidigo // in a bubble
			return nil, nil         //nolint:nilnil // no fault
		})
		record(t, r, "c", 1)
		flushed := make(chan error)
		go func() { flushed <- r.Flush(t.Context()) }()
		synctest.Wait()
		record(t, r, "later", 1)
		require.NoError(t, <-flushed)
		require.Error(t, within(t, time.Minute, r.Close))
	})
	require.Len(t, w.stored(t), 5)
}

// What could not be sent is kept elsewhere, and recorded again: each row is stored
// once, also those that were stored though nobody knew.
func TestRecorderUnsent(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		r := w.recorder(healthcheck.RecorderOptions{BatchRows: 10})
		require.Empty(t, r.Unsent())
		w.breaks(lost)
		full := healthcheck.CreateHealthCheckData{
			ServiceName: "full", Status: healthcheck.StatusDown, LatencyMS: new(7), ErrorMessage: new("why"),
			ProbeDetails: map[string]any{"n": 1.5}, CheckedAt: noon, ID: id,
		}
		require.NoError(t, r.Record(t.Context(), full))
		record(t, r, "s", 24)
		require.ErrorContains(t, within(t, time.Minute, r.Close), "15 rows are not stored, and 10 more may be or not")
		unsent := r.Unsent()
		require.Len(t, unsent, 25)
		require.Equal(t, full, unsent[0])
		for i, data := range unsent[1:] {
			require.Equal(t, fmt.Sprint("s", i), data.ServiceName)
			require.NotEmpty(t, data.ID)
			require.False(t, data.CheckedAt.IsZero())
		}
		w.breaks(nil)
		again := w.recorder(healthcheck.RecorderOptions{})
		for _, data := range unsent {
			require.NoError(t, again.Record(t.Context(), data))
		}
		require.NoError(t, again.Close(t.Context()))
		require.EqualValues(t, 25, again.Stats().Stored)
		require.NoError(t, r.Close(t.Context()), "it goes on, and finds them stored")
		require.EqualValues(t, 25, r.Stats().Stored)
		require.Empty(t, r.Unsent())
	})
	require.Len(t, w.stored(t), 25)
}

// What was never sent is neither stored nor doubtful.
func TestRecorderAfterRefusedDials(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	store(t, w.server, map[string]any{"id": id, "service_name": "before", "status": "down"})
	synctest.Test(t, func(t *testing.T) {
		w.breaks(undialled)
		var refused error
		r := w.recorder(healthcheck.RecorderOptions{OnRefused: func(_ healthcheck.CreateHealthCheckData, err error) { refused = err }})
		taken := check("taken")
		taken.ID = id
		require.NoError(t, r.Record(t.Context(), taken))
		require.ErrorContains(t, within(t, time.Minute, r.Close), ": 1 row is not stored: ")
		w.breaks(nil)
		require.NoError(t, within(t, time.Second, r.Close))
		require.EqualValues(t, 1, r.Stats().Refused)
		require.Zero(t, r.Stats().Stored)
		require.ErrorIs(t, refused, supabase.ErrConflict)

		w.breaks(undialled)
		r = w.recorder(healthcheck.RecorderOptions{})
		record(t, r, "s", 5)
		require.ErrorContains(t, within(t, time.Minute, r.Close), ": 5 rows are not stored: ")
		w.breaks(nil)
		require.NoError(t, r.Close(t.Context()))
	})
	require.Len(t, w.stored(t), 6)
}

// A row that is stored, its answer having been lost, is not refused by whatever says
// no afterwards.
func TestRecorderLooksForARowBeforeItIsRefused(t *testing.T) {
	t.Parallel()
	for _, answer := range []struct {
		status int
		code   string
	}{{400, "P0001"}, {400, "23514"}, {500, ""}, {500, "SUP"}, {401, ""}, {403, ""}, {404, "PGRST205"}, {409, "23503"}, {413, ""}, {500, "57014"}} {
		for _, own := range []string{"", id} {
			t.Run(fmt.Sprint(answer, own), func(t *testing.T) {
				t.Parallel()
				w := newWire(t)
				synctest.Test(t, func(t *testing.T) {
					posts := 0
					w.breaks(func(r *http.Request, _ string, carryOut func()) (*http.Response, error) {
						if r.Method != http.MethodPost {
							return nil, nil //nolint:nilnil // no fault
						}
						if posts++; posts == 1 {
							carryOut()
							return nil, errRefused
						}
						return replies(answer.status, answer.code), nil
					})
					r := w.recorder(healthcheck.RecorderOptions{})
					data := check("stored")
					data.ID = own
					require.NoError(t, r.Record(t.Context(), data))
					require.NoError(t, within(t, time.Minute, r.Close))
					require.EqualValues(t, 1, r.Stats().Stored)
					require.Zero(t, r.Stats().Refused)
				})
				require.Len(t, w.stored(t), 1)
			})
		}
	}
}

// A gateway that refuses requests at random has no row refused.
func TestRecorderBehindAGatewayThatRefusesAtRandom(t *testing.T) {
	t.Parallel()
	for batchRows, part := range map[int]float64{1: 1. / 3, 1000: 1. / 2} {
		w := newWire(t)
		synctest.Test(t, func(t *testing.T) {
			w.breaks(func(*http.Request, string, func()) (*http.Response, error) {
				if rand.Float64() < part { //nolint:gosec // not a secret
					return replies(403, ""), nil
				}
				return nil, nil //nolint:nilnil // no fault
			})
			r := w.recorder(healthcheck.RecorderOptions{BatchRows: batchRows})
			record(t, r, "s", 2000)
			require.NoError(t, r.Close(t.Context()))
			require.Zero(t, r.Stats().Refused)
		})
		require.Len(t, w.stored(t), 2000)
	}
}

func TestRecorderThatNobodyMade(t *testing.T) {
	t.Parallel()
	var none *healthcheck.Recorder
	for _, r := range []*healthcheck.Recorder{{}, new(healthcheck.Recorder), none} {
		for _, err := range []error{r.Record(t.Context(), check("api")), r.Flush(t.Context()), r.Close(t.Context())} {
			require.ErrorIs(t, err, supabase.ErrInvalid)
			require.ErrorAs(t, err, new(*supabase.Error))
			require.ErrorContains(t, err, "only NewRecorder makes a Recorder")
		}
		require.Zero(t, r.Stats())
		require.Empty(t, r.Unsent())
	}
}

func TestRecorderStatsAsJSON(t *testing.T) {
	t.Parallel()
	s := healthcheck.RecorderStats{
		Recorded: 10, Stored: 5, Refused: 1, Dropped: 1, Buffered: 3, BufferedBytes: 600, Blocked: 2, Oldest: 1500 * time.Millisecond,
		LastError: &supabase.Error{
			Op: "insert", Table: "service_health_checks", Status: 409, Code: "23505", Message: "duplicate key",
			Details: "Key (id)=(secret) already exists.", Err: supabase.ErrConflict,
		},
		LastErrorAt: noon.In(time.FixedZone("", 3600)),
	}
	for _, value := range []any{s, &s, map[string]any{"a": s}["a"]} {
		got, err := json.Marshal(value)
		require.NoError(t, err)
		require.JSONEq(t, `{"recorded":10,"stored":5,"refused":1,"dropped":1,"buffered":3,"buffered_bytes":600,"blocked":2,"oldest_ms":1500,`+
			`"last_error":"supabase: insert service_health_checks: 409 23505: duplicate key","last_error_at":"2026-01-02T12:00:00Z"}`, string(got))
	}
	got, err := json.Marshal(healthcheck.RecorderStats{})
	require.NoError(t, err)
	require.JSONEq(t, `{"recorded":0,"stored":0,"refused":0,"dropped":0,"buffered":0,"buffered_bytes":0,"blocked":0,"oldest_ms":0,`+
		`"last_error":null,"last_error_at":null}`, string(got))
}

func TestRecorderLogsWhereTheFirstRecordDoes(t *testing.T) {
	t.Parallel()
	var first, second, own bytes.Buffer
	into := func(b *bytes.Buffer) context.Context { return new(zerolog.New(b)).WithContext(t.Context()) }
	for _, options := range []healthcheck.RecorderOptions{{}, {Logger: new(zerolog.New(&own))}} {
		w := newWire(t)
		synctest.Test(t, func(t *testing.T) {
			r := w.recorder(options)
			require.NoError(t, r.Record(into(&first), check("a")))
			require.NoError(t, r.Record(into(&second), check("b")))
			require.NoError(t, r.Close(t.Context()))
		})
	}
	require.Equal(t, 1, strings.Count(first.String(), `"rows":2,"message":"insert"`))
	require.Equal(t, 1, strings.Count(own.String(), `"rows":2,"message":"insert"`))
	require.Empty(t, second.String())
}
