package supabasetest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
)

// by sends a request by the server's Transport.
func (s *Server) by(transport http.RoundTripper, request *http.Request) (reply, error) {
	response, err := transport.RoundTrip(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return reply{status: response.StatusCode, header: response.Header, body: string(body)}, err
}

func TestTransport(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	transport := server.Transport()
	r, err := server.by(transport, server.newRequest(t, http.MethodPost, "service_health_checks", oneCheck, representation))
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, r.status)
	require.Contains(t, server.must(t, http.MethodGet, "service_health_checks", "").body, "0001") // one store
	requests := server.Requests()
	require.Len(t, requests, 2)
	require.Equal(t, "/rest/v1/service_health_checks", requests[0].Path)
	require.JSONEq(t, oneCheck, string(requests[0].Body))

	for _, url := range []string{"https://abc.supabase.co", "http://nowhere.invalid:1"} {
		request := server.newRequest(t, http.MethodGet, "service_health_checks", "")
		request.URL.Scheme, request.URL.Host, _ = strings.Cut(url, "://")
		request.Host = request.URL.Host
		r, err = server.by(transport, request)
		require.NoError(t, err, url)
		require.Equal(t, http.StatusOK, r.status, url)
	}
}

// Each kind of fault that works on the network works here.
func TestTransportIntercepted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handle func(*Server, http.ResponseWriter, *http.Request)
		status int
		body   string
		err    error
	}{
		"an answer":             {func(_ *Server, w http.ResponseWriter, _ *http.Request) { http.Error(w, "x", http.StatusBadGateway) }, 502, "x\n", nil},
		"no answer":             {func(*Server, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, "", io.EOF},
		"a body that is cut":    {cutShort, 200, `[{"id`, io.ErrUnexpectedEOF},
		"a length that is more": {tooLong, 200, `[{"id`, io.ErrUnexpectedEOF},
		"a raw answer":          {hijack, 200, "raw", nil},
		"a lost answer":         {lose, 0, "", io.EOF},
		"going down":            {func(s *Server, _ http.ResponseWriter, _ *http.Request) { s.SetDown(true) }, 0, "", io.EOF},
	} {
		for _, way := range []string{"network", "transport"} {
			server := newTestServer(t)
			server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				test.handle(server, w, r)
				return true
			})
			transport := server.Transport()
			if way == "network" {
				transport = &http.Transport{DisableKeepAlives: true}
			}
			r, err := server.by(transport, server.newRequest(t, http.MethodPost, "service_health_checks", oneCheck))
			require.ErrorIs(t, err, test.err, "%s by %s", name, way)
			require.Equal(t, test.status, r.status, "%s by %s", name, way)
			require.Equal(t, test.body, r.body, "%s by %s", name, way)
			require.Len(t, server.Requests(), 1)
		}
	}
}

func cutShort(_ *Server, w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `[{"id`)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func tooLong(_ *Server, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `[{"id`)
}

func hijack(_ *Server, w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nraw")
		_ = conn.Close()
	}
}

func lose(s *Server, _ http.ResponseWriter, r *http.Request) {
	s.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

func TestTransportWithContext(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done()
		close(left)
		return true
	})
	_, err := server.by(server.Transport(), server.newRequest(t, http.MethodGet, "alert_events", "").WithContext(ctx))
	require.ErrorIs(t, err, context.Canceled)
	<-left // the server notices that its client has left
}

func TestTransportOfAClosedServer(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	hangs := make(chan struct{})
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		close(hangs)
		<-r.Context().Done()
		return true
	})
	transport, failed := server.Transport(), make(chan error, 1)
	request := server.newRequest(t, http.MethodGet, "alert_events", "")
	go func() {
		_, err := server.by(transport, request)
		failed <- err
	}()
	<-hangs
	server.Close()
	require.Error(t, <-failed)
	_, err := server.by(transport, request)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	server.SetDown(false)
	_, err = server.by(transport, request)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

// In a bubble, the server's clock is the bubble's, and time goes on while a
// client waits for it: for a retry, a time limit, or an answer that comes late.
func TestTransportInABubble(t *testing.T) {
	t.Parallel()
	outside := newTestServer(t)
	for range 2 { // one server in two bubbles, one after the other
		synctest.Test(t, func(t *testing.T) {
			inside := NewServer()
			defer inside.Close()
			for _, server := range []*Server{inside, outside} {
				config := server.Config()
				require.NotNil(t, config.Transport)
				config.Transport = server.Transport()
				client, err := config.ServiceClient()
				require.NoError(t, err)
				server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
					<-r.Context().Done() // until the attempt's time limit
					return true
				})
				server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
					time.Sleep(5 * time.Second) //nolint:forbidigo // in a bubble
					w.WriteHeader(http.StatusServiceUnavailable)
					return true
				})
				began := time.Now()
				_, _, err = client.From("service_health_checks").Select("*", "", false).ExecuteWithContext(t.Context())
				require.NoError(t, err)
				require.Greater(t, time.Since(began), 15*time.Second)

				time.Sleep(20 * 365 * 24 * time.Hour) //nolint:forbidigo // in a bubble: the key does not expire
				require.NoError(t, server.Insert("service_health_checks", map[string]any{"service_name": "seed", "status": "down"}))
				began = time.Now().UTC()
				row := map[string]any{"service_name": "db", "status": "down"}
				_, _, err = client.From("service_health_checks").Insert(row, false, "", "minimal", "").ExecuteWithContext(t.Context())
				require.NoError(t, err)
				for _, stored := range server.Rows("service_health_checks") {
					if server == inside {
						require.Equal(t, began.Format("2006-01-02T15:04:05.999999+00:00"), stored["created_at"])
					}
				}
				server.SetDown(true)
				began = time.Now()
				_, _, err = client.From("service_health_checks").Select("*", "", false).ExecuteWithContext(t.Context())
				require.ErrorIs(t, err, supabase.ErrUnavailable)
				require.ErrorIs(t, err, syscall.ECONNREFUSED)
				require.NotZero(t, time.Since(began)) // it waited between its attempts
				server.SetDown(false)
				_, _, err = client.From("service_health_checks").Select("*", "", false).ExecuteWithContext(t.Context())
				require.NoError(t, err)
			}
		})
	}
	require.Equal(t, http.StatusOK, outside.must(t, http.MethodGet, "service_health_checks", "").status)
}

func TestInBubble(t *testing.T) {
	t.Parallel()
	require.False(t, inBubble())
	synctest.Test(t, func(t *testing.T) {
		require.True(t, inBubble())
		inside := make(chan bool)
		go func() { inside <- inBubble() }()
		require.True(t, <-inside)
	})
	require.Nil(t, newTestServer(t).Config().Transport)
}

func TestSetDown(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.must(t, http.MethodPost, "service_health_checks", oneCheck)
	request := server.newRequest(t, http.MethodGet, "service_health_checks", "")
	network, transport := &http.Transport{}, server.Transport()
	t.Cleanup(network.CloseIdleConnections)
	for range 3 {
		for range 2 {
			server.SetDown(true)
			for _, way := range []http.RoundTripper{network, transport} {
				_, err := server.by(way, request)
				require.ErrorIs(t, err, syscall.ECONNREFUSED)
			}
		}
		recorder := httptest.NewRecorder()
		server.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/rest/v1/alert_events?limit=0", nil))
		require.Equal(t, http.StatusOK, recorder.Code)
		require.Len(t, server.Rows("service_health_checks"), 1)
		for range 2 {
			server.SetDown(false)
			for _, way := range []http.RoundTripper{network, transport} {
				r, err := server.by(way, request)
				require.NoError(t, err)
				require.Contains(t, r.body, "0001")
			}
		}
	}
	require.Len(t, server.Requests(), 1+3*2*2)
}

// Another program that has taken the port gives it back.
func TestSetDownWaitsForItsPort(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.SetDown(true)
	other, err := listen(strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	up := make(chan struct{})
	go func() {
		defer close(up)
		server.SetDown(false)
	}()
	require.NoError(t, other.Close())
	<-up
	require.Equal(t, http.StatusOK, server.must(t, http.MethodGet, "alert_events", "").status)
}

func TestCloseWhileDown(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.SetDown(true)
	server.Close()
	server.SetDown(false)
	_, err := do(server.newRequest(t, http.MethodGet, "alert_events", ""))
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

// A request is answered in full or fails, whenever the server goes down, and what
// was answered is stored.
func TestSetDownUnderLoad(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	network := &http.Transport{}
	t.Cleanup(network.CloseIdleConnections)
	var mu sync.Mutex
	stored := 0
	var group sync.WaitGroup
	for client := range 8 {
		transport := server.Transport()
		if client%2 == 0 {
			transport = network
		}
		group.Go(func() {
			for range 20 {
				r, err := server.by(transport, server.newRequest(t, http.MethodPost, "alert_events",
					`{"service_name": "db", "alert_type": "recovery", "status": "active"}`, representation))
				if err != nil {
					continue
				}
				assert.Equal(t, http.StatusCreated, r.status)
				mu.Lock()
				stored++
				mu.Unlock()
			}
		})
	}
	for range 10 {
		server.SetDown(true)
		server.SetDown(false)
		_ = server.Requests()
	}
	group.Wait()
	require.GreaterOrEqual(t, len(server.Rows("alert_events")), stored)
	require.GreaterOrEqual(t, len(server.Requests()), len(server.Rows("alert_events")))
}
