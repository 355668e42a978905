package supabase

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/trace"
)

// pipes is a network in memory, which knows synctest's clock.
type pipes struct{ accept chan net.Conn }

func (p *pipes) Accept() (net.Conn, error) {
	connection, ok := <-p.accept
	if !ok {
		return nil, net.ErrClosed
	}
	return connection, nil
}
func (p *pipes) Close() error   { close(p.accept); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.accept <- server
	return client, nil
}

// TestWaitForAPlaceCostsNoAttempt: 400 callers at 64 places, each answer after half
// of Timeout; the last of them wait three times as long as an attempt may take.
func TestWaitForAPlaceCostsNoAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{accept: make(chan net.Conn)}
		var requests atomic.Int64
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			requests.Add(1)
			<-time.After(1500 * time.Millisecond)
			w.WriteHeader(http.StatusCreated)
		})}
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.Serve(network) })
		transport := newPool()
		transport.DialContext = network.dial
		client, err := Config{URL: "http://localhost", Key: "sb_secret_x", Timeout: 3 * time.Second, Transport: transport}.ServiceClient()
		require.NoError(t, err)
		began := time.Now()
		var callers sync.WaitGroup
		for range 400 {
			callers.Go(func() {
				_, _, err := client.From("checks").Insert(map[string]int{}, false, "", "", "").ExecuteWithContext(t.Context())
				if err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		require.Equal(t, int64(400), requests.Load())
		require.Equal(t, 7*1500*time.Millisecond, time.Since(began))

		// A wait that its caller ends sent nothing.
		for range placesPerHost {
			callers.Go(func() { _ = client.RPC(t.Context(), "f", nil, nil) })
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = client.RPC(ctx, "f", nil, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		e, ok := errors.AsType[*Error](err)
		require.True(t, ok)
		require.False(t, e.Uncertain)
		callers.Wait()
		require.Equal(t, int64(400+placesPerHost), requests.Load())

		transport.CloseIdleConnections()
		require.NoError(t, server.Close())
		serving.Wait()
	})
}

// TestDialIsTimed: an attempt's time begins with a dial, and what could not even
// dial in time never ran.
func TestDialIsTimed(t *testing.T) {
	t.Parallel()
	for _, places := range []int{0, placesPerHost} {
		synctest.Test(t, func(t *testing.T) {
			ended := make(chan struct{})
			defer synctest.Wait()
			defer close(ended)
			dialer := &net.Dialer{Control: func(string, string, syscall.RawConn) error { <-ended; return io.EOF }} // as if no packet came back
			transport := newPool()
			transport.MaxConnsPerHost, transport.DialContext = places, dialer.DialContext
			client, err := Config{URL: "http://127.0.0.1", Key: "sb_secret_x", Timeout: 3 * time.Second, MaxAttempts: 2, Transport: transport}.ServiceClient()
			require.NoError(t, err)
			began := time.Now()
			err = client.RPC(t.Context(), "f", nil, nil)
			require.EqualError(t, err, "supabase: rpc f: no answer within 3s")
			e, ok := errors.AsType[*Error](err)
			require.True(t, ok)
			require.Equal(t, 2, e.Attempts)
			require.False(t, e.Uncertain)
			require.Less(t, time.Since(began), 6200*time.Millisecond)
		})
	}
}

// TestSilenceCostsOtherHostsNothing reads from one host beside another that hangs.
func TestSilenceCostsOtherHostsNothing(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	healthy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[]") }))
	healthy.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	healthy.Start()
	t.Cleanup(healthy.Close)
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hanging.Close)
	read := func(url string, timeout time.Duration) error {
		client, err := Config{URL: url, Key: "sb_secret_x", Timeout: timeout, MaxAttempts: 1}.ServiceClient()
		require.NoError(t, err)
		_, _, err = client.From("checks").Select("*", "", false).ExecuteWithContext(t.Context())
		return err
	}
	for range 20 {
		require.NoError(t, read(healthy.URL, time.Minute))
		require.ErrorIs(t, read(hanging.URL, time.Millisecond), ErrUnavailable)
	}
	require.Equal(t, int64(1), connections.Load())
}

// TestDeadHTTP2ConnectionCostsOneAttempt has a time limit that ends before any ping.
func TestDeadHTTP2ConnectionCostsOneAttempt(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Slow") != "" {
			<-r.Context().Done()
		}
		_, _ = fmt.Fprintf(w, "[%q]", r.Proto)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	proxy := newSilencer(t, server.Listener.Addr().String())
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	transport := newPool()
	transport.TLSClientConfig = &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}
	pool := &hostPool{}
	pool.current.Store(transport)
	t.Cleanup(func() { pool.current.Load().CloseIdleConnections() })

	config := Config{URL: "https://" + proxy.address, Key: "sb_secret_x", Timeout: 900 * time.Millisecond}
	checked, err := config.check()
	require.NoError(t, err)
	client, err := checked.open()
	require.NoError(t, err)
	chain, ok := client.rest.Transport.Parent.(guard)
	require.True(t, ok)
	chain.next.attempt.pool = pool
	client.rest.Transport.Parent = chain

	// A stream that is still open keeps HTTP/2 from closing a connection.
	stream, endStream := context.WithCancel(t.Context())
	defer endStream()
	var open sync.WaitGroup
	open.Go(func() {
		request, err := http.NewRequestWithContext(stream, http.MethodGet, config.URL, http.NoBody)
		if err == nil {
			request.Header.Set("Slow", "yes")
			_, _ = transport.RoundTrip(request) //nolint:bodyclose // it is cancelled
		}
	})
	for _, attempts := range []int{1, 2, 2} {
		ctx, record := trace.New(t.Context(), trace.Told{Repeatable: true})
		_, _, err = client.From("checks").Select("*", "", false).ExecuteWithContext(ctx)
		require.NoError(t, err)
		require.Equal(t, `["HTTP/2.0"]`, string(record.Body))
		require.Equal(t, attempts, record.Attempts)
		proxy.silence()
	}
	endStream()
	open.Wait()
}

func TestHostsAreBounded(t *testing.T) {
	t.Parallel()
	var hosts hostPools
	first := hosts.of(&url.URL{Scheme: "https", Host: "first"})
	require.Same(t, first, hosts.of(&url.URL{Scheme: "https", Host: "first"}))
	for i := range 2 * maxHosts {
		hosts.of(&url.URL{Scheme: "https", Host: strconv.Itoa(i)})
		require.LessOrEqual(t, len(hosts.byHost), maxHosts)
	}
}
