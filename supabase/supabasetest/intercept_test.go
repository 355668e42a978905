package supabasetest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const oneCheck = `{"id": "00000000-0000-4000-8000-000000000001", "service_name": "db", "status": "down"}`

func TestInterceptFallsAway(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	r := server.must(t, http.MethodGet, "alert_events", "")
	require.Equal(t, http.StatusServiceUnavailable, r.status)
	require.Equal(t, "1", r.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, server.must(t, http.MethodGet, "alert_events", "").status)
	require.Len(t, server.Requests(), 2)
}

func TestInterceptPassesOn(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	var seen []string
	see := func(name, handled string) {
		server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			seen = append(seen, name+" "+r.Method+" "+string(body))
			return r.Method == handled
		})
	}
	see("first", "")
	see("second", http.MethodDelete)
	require.Equal(t, http.StatusCreated, server.must(t, http.MethodPost, "service_health_checks", oneCheck).status)
	require.Empty(t, server.must(t, http.MethodDelete, "service_health_checks?status=eq.down", "").body)
	r := server.must(t, http.MethodGet, "service_health_checks?select=status", "")
	require.JSONEq(t, `[{"status": "down"}]`, r.body)
	require.Equal(t, []string{
		"first POST " + oneCheck, "second POST " + oneCheck,
		"first DELETE ", "second DELETE ",
		"first GET ",
	}, seen)
}

func TestInterceptLosesAnAnswer(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		recorder := httptest.NewRecorder()
		server.ServeHTTP(recorder, r)
		assert.Equal(t, http.StatusCreated, recorder.Code)
		panic(http.ErrAbortHandler)
	})
	_, err := do(server.newRequest(t, http.MethodPost, "service_health_checks", oneCheck))
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, http.StatusConflict, server.must(t, http.MethodPost, "service_health_checks", oneCheck).status)
}

func TestInterceptCutsABodyOff(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		_, err := io.WriteString(w, `[{"id`)
		assert.NoError(t, err)
		assert.NoError(t, http.NewResponseController(w).Flush())
		panic(http.ErrAbortHandler)
	})
	r, err := do(server.newRequest(t, http.MethodGet, "alert_events", ""))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, `[{"id`, r.body)
}

func TestInterceptAnswersAndReturnsFalse(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusTeapot)
		return false
	})
	require.Equal(t, http.StatusTeapot, server.must(t, http.MethodGet, "alert_events", "").status)
	require.Equal(t, http.StatusOK, server.must(t, http.MethodGet, "alert_events", "").status)
}

func TestInterceptExits(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.Intercept(func(http.ResponseWriter, *http.Request) bool {
		runtime.Goexit() // what a failed assertion does
		return false
	})
	_, err := do(server.newRequest(t, http.MethodPost, "service_health_checks", oneCheck))
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, "[]", server.must(t, http.MethodGet, "service_health_checks", "").body)
}

func TestInterceptHangsUntilItsClientLeaves(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	hangs, release := make(chan struct{}), make(chan struct{})
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		close(hangs)
		<-r.Context().Done()
		<-release // although its client has left
		return true
	})
	ctx, leave := context.WithCancel(t.Context())
	request := server.newRequest(t, http.MethodGet, "alert_events", "").WithContext(ctx)
	go func() {
		<-hangs
		leave()
	}()
	_, err := do(request)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, http.StatusOK, server.must(t, http.MethodGet, "alert_events", "").status)
	close(release)
}

func TestInterceptHijacks(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	hijacked := make(chan struct{})
	server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _, err := http.NewResponseController(w).Hijack()
		assert.NoError(t, err)
		close(hijacked)
		return true
	})
	failed := make(chan error, 1)
	request := server.newRequest(t, http.MethodGet, "alert_events", "")
	go func() {
		_, err := do(request)
		failed <- err
	}()
	<-hijacked
	require.Equal(t, http.StatusOK, server.must(t, http.MethodGet, "alert_events", "").status)
	server.Close()
	require.ErrorIs(t, <-failed, io.EOF)
}

func TestInterceptHandlesExactlyOne(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	calls := 0 // without a lock: calls do not overlap
	server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		if calls++; calls < 3 {
			return false
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	var handled atomic.Int32
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			r, err := do(server.newRequest(t, http.MethodGet, "alert_events", ""))
			if err == nil && r.status == http.StatusBadGateway {
				handled.Add(1)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 1, handled.Load())
	require.Equal(t, 3, calls)
}

func TestCloseWithAHangingHandler(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	hangs := make(chan struct{})
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		close(hangs)
		<-r.Context().Done()
		return true
	})
	failed := make(chan error, 1)
	request := server.newRequest(t, http.MethodGet, "alert_events", "")
	go func() {
		_, err := do(request)
		failed <- err
	}()
	<-hangs
	server.Close()
	server.Close()
	require.Error(t, <-failed)
	_, err := do(server.newRequest(t, http.MethodGet, "alert_events", ""))
	require.Error(t, err)
}

func TestDrainGivesUp(t *testing.T) {
	t.Parallel()
	var c connections
	leave := c.enter()
	c.drain(1)
	leave()
	c.drain(patience)
}
