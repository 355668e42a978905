package supabase_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/trace"
	"github.com/supavigil/supavigil/supabase"
)

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		elsewhere, stolen := serve(t, answer(http.StatusOK, "application/json", "[]"))
		server, requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere+r.URL.Path, status)
		})
		_, e := read(t, open(t, server, func(c *supabase.Config) { c.MaxAttempts = 4 }))
		require.Equal(t, status, e.Status)
		require.Contains(t, e.Error(), "redirects are not followed")
		require.Equal(t, int64(1), requests.Load())
		require.Zero(t, stolen.Load(), "the other host got a request")
	}
}

// TestKeyIsInNoOutput makes a server echo the key wherever it can.
func TestKeyIsInNoOutput(t *testing.T) {
	t.Parallel()
	echoes := map[string]http.HandlerFunc{
		"in every field": func(w http.ResponseWriter, r *http.Request) {
			key := r.Header.Get("Apikey")
			w.Header().Set("Content-Type", key)
			w.Header().Set("Proxy-Status", "PostgREST; error="+key)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"code":%q,"message":%q,"details":{"a":%q},"hint":%q}`, key, "bad key "+key, key, key)
		},
		"as text": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, r.Header.Get("Apikey"))
		},
		"as a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.com/?apikey="+r.Header.Get("Apikey"), http.StatusFound)
		},
		"as no HTTP": func(w http.ResponseWriter, r *http.Request) { raw(w, r.Header.Get("Apikey")+"\r\n\r\n") },
		"as a header line": func(w http.ResponseWriter, r *http.Request) {
			raw(w, "HTTP/1.1 200 OK\r\n"+r.Header.Get("Apikey")+"\r\n\r\n")
		},
		"as a status": func(w http.ResponseWriter, r *http.Request) {
			raw(w, "HTTP/1.1 "+r.Header.Get("Apikey")+" OK\r\n\r\n")
		},
		"as a count": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "0-1/"+r.Header.Get("Apikey"))
			_, _ = io.WriteString(w, `{`)
		},
		"in a cut body": func(w http.ResponseWriter, r *http.Request) {
			raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"+r.Header.Get("Apikey"))
		},
	}
	for name, handler := range echoes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := serve(t, handler)
			for _, key := range []supabase.Secret{secretKey, jwt(`{"role":"service_role"}`)} {
				client := open(t, server, func(c *supabase.Config) { c.Key = key })
				err := client.RPC(t.Context(), "f", nil, new(int))
				require.Error(t, err)
				var logged bytes.Buffer
				logger := zerolog.New(&logged)
				logger.Error().Err(err).Interface("error", err).Send()
				printed := []string{logged.String()}
				for cause := err; cause != nil; cause = errors.Unwrap(cause) {
					for _, verb := range verbs {
						printed = append(printed, fmt.Sprintf(verb, cause))
					}
				}
				for _, text := range printed {
					require.NotContains(t, text, string(key))
				}
			}
		})
	}
}

// raw answers with bytes of its own and closes the connection.
func raw(w http.ResponseWriter, text string) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(connection, text)
	_ = connection.Close()
}

func TestBodyIsReadWithinTheAttempt(t *testing.T) {
	t.Parallel()
	t.Run("a body that breaks off is tried again", func(t *testing.T) {
		t.Parallel()
		var tries atomic.Int64
		server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if tries.Add(1) == 1 {
				raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{")
				return
			}
			_, _ = io.WriteString(w, "[1]")
		})
		body, e := read(t, open(t, server, func(c *supabase.Config) { c.MaxAttempts = 2 }))
		require.Nil(t, e)
		require.Equal(t, "[1]", body)

		tries.Store(0)
		_, e = read(t, open(t, server))
		requireClass(t, e, "unavailable")
		require.Equal(t, "supabase: select checks: the answer broke off: the connection was closed", e.Error())
	})
	t.Run("a body that never ends costs the time limit", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			requests := 0
			client := open(t, "http://localhost", func(c *supabase.Config) {
				c.MaxAttempts = 2
				c.Transport = roundTripper(func(request *http.Request) (*http.Response, error) {
					requests++
					return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(endless{request.Context()})}, nil
				})
			})
			began := time.Now()
			_, e := read(t, client)
			requireClass(t, e, "unavailable")
			require.Equal(t, "supabase: select checks: no answer within 10s", e.Error())
			require.Equal(t, 2, requests)
			require.GreaterOrEqual(t, time.Since(began), 20*time.Second)
			require.LessOrEqual(t, time.Since(began), 21*time.Second)
		})
	})
	t.Run("a body above 64 MiB is final", func(t *testing.T) {
		t.Parallel()
		var requests atomic.Int64
		client := open(t, "http://localhost", func(c *supabase.Config) {
			c.MaxAttempts, c.Timeout = 4, time.Minute
			c.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
				requests.Add(1)
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(io.LimitReader(zeros{}, 100<<20))}, nil
			})
		})
		_, e := read(t, client)
		requireClass(t, e, "")
		require.Equal(t, "supabase: select checks: 200: the answer is larger than 64 MiB", e.Error())
		require.Equal(t, int64(1), requests.Load())
	})
}

// endless is a body of which a byte comes each second.
type endless struct{ ctx context.Context }

func (e endless) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = '['
		return 1, nil
	case <-e.ctx.Done():
		return 0, e.ctx.Err()
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestCountThatIsNoneIsDropped(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]int64{"*/3": 3, "0-2/3": 3, "*/0": 0, "*/*": 0, "": 0, "*/010": 0, "*/x": 0, "*/-1": 0, "*/1_0": 0, "*/99999999999999999999": 0} {
		server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", header)
			w.WriteHeader(http.StatusNoContent)
		})
		_, count, err := open(t, server).From("checks").Delete("minimal", "exact").ExecuteWithContext(t.Context())
		require.NoError(t, err, header)
		require.Equal(t, want, count, header)
	}
}

func TestWrongCertificateIsFinal(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	var connections atomic.Int64
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	_, e := read(t, open(t, server.URL, func(c *supabase.Config) { c.MaxAttempts = 4 }))
	requireClass(t, e, "unavailable")
	require.Equal(t, 1, e.Attempts)
	require.Equal(t, int64(1), connections.Load(), "not tried again")
	require.Zero(t, requests.Load())
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, e, &unknown)
}

func TestNothingListens(t *testing.T) {
	t.Parallel()
	client := open(t, "http://"+refusing, func(c *supabase.Config) { c.MaxAttempts = 2 })
	err := client.RPC(t.Context(), "f", nil, nil)
	requireClass(t, err, "unavailable")
	var e *supabase.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, 2, e.Attempts, "a call that was never sent may be repeated, whatever it does")
	require.Contains(t, e.Error(), "connection refused")
}

// A pool that lost its server in silence must not spend one attempt on each of
// its idle connections: neither the next attempt nor the next operation.
func TestDeadIdleConnectionsCostOneAttempt(t *testing.T) {
	t.Parallel()
	const callers = 8
	var silent atomic.Bool
	var used sync.Map // remote addresses of connections
	var together sync.WaitGroup
	together.Add(callers)
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, old := used.LoadOrStore(r.RemoteAddr, true)
		switch {
		case !silent.Load():
			together.Done()
			together.Wait() // so that each caller has a connection of its own
		case old:
			<-r.Context().Done() // as if its packets were lost
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "[]")
	})
	transport := &http.Transport{MaxIdleConnsPerHost: callers}
	t.Cleanup(transport.CloseIdleConnections)
	client := open(t, server, func(c *supabase.Config) {
		c.Transport, c.Timeout = transport, 3*time.Second
	})
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			if _, _, err := client.From("checks").Select("*", "", false).ExecuteWithContext(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	silent.Store(true)
	once := open(t, server, func(c *supabase.Config) { c.Transport, c.Timeout = transport, 100*time.Millisecond })
	_, e := read(t, once)
	requireClass(t, e, "unavailable")
	_, e = read(t, client)
	require.Nil(t, e, "the next operation dials")
}

func TestClientIsSafeForManyCallers(t *testing.T) {
	t.Parallel()
	server, requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `[%q]`, strings.TrimPrefix(r.URL.Query().Get("name"), "eq."))
	})
	client := open(t, server)
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			for j := range 20 {
				name := fmt.Sprintf("a+b,(%d)\"%d%%☃", i, j)
				body, _, err := client.From("checks").Select("*", "", false).Eq("name", name).ExecuteWithContext(context.Background())
				if err != nil || string(body) != fmt.Sprintf("[%q]", name) {
					t.Errorf("%s: %s, %v", name, body, err)
				}
			}
		})
	}
	group.Wait()
	require.Equal(t, int64(64*20), requests.Load())
}

// TestBodyThatIgnoresItsContext: after 101 net/http hands over the connection and
// watches the context no more; a transport of somebody's own may never have.
func TestBodyThatIgnoresItsContext(t *testing.T) {
	t.Parallel()
	server, requests := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer connection.Close() //nolint:errcheck // the client has gone
		_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		_, _ = connection.Read(make([]byte, 1)) // until the client goes
	})
	_, e := read(t, open(t, server, func(c *supabase.Config) { c.MaxAttempts = 4 }))
	require.Equal(t, "supabase: select checks: 101: not an answer to a request", e.Error())
	requireClass(t, e, "")
	require.Equal(t, int64(1), requests.Load())

	closed := make(chan struct{})
	client := open(t, "http://localhost", func(c *supabase.Config) {
		c.Timeout = 10 * time.Millisecond
		c.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: &untilClosed{closed: closed}}, nil
		})
	})
	_, e = read(t, client)
	require.Equal(t, "supabase: select checks: no answer within 10ms", e.Error())
	<-closed
}

// untilClosed is a body that blocks until it is closed.
type untilClosed struct {
	closed chan struct{}
	once   sync.Once
}

func (u *untilClosed) Read([]byte) (int, error) { <-u.closed; return 0, io.ErrClosedPipe }
func (u *untilClosed) Close() error             { u.once.Do(func() { close(u.closed) }); return nil }

func TestHeadersWithoutEnd(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		raw(w, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-Header: "+strings.Repeat("x", 1000)+"\r\n", 2000))
	})
	_, e := read(t, open(t, server))
	requireClass(t, e, "unavailable")
	require.Contains(t, e.Error(), "exceeded")
}

func TestErrorHidesTheQuery(t *testing.T) {
	t.Parallel()
	client := open(t, "http://localhost", func(c *supabase.Config) {
		c.Transport = roundTripper(func(request *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("GET %s: %s: refused", request.URL, request.URL.RequestURI())
		})
	})
	_, _, err := client.From("checks").Select("*", "", false).Eq("service_name", "confidential").ExecuteWithContext(t.Context())
	var e *supabase.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "supabase: select checks: no answer: GET …: …: refused", e.Error())
}

func TestEveryBodyIsClosed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{101, 200, 302, 404, 503} {
		closed := make(chan struct{})
		client := open(t, "http://localhost", func(c *supabase.Config) {
			c.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: status, Body: struct {
					io.Reader
					io.Closer
				}{strings.NewReader("[]"), &untilClosed{closed: closed}}}, nil
			})
		})
		_, _ = read(t, client)
		<-closed
	}
}

// TestTransportThatFollowsRedirects gets the answer of another URL, or of another
// method, which is not an answer to what was asked.
func TestTransportThatFollowsRedirects(t *testing.T) {
	t.Parallel()
	elsewhere, _ := serve(t, answer(http.StatusOK, "application/json", "[]"))
	for name, to := range map[string]string{"another host": elsewhere, "another path": "/other", "another query": "/rest/v1/checks?select=id", "another method": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int64
			server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if tries.Add(1) == 1 {
					http.Redirect(w, r, cmp.Or(to, r.URL.String()), http.StatusSeeOther)
					return
				}
				_, _ = io.WriteString(w, "[]")
			})
			follow := roundTripper(func(request *http.Request) (*http.Response, error) {
				return new(http.Client).Do(request)
			})
			client := open(t, server, func(c *supabase.Config) { c.Transport, c.MaxAttempts = follow, 4 })
			_, _, err := client.From("checks").Insert(map[string]int{}, false, "", "", "").ExecuteWithContext(t.Context())
			var e *supabase.Error
			require.ErrorAs(t, err, &e)
			requireClass(t, e, "")
			require.Equal(t, "supabase: insert checks: the answer came from another URL than was asked: Config.Transport must not follow redirects", e.Error())
			require.True(t, e.Uncertain)
			require.Equal(t, 1, e.Attempts)
		})
	}
	// A Transport may send a copy, and may leave Request out.
	server, _ := serve(t, answer(http.StatusOK, "", "[]"))
	for _, leave := range []bool{true, false} {
		_, e := read(t, open(t, server, func(c *supabase.Config) {
			c.Transport = roundTripper(func(request *http.Request) (*http.Response, error) {
				response, err := http.DefaultTransport.RoundTrip(request.Clone(request.Context()))
				if leave && err == nil {
					response.Request = nil
				}
				return response, err
			})
		}))
		require.Nil(t, e)
	}
}

// TestTransportThatMakesRequestsOfItsOwn, with the context of the one that it
// carries: each has its own payload, and what is said of one reaches no other.
func TestTransportThatMakesRequestsOfItsOwn(t *testing.T) {
	t.Parallel()
	var mutex sync.Mutex
	bodies := map[string][]string{}
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mutex.Lock()
		bodies[r.URL.Path] = append(bodies[r.URL.Path], string(body))
		mutex.Unlock()
		if strings.HasSuffix(r.URL.Path, "/audit") {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, "[1]")
	})
	inner := open(t, server, func(c *supabase.Config) { c.MaxAttempts = 4 })
	client := open(t, server, func(c *supabase.Config) {
		c.Transport = roundTripper(func(request *http.Request) (*http.Response, error) {
			ctx := request.Context()
			marked := trace.FromContext(ctx) != nil
			require.False(t, marked)
			_, _, err := inner.From("audit").Insert(map[string]int{"audit": 1}, false, "", "", "").ExecuteWithContext(ctx)
			require.Error(t, err)
			require.Error(t, inner.RPC(context.WithValue(ctx, "a", 1), "audit", nil, nil)) //nolint:revive,staticcheck // a key like any other
			return http.DefaultTransport.RoundTrip(request)
		})
	})
	ctx, record := trace.New(t.Context(), trace.Told{Repeatable: true, Payload: []byte(`{"outer":1}`)})
	_, _, err := client.From("checks").Insert(nil, false, "", "", "").ExecuteWithContext(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string][]string{
		"/rest/v1/checks": {`{"outer":1}`}, "/rest/v1/audit": {`{"audit":1}`}, "/rest/v1/rpc/audit": {"{}"},
	}, bodies, "a write that nobody marked is not repeated after a 502")
	require.Equal(t, 1, record.Attempts)
	require.Equal(t, http.StatusOK, record.Status)
	require.Equal(t, "[1]", string(record.Body))
	require.False(t, record.EarlierUncertain)
}

// TestErrorOfATransportsOwnRequest says nothing of the request that it carries.
func TestErrorOfATransportsOwnRequest(t *testing.T) {
	t.Parallel()
	for _, inner := range []*supabase.Error{
		{Status: 409, Code: "23505"},
		{Status: 403},
		{Status: 404, Code: "PGRST205"},
		{Message: "no", Err: supabase.ErrInvalid},
		{Message: "no answer", Err: refusedBy.err},
	} {
		sent := 0
		client := open(t, "http://localhost", func(c *supabase.Config) {
			c.MaxAttempts = 4
			c.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
				sent++
				return nil, fmt.Errorf("audit: %w", inner)
			})
		})
		e := send(t.Context(), client, "POST")
		requireClass(t, e, "unavailable")
		require.True(t, e.Uncertain)
		require.Equal(t, 1, sent)
	}
}
