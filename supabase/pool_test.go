package supabase

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/trace"
)

// TestPoolPingsHTTP2 lets an HTTP/2 connection fall silent: pings find out, and
// the next attempt dials, within the default time limit.
func TestPoolPingsHTTP2(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Protocol", r.Proto)
		_, _ = io.WriteString(w, "[]")
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	proxy := newSilencer(t, server.Listener.Addr().String())

	transport := newPool()
	t.Cleanup(transport.CloseIdleConnections)
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	transport.TLSClientConfig = &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}
	require.Less(t, transport.HTTP2.SendPingTimeout+transport.HTTP2.PingTimeout, defaultTimeout)
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: 100 * time.Millisecond, PingTimeout: 100 * time.Millisecond}
	var protocol atomic.Value
	client, err := Config{URL: "https://" + proxy.address, Key: "sb_secret_x", Transport: observed{transport, &protocol}}.ServiceClient()
	require.NoError(t, err)

	for _, attempts := range []int{1, 2} {
		ctx, record := trace.New(t.Context(), trace.Told{Repeatable: true})
		_, _, err = client.From("checks").Select("*", "", false).ExecuteWithContext(ctx)
		require.NoError(t, err)
		require.Equal(t, "HTTP/2.0", protocol.Load())
		require.Equal(t, attempts, record.Attempts)
		proxy.silence()
	}
}

// observed notes the protocol of each answer. It hides CloseIdleConnections, so
// that pings alone find the dead connection.
type observed struct {
	next     http.RoundTripper
	protocol *atomic.Value
}

func (o observed) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := o.next.RoundTrip(request)
	if err == nil {
		o.protocol.Store(response.Proto)
	}
	return response, err
}

// silencer is a TCP proxy whose connections can be made to lose everything, as
// when a path between two networks dies.
type silencer struct {
	address string
	mutex   sync.Mutex
	silent  []*atomic.Bool
	clients []net.Conn
}

func newSilencer(t *testing.T, to string) *silencer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &silencer{address: listener.Addr().String()}
	var connections sync.WaitGroup
	t.Cleanup(connections.Wait)
	t.Cleanup(func() {
		_ = listener.Close()
		s.mutex.Lock()
		defer s.mutex.Unlock()
		for _, client := range s.clients {
			_ = client.Close()
		}
	})
	connections.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := new(net.Dialer).DialContext(t.Context(), "tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			silent := new(atomic.Bool)
			s.mutex.Lock()
			s.silent = append(s.silent, silent)
			s.clients = append(s.clients, client)
			s.mutex.Unlock()
			connections.Go(func() { forward(server, client, silent) })
			connections.Go(func() { forward(client, server, silent) })
		}
	})
	return s
}

// forward copies until either end closes; what comes in silence is dropped.
func forward(to, from net.Conn, silent *atomic.Bool) {
	defer to.Close()   //nolint:errcheck // it is over
	defer from.Close() //nolint:errcheck // it is over
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if silent.Load() {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// silence makes all connections so far lose everything.
func (s *silencer) silence() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, silent := range s.silent {
		silent.Store(true)
	}
}
