package supabase_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/trace"
	"github.com/supavigil/supavigil/supabase"
)

// refusing is where nothing listens: a port that was free a moment ago may be
// another test's.
const refusing = "127.0.0.1:1"

// listen answers each connection with handle, on loopback, until the test ends.
func listen(t *testing.T, handle func(net.Conn)) (address string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	var mutex sync.Mutex
	var open []net.Conn
	group.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			mutex.Lock()
			open = append(open, connection)
			mutex.Unlock()
			group.Go(func() {
				handle(connection)
				_ = connection.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mutex.Lock()
		for _, connection := range open {
			_ = connection.Close()
		}
		mutex.Unlock()
		group.Wait()
	})
	return listener.Addr().String()
}

func resetByPeer(connection net.Conn) {
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// says answers the first request of a connection with text.
func says(text string) func(net.Conn) {
	return func(connection net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(connection))
		_, _ = io.WriteString(connection, text)
	}
}

func through(t *testing.T, proxy string) *http.Transport {
	t.Helper()
	parsed, err := url.Parse(proxy)
	require.NoError(t, err)
	return &http.Transport{Proxy: http.ProxyURL(parsed), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // nothing is at stake
}

// TestWhatNeverLeftNeverRan has what can go wrong before a request leaves. A POST
// that nothing marks as repeatable is tried again then, and is not uncertain.
func TestWhatNeverLeftNeverRan(t *testing.T) {
	t.Parallel()
	hang := func(connection net.Conn) { _, _ = io.Copy(io.Discard, connection) }
	tests := map[string]func(t *testing.T) (url string, transport *http.Transport, text string){
		"a refused dial": func(*testing.T) (string, *http.Transport, string) {
			return "http://" + refusing, &http.Transport{}, "connection refused"
		},
		"an unknown host": func(*testing.T) (string, *http.Transport, string) {
			resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no server") }}
			return "http://host.invalid", &http.Transport{DialContext: (&net.Dialer{Resolver: resolver}).DialContext}, "no answer: dial tcp: lookup host.invalid"
		},
		"a dialer of one's own that fails": func(*testing.T) (string, *http.Transport, string) {
			return "http://localhost", &http.Transport{Dial: func(string, string) (net.Conn, error) { return nil, errors.New("no route") }}, "no answer: no route" //nolint:staticcheck // old, not gone
		},
		"a handshake that is closed": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://" + listen(t, func(net.Conn) {}), &http.Transport{}, "no answer: "
		},
		"a handshake that is reset": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://" + listen(t, resetByPeer), &http.Transport{}, "no answer: "
		},
		"a handshake that is refused by an alert": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://" + listen(t, says("\x15\x03\x03\x00\x02\x02\x28")), &http.Transport{}, "handshake failure"
		},
		"a handshake with what knows no TLS": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://" + listen(t, says("HTTP/1.1 400 Bad Request\r\n\r\n")), &http.Transport{}, "no answer: "
		},
		"a handshake that hangs": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://" + listen(t, hang), &http.Transport{}, "no answer within 50ms"
		},
		"a handshake that net/http gives up": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://" + listen(t, hang), &http.Transport{TLSHandshakeTimeout: time.Millisecond}, "TLS handshake timeout"
		},
		"CONNECT refused": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://abc.supabase.co", through(t, "http://"+listen(t, says("HTTP/1.1 403 Forbidden\r\n\r\n"))), "no answer: the proxy refused the connection: Forbidden"
		},
		"CONNECT refused in words of its own": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://abc.supabase.co", through(t, "http://"+listen(t, says("HTTP/1.1 502 "+strings.Repeat("no way ", 100)+"\r\n\r\n"))), "the proxy refused the connection: no way"
		},
		"CONNECT refused without a word": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://abc.supabase.co", through(t, "http://"+listen(t, says("HTTP/1.1 503 \r\n\r\n"))), "the proxy refused the connection: it gave no reason"
		},
		"CONNECT closed": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://abc.supabase.co", through(t, "http://"+listen(t, says(""))), "no answer: "
		},
		"CONNECT hangs": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://abc.supabase.co", through(t, "http://"+listen(t, hang)), "no answer within 50ms"
		},
		"a proxy that is away": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://abc.supabase.co", through(t, "http://"+refusing), "no answer: the proxy cannot be reached: dial"
		},
		"an HTTPS proxy without TLS": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "https://abc.supabase.co", through(t, "https://"+listen(t, says("HTTP/1.1 403 Forbidden\r\n\r\n"))), "the proxy cannot be reached: "
		},
		"an HTTPS proxy that refuses": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			proxy := httptest.NewUnstartedServer(answer(http.StatusProxyAuthRequired, "", ""))
			proxy.Config.ErrorLog = log.New(io.Discard, "", 0)
			proxy.StartTLS()
			t.Cleanup(proxy.Close)
			return "https://abc.supabase.co", through(t, proxy.URL), "the proxy refused the connection: Proxy Authentication Required"
		},
		"a SOCKS proxy that refuses": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			proxy := listen(t, func(connection net.Conn) {
				_, _ = io.ReadFull(connection, make([]byte, 3))
				_, _ = connection.Write([]byte{5, 0})
				_, _ = io.ReadAtLeast(connection, make([]byte, 100), 10)
				_, _ = connection.Write([]byte{5, 2, 0, 1, 0, 0, 0, 0, 0, 0})
			})
			return "https://127.0.0.2", through(t, "socks5://"+proxy), "no answer: the proxy refused the connection: socks connect"
		},
		"a SOCKS proxy that closes": func(t *testing.T) (string, *http.Transport, string) {
			t.Helper()
			return "http://127.0.0.2", through(t, "socks5://"+listen(t, func(net.Conn) {})), "no answer: the proxy refused the connection: "
		},
	}
	for name, test := range tests {
		for _, places := range []int{0, 64} {
			t.Run(fmt.Sprintf("%s/MaxConnsPerHost=%d", name, places), func(t *testing.T) {
				t.Parallel()
				server, transport, text := test(t)
				transport.MaxConnsPerHost = places
				t.Cleanup(transport.CloseIdleConnections)
				client := open(t, server, func(c *supabase.Config) {
					c.Transport, c.MaxAttempts = transport, 2
					if strings.HasSuffix(name, "hangs") {
						c.Timeout = 50 * time.Millisecond
					}
				})
				for _, kind := range []string{"POST", "PATCH", "DELETE", "RPC"} {
					e := send(t.Context(), client, kind)
					requireClass(t, e, "unavailable")
					require.Equal(t, 2, e.Attempts, "what never ran may be tried again: %v", e)
					require.False(t, e.Uncertain)
					require.Contains(t, e.Error(), text)
					require.Less(t, len(e.Error()), 300)
				}
				ctx, record := trace.New(t.Context(), trace.Told{Repeatable: true})
				_ = send(ctx, client, "POST")
				require.False(t, record.EarlierUncertain)
				require.False(t, record.LastUncertain)
			})
		}
	}
}

// TestWhatLeftMayHaveRun is the other half: the request left, and nothing tells
// what became of it.
func TestWhatLeftMayHaveRun(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]func(net.Conn){
		"closed":      says(""),
		"reset":       func(c net.Conn) { says("")(c); resetByPeer(c) },
		"no HTTP":     says("SSH-2.0-OpenSSH_9.6\r\n"),
		"half a head": says("HTTP/1.1 201 Crea"),
		"cut 201":     says("HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n[{"),
		"cut 500":     says("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 10\r\n\r\n{"),
		"bad gateway": says("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
		"see other":   says("HTTP/1.1 303 See Other\r\nContent-Length: 0\r\n\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireMayHaveRun(t, "http://"+listen(t, handle), &http.Transport{})
		})
	}
	t.Run("hangs", func(t *testing.T) { // without a network, whose dial a busy machine may hold up beyond the limit
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			requireMayHaveRun(t, "http://localhost", &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, theirs) }()
				return ours, nil
			}})
		})
	})
}

func requireMayHaveRun(t *testing.T, url string, transport *http.Transport) {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	client := open(t, url, func(c *supabase.Config) { c.Transport, c.MaxAttempts = transport, 2 })
	for _, kind := range []string{"POST", "PATCH", "DELETE", "RPC"} {
		e := send(t.Context(), client, kind)
		require.Equal(t, 1, e.Attempts)
		require.True(t, e.Uncertain, kind)
	}
	require.False(t, send(t.Context(), client, "GET").Uncertain, "a read changes nothing")
	ctx, record := trace.New(t.Context(), trace.Told{Repeatable: true})
	_ = send(ctx, client, "POST")
	require.Equal(t, record.Attempts > 1, record.EarlierUncertain)
	require.True(t, record.LastUncertain)
}

func TestWhichAnswersLeaveAWriteUncertain(t *testing.T) {
	t.Parallel()
	for want, steps := range map[bool][]step{
		true: {
			reset,
			{err: io.EOF},
			{status: 500},
			{status: 502},
			{status: 504},
			{status: 520},
			{status: 408},
			{takes: time.Hour},
			postgrestError(503, "PGRST001", ""), postgrestError(503, "08006", ""), postgrestError(503, "57P01", ""), postgrestError(500, "40003", ""),
		},
		false: {
			refusedBy,
			{status: 400},
			{status: 401},
			{status: 403},
			{status: 404},
			{status: 409},
			{status: 413},
			{status: 429},
			{status: 501},
			{status: 307},
			{status: 521},
			{status: 523},
			{status: 525},
			{status: 526},
			postgrestError(503, "PGRST000", ""), postgrestError(503, "PGRST002", ""), postgrestError(504, "PGRST003", ""), postgrestError(500, "40001", ""),
			postgrestError(503, "53300", ""), postgrestError(500, "57014", ""), postgrestError(500, "XX000", ""), postgrestError(400, "P0001", ""),
			{err: &net.OpError{Op: "proxyconnect", Net: "tcp", Err: syscall.ECONNREFUSED}},
			{err: &net.OpError{Op: "socks connect", Net: "tcp", Err: syscall.ECONNREFUSED}},
			{err: &tls.CertificateVerificationError{Err: errors.New("unknown")}},
			{err: tls.RecordHeaderError{Msg: "no TLS"}},
		},
	} {
		for _, first := range steps {
			synctest.Test(t, func(t *testing.T) {
				transport := &script{steps: []step{first}}
				e := send(t.Context(), transport.client(t), "POST")
				require.Equal(t, want, e.Uncertain, "%+v", first)
				// A later refusal does not tell what became of an earlier attempt.
				e = send(t.Context(), (&script{steps: []step{first, postgrestError(403, "42501", "")}}).client(t), "marked POST")
				require.Equal(t, want, e.Uncertain, "%+v", first)
			})
		}
	}
}

func TestHeadOfARefusalCounts(t *testing.T) {
	t.Parallel()
	for _, status := range []int{307, 400, 403, 404, 409, 503} {
		server, requests := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			raw(w, fmt.Sprintf("HTTP/1.1 %d X\r\nProxy-Status: PostgREST; error=P0001\r\nContent-Length: 100\r\n\r\n"+`{"code":"23505"`, status))
		})
		_, e := read(t, open(t, server))
		require.Equal(t, status, e.Status)
		require.Equal(t, "P0001", e.Code)
		require.Contains(t, e.Message, "its body broke off")
		require.Equal(t, int64(1), requests.Load())
	}
}
