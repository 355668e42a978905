package healthcheck_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// wire is a transport to the double without sockets, so that synctest sees all waits.
type wire struct {
	server *supabasetest.Server

	mu sync.Mutex
	// fault answers in the double's place, unless it returns nil and nil. carryOut
	// has the double do what was asked.
	fault    func(r *http.Request, body string, carryOut func()) (*http.Response, error)
	requests []sent
	flying   int
	most     int // requests in the air at once
}

type sent struct {
	at     time.Time
	method string
	rows   []map[string]any
}

func newWire(t *testing.T) *wire {
	t.Helper()
	server := supabasetest.NewServer()
	t.Cleanup(server.Close)
	return &wire{server: server}
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	request := sent{at: time.Now(), method: r.Method}
	_ = json.Unmarshal(body, &request.rows)
	w.mu.Lock()
	w.requests = append(w.requests, request)
	w.flying++
	w.most = max(w.most, w.flying)
	fault := w.fault
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.flying--
	}()
	carryOut := func() *http.Response {
		r := r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		w.server.ServeHTTP(answer, r)
		return answer.Result()
	}
	if fault != nil {
		answer, err := fault(r, string(body), func() { _ = carryOut().Body.Close() })
		if answer != nil || err != nil {
			return answer, err
		}
	}
	return carryOut(), nil
}

// breaks has all requests meet a fault from now on; nil ends all.
func (w *wire) breaks(fault func(r *http.Request, body string, carryOut func()) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = fault
}

func (w *wire) sent() []sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sent(nil), w.requests...)
}

func (w *wire) recorder(options healthcheck.RecorderOptions) *healthcheck.Recorder {
	config := w.server.Config()
	config.Transport = w
	return healthcheck.NewRecorder(healthcheck.HealthCheckModel{Connect: config.ServiceClient}, options)
}

// stored returns what is in the table, by service.
func (w *wire) stored(t *testing.T) map[string]healthcheck.ServiceHealthCheck {
	t.Helper()
	config := w.server.Config()
	config.Transport = &wire{server: w.server}
	all, err := healthcheck.HealthCheckModel{Connect: config.ServiceClient}.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: 1_000_000})
	require.NoError(t, err)
	byName := map[string]healthcheck.ServiceHealthCheck{}
	for _, check := range all {
		require.NotContains(t, byName, check.ServiceName, "stored twice")
		byName[check.ServiceName] = check
	}
	return byName
}

var errRefused = errors.New("connection reset by peer")

func down(*http.Request, string, func()) (*http.Response, error) { return nil, errRefused }

func lost(_ *http.Request, _ string, carryOut func()) (*http.Response, error) {
	carryOut()
	return nil, errRefused
}

func hangs(r *http.Request, _ string, _ func()) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func replies(status int, code string) *http.Response {
	kind, body := "application/json", fmt.Sprintf(`{"code":%q,"message":"no"}`, code)
	if code == "" {
		kind, body = "text/html", "<html>no</html>"
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}
}

func check(name string) healthcheck.CreateHealthCheckData {
	return healthcheck.CreateHealthCheckData{ServiceName: name, Status: healthcheck.StatusHealthy}
}

// record hands in checks of services n0, n1, … and wants them taken.
func record(t *testing.T, r *healthcheck.Recorder, name string, n int) {
	t.Helper()
	for i := range n {
		require.NoError(t, r.Record(t.Context(), check(fmt.Sprint(name, i))))
	}
}

// ended returns a context that is over.
func ended(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func balanced(t *testing.T, s healthcheck.RecorderStats) {
	t.Helper()
	require.Equal(t, s.Recorded, s.Stored+s.Refused+s.Dropped+int64(s.Buffered), "%+v", s)
	require.Equal(t, s.Buffered == 0, s.BufferedBytes == 0)
}

func TestRecorderSendsABatchWhenItIsFull(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		r := w.recorder(healthcheck.RecorderOptions{BatchRows: 3})
		began := time.Now()
		record(t, r, "s", 3)
		synctest.Wait()
		require.EqualValues(t, 3, r.Stats().Stored)
		record(t, r, "t", 2)
		time.Sleep(999 * time.Millisecond) //nolint:forbidigo // in a bubble
		require.Equal(t, 2, r.Stats().Buffered)
		require.Equal(t, 999*time.Millisecond, r.Stats().Oldest)
		time.Sleep(time.Millisecond) //nolint:forbidigo // in a bubble
		synctest.Wait()
		require.Zero(t, r.Stats().Buffered)
		sent := w.sent()
		require.Len(t, sent, 2)
		require.Equal(t, began, sent[0].at)
		require.Equal(t, began.Add(time.Second), sent[1].at, "by age")
		require.Len(t, sent[0].rows, 3)
		for i, row := range sent[0].rows {
			require.Equal(t, fmt.Sprint("s", i), row["service_name"])
		}
		require.NoError(t, r.Close(t.Context()))
		balanced(t, r.Stats())
	})
}

func TestRecorderSendsABatchWhenItIsLarge(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		r := w.recorder(healthcheck.RecorderOptions{})
		data := check("large")
		data.ErrorMessage = new(strings.Repeat("x", 600<<10))
		require.NoError(t, r.Record(t.Context(), data))
		synctest.Wait()
		require.Empty(t, w.sent())
		data.ServiceName = "larger"
		require.NoError(t, r.Record(t.Context(), data))
		synctest.Wait()
		require.Len(t, w.sent(), 1, "both are more than a request takes")
		time.Sleep(time.Second) //nolint:forbidigo // in a bubble
		synctest.Wait()
		require.Len(t, w.sent(), 2)
		require.NoError(t, r.Close(t.Context()))
	})
	require.Len(t, w.stored(t), 2)
}

func TestRecorderSendsTwoBatchesAtOnceWhenTheyPileUp(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		w.breaks(func(*http.Request, string, func()) (*http.Response, error) {
			time.Sleep(50 * time.Millisecond) //nolint:forbidigo // in a bubble
			return nil, nil                   //nolint:nilnil // nothing else is wrong
		})
		r := w.recorder(healthcheck.RecorderOptions{BatchRows: 10})
		record(t, r, "s", 205)
		require.NoError(t, r.Close(t.Context()))
		require.Equal(t, 2, w.most)
		require.EqualValues(t, 205, r.Stats().Stored)
	})
	require.Len(t, w.stored(t), 205)
}

func TestRecorderFixesTheRow(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	var recorded time.Time
	synctest.Test(t, func(t *testing.T) {
		r := w.recorder(healthcheck.RecorderOptions{})
		data := check("fixed")
		data.ProbeDetails, data.LatencyMS = map[string]any{"a": "b"}, new(1)
		recorded = time.Now().UTC()
		require.NoError(t, r.Record(t.Context(), data))
		data.ProbeDetails["a"], *data.LatencyMS = "c", 2
		own := check("own time")
		own.ID, own.CheckedAt = id, noon
		require.NoError(t, r.Record(ended(t), own), "there is room")
		time.Sleep(time.Minute) //nolint:forbidigo // in a bubble
		require.NoError(t, r.Close(t.Context()))
	})
	stored := w.stored(t)
	require.Equal(t, map[string]any{"a": "b"}, stored["fixed"].ProbeDetails)
	require.Equal(t, 1, *stored["fixed"].LatencyMS)
	require.Equal(t, recorded, stored["fixed"].CheckedAt)
	require.Equal(t, noon, stored["own time"].CheckedAt)
	require.Equal(t, id, stored["own time"].ID)
}

func TestRecorderRidesOutAnOutage(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*http.Request, string, func()) (*http.Response, error){
		"no answer":        down,
		"answers are lost": lost,
		"hanging":          hangs,
		"starting":         func(*http.Request, string, func()) (*http.Response, error) { return replies(503, "PGRST002"), nil },
		"gateway":          func(*http.Request, string, func()) (*http.Response, error) { return replies(502, ""), nil },
		"paused":           func(*http.Request, string, func()) (*http.Response, error) { return replies(540, ""), nil },
		"key revoked":      func(*http.Request, string, func()) (*http.Response, error) { return replies(401, "PGRST301"), nil },
		"no grants":        func(*http.Request, string, func()) (*http.Response, error) { return replies(403, "42501"), nil },
		"no table":         func(*http.Request, string, func()) (*http.Response, error) { return replies(404, "PGRST205"), nil },
		"no column":        func(*http.Request, string, func()) (*http.Response, error) { return replies(400, "PGRST204"), nil },
		"statement time":   func(*http.Request, string, func()) (*http.Response, error) { return replies(500, "57014"), nil },
		"disk full":        func(*http.Request, string, func()) (*http.Response, error) { return replies(500, "53100"), nil },
		"lite":             func(*http.Request, string, func()) (*http.Response, error) { return replies(500, "SUP"), nil },
		"firewall":         func(*http.Request, string, func()) (*http.Response, error) { return replies(403, ""), nil },
		"mangled":          func(*http.Request, string, func()) (*http.Response, error) { return replies(400, "PGRST102"), nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t)
			at := map[string]time.Time{}
			synctest.Test(t, func(t *testing.T) {
				r := w.recorder(healthcheck.RecorderOptions{BatchRows: 20})
				record(t, r, "before", 40)
				synctest.Wait()
				w.breaks(fault)
				for minute := range 10 {
					for i := range 30 {
						data := check(fmt.Sprint("during", minute, " ", i))
						if i%2 == 0 {
							data.ID = fmt.Sprintf("00000000-0000-4000-8000-%012d", minute*100+i)
						}
						at[data.ServiceName] = time.Now().UTC()
						require.NoError(t, r.Record(t.Context(), data))
					}
					time.Sleep(time.Minute) //nolint:forbidigo // in a bubble
					balanced(t, r.Stats())
				}
				stats := r.Stats()
				require.Error(t, stats.LastError)
				require.WithinDuration(t, time.Now(), stats.LastErrorAt, time.Minute)
				require.Zero(t, stats.Refused)
				w.breaks(nil)
				time.Sleep(15 * time.Second) //nolint:forbidigo // in a bubble
				require.Zero(t, r.Stats().Buffered, "caught up")
				require.NoError(t, r.Close(t.Context()))
				balanced(t, r.Stats())
				require.Zero(t, r.Stats().Refused)
			})
			stored := w.stored(t)
			require.Len(t, stored, 340)
			for name, recorded := range at {
				require.Equal(t, recorded, stored[name].CheckedAt)
			}
		})
	}
}

func TestRecorderSendsOneBatchAtATimeInAnOutage(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		w.breaks(down)
		r := w.recorder(healthcheck.RecorderOptions{BatchRows: 10})
		record(t, r, "s", 100)
		time.Sleep(time.Hour) //nolint:forbidigo // in a bubble
		sent := w.sent()
		require.Equal(t, 1, w.most)
		require.Greater(t, len(sent), 4*3600/10, "it goes on trying")
		require.Less(t, len(sent), 4*3600/2, "but not in a hurry")
		for _, request := range sent {
			if len(request.rows) > 1 {
				require.Subset(t, sent[0].rows, request.rows, "the first batch, or one row beside it")
			}
		}
		require.ErrorIs(t, r.Close(ended(t)), context.Canceled)
	})
}

// What can never work is an error of the first Record; what works no more is waited
// for.
func TestRecorderSaysThatItIsNotConfigured(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]supabase.Config{
		"nothing":         {},
		"no key":          {URL: "https://abc.supabase.co"},
		"another's key":   {URL: "https://abc.supabase.co", Key: "sb_publishable_x"},
		"not a URL":       {URL: "abc", Key: "sb_secret_x"},
		"negative limits": {URL: "https://abc.supabase.co", Key: "sb_secret_x", MaxAttempts: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t)
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				good := w.server.Config()
				good.Transport = w
				config := wrong
				use := func(c supabase.Config) {
					mu.Lock()
					defer mu.Unlock()
					config = c
				}
				r := healthcheck.NewRecorder(healthcheck.HealthCheckModel{Connect: func() (*supabase.Client, error) {
					mu.Lock()
					defer mu.Unlock()
					return config.ServiceClient()
				}}, healthcheck.RecorderOptions{})
				for range 2 {
					err := r.Record(t.Context(), check("early"))
					require.ErrorIs(t, err, supabase.ErrInvalid)
					_, why := wrong.ServiceClient()
					require.Equal(t, strings.Replace(why.Error(), "supabase: ", "supabase: insert service_health_checks: ", 1), err.Error())
				}
				require.Zero(t, r.Stats())
				use(good)
				record(t, r, "s", 3)
				use(wrong)
				time.Sleep(time.Minute) //nolint:forbidigo // in a bubble
				record(t, r, "t", 3)
				require.ErrorIs(t, r.Stats().LastError, supabase.ErrInvalid)
				use(good)
				require.NoError(t, r.Close(t.Context()))
			})
			require.Len(t, w.stored(t), 6)
		})
	}
}

// Nor can a Connect that opens nothing.
func TestRecorderWithoutAClient(t *testing.T) {
	t.Parallel()
	for says, connect := range map[string]supabase.Connector{
		"neither client nor error": func() (*supabase.Client, error) { return nil, nil }, //nolint:nilnil // as said
		"was not opened":           func() (*supabase.Client, error) { return new(supabase.Client), nil },
		"cannot be opened":         func() (*supabase.Client, error) { return nil, fmt.Errorf("vault: %w", supabase.ErrInvalid) },
	} {
		r := healthcheck.NewRecorder(healthcheck.HealthCheckModel{Connect: connect}, healthcheck.RecorderOptions{})
		err := r.Record(t.Context(), check("api"))
		require.ErrorIs(t, err, supabase.ErrInvalid)
		require.ErrorContains(t, err, says)
		require.Zero(t, r.Stats())
	}
	for name, err := range map[string]error{"what may work later": errors.New("vault: sealed"), "what is away": &supabase.Error{Err: supabase.ErrUnavailable}} {
		r := healthcheck.NewRecorder(healthcheck.HealthCheckModel{
			Connect: func() (*supabase.Client, error) { return nil, err },
		}, healthcheck.RecorderOptions{})
		require.NoError(t, r.Record(t.Context(), check("api")), name)
		require.ErrorIs(t, r.Close(ended(t)), context.Canceled)
	}
}

// Nobody waits longer than asked for whatever hangs: Connect, or OnRefused.
func TestRecorderDoesNotWaitForWhatHangs(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	store(t, w.server, map[string]any{"id": id, "service_name": "before", "status": "down"})
	for name, hang := range map[string]func(*healthcheck.HealthCheckModel, *healthcheck.RecorderOptions, func()){
		"Connect": func(m *healthcheck.HealthCheckModel, _ *healthcheck.RecorderOptions, wait func()) {
			connect := m.Connect
			m.Connect = func() (*supabase.Client, error) { wait(); return connect() }
		},
		"OnRefused": func(_ *healthcheck.HealthCheckModel, o *healthcheck.RecorderOptions, wait func()) {
			o.OnRefused = func(healthcheck.CreateHealthCheckData, error) { wait() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hanging := make(chan struct{})
				config := w.server.Config()
				config.Transport = w
				model, options := healthcheck.HealthCheckModel{Connect: config.ServiceClient}, healthcheck.RecorderOptions{BatchRows: 1}
				hang(&model, &options, func() { <-hanging })
				r := healthcheck.NewRecorder(model, options)
				refused := check("refused")
				refused.ID = id
				began := time.Now()
				require.NoError(t, r.Record(t.Context(), refused))
				require.LessOrEqual(t, time.Since(began), time.Second)
				require.NoError(t, r.Record(t.Context(), check(name)))
				for _, end := range []func(context.Context) error{r.Flush, r.Close, r.Close} {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					began := time.Now()
					require.ErrorIs(t, end(ctx), context.DeadlineExceeded)
					require.LessOrEqual(t, time.Since(began), time.Minute+100*time.Millisecond)
					require.Len(t, r.Unsent(), 2)
					cancel()
				}
				close(hanging)
				require.NoError(t, r.Close(t.Context()))
				require.EqualValues(t, 1, r.Stats().Refused)
				require.EqualValues(t, 1, r.Stats().Stored)
				require.Empty(t, r.Unsent())
			})
		})
	}
	require.Len(t, w.stored(t), 3)
}

func TestRecorderBlocksWhenFull(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		w.breaks(down)
		r := w.recorder(healthcheck.RecorderOptions{MaxRows: 4})
		record(t, r, "s", 4)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		err := r.Record(ctx, check("late"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, "supabase: insert service_health_checks: no room in time, and the row was not taken: context deadline exceeded", err.Error())
		require.ErrorAs(t, err, new(*supabase.Error))
		require.Equal(t, time.Minute, time.Since(began))
		var waiting sync.WaitGroup
		for i := range 3 {
			waiting.Go(func() {
				if err := r.Record(context.Background(), check(fmt.Sprint("patient", i))); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			require.Equal(t, i+1, r.Stats().Blocked)
		}
		require.EqualValues(t, 4, r.Stats().Recorded)
		w.breaks(nil)
		waiting.Wait()
		require.NoError(t, r.Close(t.Context()))
		balanced(t, r.Stats())
	})
	stored := w.stored(t)
	require.Len(t, stored, 7)
	var names []string
	for _, request := range w.sent() {
		for _, row := range request.rows {
			if name := row["service_name"].(string); strings.HasPrefix(name, "patient") {
				names = append(names, name)
			}
		}
	}
	require.ElementsMatch(t, []string{"patient0", "patient1", "patient2"}, names)
	require.NotEqual(t, "patient2", names[0], "first come, first served, and two at once")
}

func TestRecorderIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		w.breaks(down)
		r := w.recorder(healthcheck.RecorderOptions{MaxBytes: 4096})
		large := check("large")
		large.ErrorMessage = new(strings.Repeat("x", 4096))
		err := r.Record(t.Context(), large)
		require.ErrorIs(t, err, supabase.ErrInvalid)
		require.ErrorContains(t, err, "MaxBytes is 4096")
		large.ErrorMessage = new(strings.Repeat("x", 3000))
		require.NoError(t, r.Record(t.Context(), large))
		var waiting sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		waiting.Go(func() {
			if err := r.Record(ctx, large); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		waiting.Go(func() {
			if err := r.Record(context.Background(), check("small")); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		require.Equal(t, 2, r.Stats().Blocked, "none overtakes")
		cancel()
		waiting.Wait()
		require.Zero(t, r.Stats().Blocked, "there was room for the small one")
		require.LessOrEqual(t, r.Stats().BufferedBytes, 4096)
		w.breaks(nil)
		require.NoError(t, r.Close(t.Context()))
	})
	require.Len(t, w.stored(t), 2)
}

func TestRecorderDropsTheOldest(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		w.breaks(hangs)
		r := w.recorder(healthcheck.RecorderOptions{MaxRows: 8, DropOldest: true})
		record(t, r, "sent", 2)
		synctest.Wait()
		record(t, r, "dropped", 5)
		record(t, r, "kept", 6)
		stats := r.Stats()
		require.EqualValues(t, 5, stats.Dropped)
		require.Equal(t, 8, stats.Buffered)
		require.Zero(t, stats.Blocked)
		balanced(t, stats)
		w.breaks(nil)
		require.NoError(t, r.Close(t.Context()))
	})
	stored := w.stored(t)
	require.Len(t, stored, 8)
	require.Contains(t, stored, "sent0")
	require.Contains(t, stored, "kept0")
}

func TestRecorderRefusesARowAlone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		code   string
	}{
		"check constraint": {status: 400, code: "23514"},
		"value":            {status: 400, code: "22P05"},
		"raised":           {status: 400, code: "P0001"},
		"raised, own code": {status: 400, code: "SV001"},
		"no data found":    {status: 500, code: "P0002"},
		"index row size":   {status: 500, code: "54000"},
		"too large":        {status: 413},
		"lite":             {status: 500, code: "SUP"},
		"firewall":         {status: 403},
		"gateway":          {status: 400},
		"mangled":          {status: 400, code: "PGRST102"},
		"statement time":   {status: 500, code: "57014"},
		"gateway's own":    {status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at, rows := range map[int]int{0: 50, 48: 50, 500: 1000} {
				w := newWire(t)
				var refused []healthcheck.CreateHealthCheckData
				var why []error
				bad := healthcheck.CreateHealthCheckData{
					ServiceName: "bad", Status: healthcheck.StatusDown, LatencyMS: new(7), ErrorMessage: new("why"),
					ProbeDetails: map[string]any{"n": 1.5}, CheckedAt: noon,
				}
				synctest.Test(t, func(t *testing.T) {
					w.breaks(func(_ *http.Request, body string, _ func()) (*http.Response, error) {
						if strings.Contains(body, `"service_name":"bad"`) {
							return replies(test.status, test.code), nil
						}
						return nil, nil //nolint:nilnil // no fault
					})
					r := w.recorder(healthcheck.RecorderOptions{OnRefused: func(data healthcheck.CreateHealthCheckData, err error) {
						refused, why = append(refused, data), append(why, err)
					}})
					record(t, r, "a", at)
					require.NoError(t, r.Record(t.Context(), bad))
					record(t, r, "b", rows-1-at)
					require.NoError(t, r.Close(t.Context()))
					balanced(t, r.Stats())
					require.EqualValues(t, 1, r.Stats().Refused)
					require.EqualValues(t, rows-1, r.Stats().Stored)
					require.Equal(t, why[0], r.Stats().LastError)
				})
				require.Len(t, w.stored(t), rows-1)
				require.Len(t, refused, 1)
				require.NotEmpty(t, refused[0].ID)
				refused[0].ID = ""
				require.Equal(t, bad, refused[0])
				var e *supabase.Error
				require.ErrorAs(t, why[0], &e)
				require.Equal(t, test.status, e.Status)
			}
		})
	}
}

func TestRecorderRefusesAnIDThatWasThereBefore(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	store(t, w.server, map[string]any{"id": id, "service_name": "before", "status": "down"})
	var refused []string
	synctest.Test(t, func(t *testing.T) {
		r := w.recorder(healthcheck.RecorderOptions{OnRefused: func(data healthcheck.CreateHealthCheckData, err error) {
			if !errors.Is(err, supabase.ErrConflict) {
				t.Error(err)
			}
			refused = append(refused, data.ServiceName)
		}})
		again := check("again")
		again.ID = id
		twice := check("twice")
		twice.ID = "00000000-0000-4000-8000-000000000001"
		record(t, r, "a", 10)
		require.NoError(t, r.Record(t.Context(), again))
		require.NoError(t, r.Record(t.Context(), twice))
		twice.ServiceName = "twice again"
		require.NoError(t, r.Record(t.Context(), twice))
		require.NoError(t, r.Close(t.Context()))
	})
	require.Equal(t, []string{"again", "twice again"}, refused)
	stored := w.stored(t)
	require.Len(t, stored, 12)
	require.Contains(t, stored, "before")
}

// A row alone that fails for no stated reason is held until another is stored.
func TestRecorderRefusesALoneRowWhenOthersAreStored(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		w.breaks(func(_ *http.Request, body string, _ func()) (*http.Response, error) {
			if strings.Contains(body, `"service_name":"bad`) {
				return replies(500, "SUP"), nil
			}
			return nil, nil //nolint:nilnil // no fault
		})
		r := w.recorder(healthcheck.RecorderOptions{})
		record(t, r, "bad", 3)
		time.Sleep(time.Hour) //nolint:forbidigo // in a bubble
		require.Equal(t, 3, r.Stats().Buffered)
		record(t, r, "good", 5)
		time.Sleep(time.Minute) //nolint:forbidigo // in a bubble
		stats := r.Stats()
		require.EqualValues(t, 5, stats.Stored)
		record(t, r, "better", 5)
		time.Sleep(time.Minute) //nolint:forbidigo // in a bubble
		require.NoError(t, r.Close(t.Context()))
		require.EqualValues(t, 3, r.Stats().Refused)
	})
}

func TestRecorderSendsFewerRowsAfterAStatementTimeout(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		w.breaks(func(r *http.Request, body string, _ func()) (*http.Response, error) {
			if r.Method == http.MethodPost && strings.Count(body, "service_name") > 10 {
				return replies(500, "57014"), nil
			}
			return nil, nil //nolint:nilnil // no fault
		})
		r := w.recorder(healthcheck.RecorderOptions{})
		record(t, r, "s", 500)
		require.NoError(t, r.Close(t.Context()))
	})
	require.Len(t, w.stored(t), 500)
}

func TestRecorderCloseGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		w.breaks(down)
		r := w.recorder(healthcheck.RecorderOptions{BatchRows: 10})
		record(t, r, "s", 25)
		time.Sleep(time.Minute) //nolint:forbidigo // in a bubble
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		err := r.Close(ctx)
		require.Equal(t, time.Minute, time.Since(began))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, supabase.ErrUnavailable, "the last failure")
		require.Equal(t, "supabase: insert service_health_checks: 15 rows are not stored, and 10 more may be or not: "+
			"insert service_health_checks: no answer: connection reset by peer", err.Error())
		require.Equal(t, 25, r.Stats().Buffered)
		sent := len(w.sent())
		time.Sleep(time.Hour) //nolint:forbidigo // in a bubble
		require.Len(t, w.sent(), sent, "nothing runs")
		require.ErrorIs(t, r.Close(ended(t)), context.Canceled)
		w.breaks(nil)
		require.NoError(t, r.Close(t.Context()), "it goes on")
		require.NoError(t, r.Close(ended(t)), "nothing is left")
		balanced(t, r.Stats())
	})
	require.Len(t, w.stored(t), 25)
}

func TestRecorderCloseCancelsTheRequestUnderWay(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		w.breaks(func(r *http.Request, _ string, carryOut func()) (*http.Response, error) {
			carryOut()
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		r := w.recorder(healthcheck.RecorderOptions{})
		record(t, r, "s", 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := r.Close(ctx)
		require.Equal(t, "supabase: insert service_health_checks: 3 rows may be stored or not", err.Error())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		w.breaks(nil)
		require.NoError(t, r.Close(t.Context()))
		require.EqualValues(t, 3, r.Stats().Stored)
	})
	require.Len(t, w.stored(t), 3)
}

func TestRecorderClosesOnceForAll(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	synctest.Test(t, func(t *testing.T) {
		w.breaks(down)
		r := w.recorder(healthcheck.RecorderOptions{MaxRows: 2})
		record(t, r, "s", 2)
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() {
				if err := r.Record(context.Background(), check("late")); !errors.Is(err, supabase.ErrInvalid) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		for i := range 5 {
			waiting.Go(func() {
				limit := time.Minute
				if i == 0 {
					limit = time.Second // whose error does not end the others' sending
				}
				ctx, cancel := context.WithTimeout(context.Background(), limit)
				defer cancel()
				if err := r.Close(ctx); (err == nil) == (i == 0) {
					t.Error(i, err)
				}
			})
		}
		time.Sleep(10 * time.Second) //nolint:forbidigo // in a bubble
		require.Zero(t, r.Stats().Blocked)
		w.breaks(nil)
		waiting.Wait()
		err := r.Record(t.Context(), check("after"))
		require.ErrorIs(t, err, supabase.ErrInvalid)
		require.ErrorContains(t, err, "the recorder is closed")
		require.EqualValues(t, 2, r.Stats().Recorded)
	})
	require.Len(t, w.stored(t), 2)
}

func TestRecorderRefusesBeforeAnythingIsHeld(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	r := healthcheck.NewRecorder(model, healthcheck.RecorderOptions{})
	err := r.Record(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: " ", Status: "up"})
	requireInvalid(t, server, err, `service_name must not be blank; status must be healthy, degraded or down, not "up"`)
	requireInvalid(t, server, r.Record(nil, check("api")), "ctx must not be nil") //nolint:staticcheck // the fault under test
	requireInvalid(t, server, r.Close(nil), "ctx must not be nil")                //nolint:staticcheck // the fault under test
	require.Equal(t, healthcheck.RecorderStats{}, r.Stats())
	require.NoError(t, r.Close(t.Context()))

	wrong := healthcheck.NewRecorder(model, healthcheck.RecorderOptions{MaxRows: -1, MaxBytes: -1, BatchRows: 1001, BatchAge: -1})
	const message = "RecorderOptions: MaxRows must not be negative; 0 means its default; MaxBytes must not be negative; 0 means its default; " +
		"BatchAge must not be negative; 0 means its default; BatchRows must be at most 1000, not 1001"
	requireInvalid(t, server, wrong.Record(t.Context(), check("api")), message)
	requireInvalid(t, server, wrong.Close(t.Context()), message)
}

func TestRecorderLogs(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		r := w.recorder(healthcheck.RecorderOptions{Logger: new(zerolog.New(&out))})
		record(t, r, "s", 3)
		require.NoError(t, r.Close(t.Context()))
	})
	require.Equal(t, 1, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), `"rows":3,"message":"insert"`)
}

// What Stats says about memory is so. Not parallel: others allocate as well.
func TestRecorderCountsItsMemory(t *testing.T) { //nolint:paralleltest // see above
	config := supabase.Config{URL: "http://localhost", Key: "sb_secret_x", Transport: hanging{}}
	r := healthcheck.NewRecorder(healthcheck.HealthCheckModel{Connect: config.ServiceClient}, healthcheck.RecorderOptions{})
	before := heap()
	for i := range 50_000 {
		data := check("service")
		data.ErrorMessage = new(strings.Repeat("x", i%500))
		require.NoError(t, r.Record(t.Context(), data))
	}
	held, counted := heap()-before, r.Stats().BufferedBytes
	t.Logf("%d rows: %d bytes on the heap, %d counted", r.Stats().Buffered, held, counted)
	const request = 4 << 20
	require.Less(t, held, counted+request)
	require.Greater(t, held, counted*3/4)
	require.Error(t, r.Close(ended(t)))
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc) //nolint:gosec // it fits
}
