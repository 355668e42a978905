package supabase_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/trace"
	"github.com/supavigil/supavigil/supabase"
)

// A script answers attempt after attempt; the last entry repeats.
type script struct {
	steps []step
	at    []time.Time
}

type step struct {
	status     int // 0: the error
	body       string
	retryAfter string
	err        error
	takes      time.Duration
}

func (s *script) RoundTrip(request *http.Request) (*http.Response, error) {
	next := s.steps[min(len(s.at), len(s.steps)-1)]
	s.at = append(s.at, time.Now())
	if request.Body != nil {
		if body, _ := io.ReadAll(request.Body); request.Method == http.MethodPost && string(body) != `{"a":1}` {
			return nil, fmt.Errorf("attempt %d sends %q", len(s.at), body)
		}
	}
	if next.takes > 0 {
		select {
		case <-time.After(next.takes):
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
	if next.status == 0 {
		return nil, next.err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if next.retryAfter != "" {
		header.Set("Retry-After", next.retryAfter)
	}
	return &http.Response{StatusCode: next.status, Header: header, Body: io.NopCloser(strings.NewReader(next.body))}, nil
}

// waits are the pauses between the attempts.
func (s *script) waits() []time.Duration {
	var waits []time.Duration
	for i := 1; i < len(s.at); i++ {
		waits = append(waits, s.at[i].Sub(s.at[i-1]))
	}
	return waits
}

func (s *script) client(t *testing.T, change ...func(*supabase.Config)) *supabase.Client {
	t.Helper()
	return open(t, "http://localhost", append([]func(*supabase.Config){func(c *supabase.Config) { c.Transport, c.MaxAttempts = s, 0 }}, change...)...)
}

func postgrestError(status int, code, message string) step {
	return step{status: status, body: fmt.Sprintf(`{"code":%q,"message":%q,"details":null,"hint":null}`, code, message)}
}

var (
	ok        = step{status: http.StatusOK, body: "[]"}
	reset     = step{err: &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}}
	refusedBy = step{err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
)

// send makes one request of a kind and returns its *Error, or nil.
func send(ctx context.Context, client *supabase.Client, kind string) *supabase.Error {
	var err error
	switch kind {
	case "GET", "HEAD":
		_, _, err = client.From("checks").Select("*", "", kind == "HEAD").ExecuteWithContext(ctx)
	case "marked POST":
		ctx, _ = trace.New(ctx, trace.Told{Repeatable: true})
		fallthrough
	case "POST":
		_, _, err = client.From("checks").Insert(map[string]int{"a": 1}, false, "", "", "").ExecuteWithContext(ctx)
	case "PATCH":
		_, _, err = client.From("checks").Update(map[string]int{"a": 1}, "", "").ExecuteWithContext(ctx)
	case "DELETE":
		_, _, err = client.From("checks").Delete("", "").ExecuteWithContext(ctx)
	case "RPC":
		err = client.RPC(ctx, "f", map[string]int{"a": 1}, nil)
	}
	var e *supabase.Error
	if err != nil && !errors.As(err, &e) {
		panic(err)
	}
	return e
}

func TestWhatIsTriedAgain(t *testing.T) {
	t.Parallel()
	const (
		always     = "always"     // it never ran
		repeatable = "repeatable" // only where repeating is safe
		never      = "never"
	)
	tests := map[string]struct {
		first step
		again string
		class string
	}{
		"refused":                  {refusedBy, always, "unavailable"},
		"reset":                    {reset, repeatable, "unavailable"},
		"closed":                   {step{err: io.ErrUnexpectedEOF}, repeatable, "unavailable"},
		"no database":              {postgrestError(503, "PGRST000", "Could not connect"), always, "unavailable"},
		"lost the database":        {postgrestError(503, "PGRST001", "Lost connection"), repeatable, "unavailable"},
		"no schema cache":          {postgrestError(503, "PGRST002", "Could not query"), always, "unavailable"},
		"pool timeout":             {postgrestError(504, "PGRST003", "Timed out acquiring connection"), always, "unavailable"},
		"issued at future":         {postgrestError(401, "PGRST303", "JWT issued at future"), always, "permission"},
		"expired":                  {postgrestError(401, "PGRST303", "JWT expired"), never, "permission"},
		"bad token":                {postgrestError(401, "PGRST301", "JWT"), never, "permission"},
		"bad request":              {postgrestError(400, "22P02", "invalid input syntax"), never, ""},
		"forbidden":                {postgrestError(403, "42501", "permission denied"), never, "permission"},
		"not found":                {postgrestError(404, "PGRST205", "Could not find the table"), never, "schema"},
		"no row":                   {step{status: 406, body: `{"code":"PGRST116","details":"The result contains 0 rows","message":"m"}`}, never, "not found"},
		"request timeout":          {step{status: 408}, repeatable, ""},
		"conflict":                 {postgrestError(409, "23505", "duplicate key"), never, "conflict"},
		"too many requests":        {step{status: 429}, repeatable, "unavailable"},
		"serialization failure":    {postgrestError(500, "40001", "could not serialize"), repeatable, "unavailable"},
		"deadlock":                 {postgrestError(500, "40P01", "deadlock detected"), repeatable, "unavailable"},
		"lock not available":       {postgrestError(500, "55P03", "could not obtain lock"), repeatable, "unavailable"},
		"too many connections":     {postgrestError(503, "53300", "too many connections"), repeatable, "unavailable"},
		"statement timeout":        {postgrestError(500, "57014", "canceling statement"), never, "unavailable"},
		"statement timeout as 503": {postgrestError(503, "57014", "canceling statement"), never, "unavailable"},
		"a bug in a trigger":       {postgrestError(500, "XX000", "internal error"), never, "unavailable"},
		"admin shutdown as 503":    {postgrestError(503, "57P01", "terminating connection"), repeatable, "unavailable"},
		"a bare 500":               {step{status: 500}, repeatable, "unavailable"},
		"not implemented":          {step{status: 501}, never, "unavailable"},
		"bad gateway":              {step{status: 502, body: "<html>"}, repeatable, "unavailable"},
		"Cloudflare's 520":         {step{status: 520, body: "error code: 520"}, repeatable, "unavailable"},
		"Supabase's 544":           {step{status: 544}, repeatable, "unavailable"},
		"a redirect":               {step{status: 307}, never, ""},
	}
	for name, test := range tests {
		for _, kind := range []string{"GET", "HEAD", "marked POST", "POST", "PATCH", "DELETE", "RPC"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					safe := kind == "GET" || kind == "HEAD" || kind == "marked POST"
					again := test.again == always || test.again == repeatable && safe

					transport := &script{steps: []step{test.first, ok}}
					e := send(t.Context(), transport.client(t), kind)
					if again {
						require.Nil(t, e)
						require.Len(t, transport.at, 2)
					} else {
						require.Len(t, transport.at, 1)
						require.Equal(t, 1, e.Attempts)
					}

					transport = &script{steps: []step{test.first}}
					e = send(t.Context(), transport.client(t), kind)
					require.Equal(t, test.first.status, e.Status)
					want := 1
					if again {
						want = 4
					}
					require.Len(t, transport.at, want, "the default is four tries in total")
					require.Equal(t, want, e.Attempts)
					requireClass(t, e, test.class)
				})
			})
		}
	}
}

func TestWaitsDoubleWithJitter(t *testing.T) {
	t.Parallel()
	var spread []time.Duration
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			transport := &script{steps: []step{reset}}
			e := send(t.Context(), transport.client(t, func(c *supabase.Config) { c.MaxAttempts = 10 }), "GET")
			require.Equal(t, 10, e.Attempts)
			limit := 100 * time.Millisecond
			for _, wait := range transport.waits() {
				require.GreaterOrEqual(t, wait, limit/2)
				require.LessOrEqual(t, wait, limit)
				limit = min(2*limit, 5*time.Second)
			}
			spread = append(spread, transport.waits()[8])
		})
	}
	require.Greater(t, len(distinct(spread)), 10, "callers must not come back at once")
}

func distinct[T comparable](values []T) map[T]bool {
	set := map[T]bool{}
	for _, value := range values {
		set[value] = true
	}
	return set
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ least, most time.Duration }{
		"0":                             {50 * time.Millisecond, 100 * time.Millisecond}, // no tight loop
		"2":                             {2 * time.Second, 2 * time.Second},
		"30":                            {30 * time.Second, 30 * time.Second},
		"3600":                          {30 * time.Second, 30 * time.Second},
		"9223372036854775807":           {30 * time.Second, 30 * time.Second},
		"99999999999999999999":          {50 * time.Millisecond, 100 * time.Millisecond},
		"-5":                            {50 * time.Millisecond, 100 * time.Millisecond},
		"soon":                          {50 * time.Millisecond, 100 * time.Millisecond},
		"Mon, 01 Jan 1990 00:00:00 GMT": {50 * time.Millisecond, 100 * time.Millisecond},
		"Sat, 01 Jan 2000 00:00:07 GMT": {7 * time.Second, 7 * time.Second}, // synctest begins at midnight
		"Sat, 01 Jan 2050 00:00:07 GMT": {30 * time.Second, 30 * time.Second},
	}
	for value, test := range tests {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				busy := step{status: 503, retryAfter: value}
				transport := &script{steps: []step{busy, ok}}
				require.Nil(t, send(t.Context(), transport.client(t), "GET"))
				require.Len(t, transport.at, 2)
				require.GreaterOrEqual(t, transport.waits()[0], test.least)
				require.LessOrEqual(t, transport.waits()[0], test.most)
			})
		})
	}
}

func TestHangingServerEnds(t *testing.T) {
	t.Parallel()
	hang := step{takes: time.Hour}
	t.Run("without a deadline, at attempts × timeout and the waits between", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			transport := &script{steps: []step{hang}}
			e := send(t.Context(), transport.client(t), "GET")
			requireClass(t, e, "unavailable")
			require.NotErrorIs(t, e, context.DeadlineExceeded, "the caller's context is not why")
			require.Equal(t, "supabase: select checks: no answer within 10s", e.Error())
			require.GreaterOrEqual(t, time.Since(began), 40*time.Second)
			require.LessOrEqual(t, time.Since(began), 41*time.Second)
		})
	})
	t.Run("with one, there", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			began := time.Now()
			transport := &script{steps: []step{hang}}
			e := send(ctx, transport.client(t), "GET")
			require.ErrorIs(t, e, context.DeadlineExceeded)
			requireClass(t, e, "") // the context alone is the class
			require.Equal(t, 3*time.Second, time.Since(began))
			require.Len(t, transport.at, 1)
		})
	})
	t.Run("a wait that would outlast the deadline is not begun", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 29*time.Second)
			defer cancel()
			began := time.Now()
			transport := &script{steps: []step{{status: 503, retryAfter: "3600"}}}
			e := send(ctx, transport.client(t), "GET")
			requireClass(t, e, "unavailable")
			require.NotErrorIs(t, e, context.DeadlineExceeded, "it is not over yet")
			require.Equal(t, 503, e.Status)
			require.Zero(t, time.Since(began))
		})
	})
	t.Run("cancelled between two tries, the last failure counts as well", func(t *testing.T) {
		t.Parallel()
		for name, first := range map[string]step{"answered": {status: 503, retryAfter: "20"}, "unanswered": {err: io.EOF}} {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(10*time.Millisecond, cancel)
				transport := &script{steps: []step{first}}
				e := send(ctx, transport.client(t), "GET")
				require.ErrorIs(t, e, context.Canceled, name)
				requireClass(t, e, "unavailable")
				require.Equal(t, first.status, e.Status)
				require.Len(t, transport.at, 1)
			})
		}
	})
	t.Run("cancelled during a try, that alone is the class", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Millisecond, cancel)
			transport := &script{steps: []step{hang}}
			e := send(ctx, transport.client(t), "GET")
			require.ErrorIs(t, e, context.Canceled)
			requireClass(t, e, "")
			require.Equal(t, 1, e.Attempts)
		})
	})
}

func TestTraceTellsHowItWent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		steps []step
		want  trace.Heard
	}{
		"at once":                      {[]step{ok}, trace.Heard{Status: 200, Attempts: 1}},
		"after a lost answer":          {[]step{reset, ok}, trace.Heard{Status: 200, Attempts: 2, EarlierUncertain: true}},
		"after one that never ran":     {[]step{refusedBy, postgrestError(503, "PGRST002", ""), ok}, trace.Heard{Status: 200, Attempts: 3}},
		"after one that was undone":    {[]step{postgrestError(500, "40001", ""), {status: 429}, ok}, trace.Heard{Status: 200, Attempts: 3}},
		"a conflict after a lost one":  {[]step{{status: 502}, postgrestError(409, "23505", "")}, trace.Heard{Status: 409, Attempts: 2, EarlierUncertain: true}},
		"a lost one is remembered":     {[]step{{status: 502}, {status: 429}, postgrestError(409, "23505", "")}, trace.Heard{Status: 409, Attempts: 3, EarlierUncertain: true}},
		"no answer, but that was last": {[]step{refusedBy, refusedBy, refusedBy, reset}, trace.Heard{Attempts: 4, LastUncertain: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, record := trace.New(t.Context(), trace.Told{Repeatable: true})
				transport := &script{steps: test.steps}
				_ = send(ctx, transport.client(t), "POST")
				if test.want.Status == http.StatusOK {
					require.Equal(t, "[]", string(record.Body), "the answer's body comes this way")
				}
				record.Body = nil
				require.Equal(t, test.want, record.Heard)
			})
		})
	}
}
