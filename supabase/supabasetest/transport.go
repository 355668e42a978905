package supabasetest

import (
	"context"
	"net"
	"net/http"
	"os"
	"syscall"
)

// Transport returns a transport whose requests reach this server without the
// network, whatever the scheme and host of their URL; for https there is no TLS.
// Interceptors, Requests, SetDown and Close hold for them as for any other
// request, and each has a connection of its own, a [net.Pipe]. It is safe for
// concurrent use.
//
// In a bubble of testing/synctest it is the way in: its goroutines belong to the
// bubble, block durably, and end with the answer that they are for, once its
// body is closed. The clock of created_at is that of the goroutine that sends.
func (s *Server) Transport() http.RoundTripper {
	return &http.Transport{DialContext: s.dial, DialTLSContext: s.dial, DisableKeepAlives: true}
}

// dial connects to the server in the process.
func (s *Server) dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	refused := s.down || s.closed
	s.mu.Unlock()
	if refused {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	near, far := net.Pipe()
	// A server of its own: one that also served others would belong to their bubbles.
	_ = s.newHTTP().Serve(&pipeListener{conn: far}) // an error, once it has the connection
	return near, nil
}

// pipeListener accepts one connection.
type pipeListener struct{ conn net.Conn }

func (l *pipeListener) Accept() (net.Conn, error) {
	if l.conn == nil {
		return nil, net.ErrClosed
	}
	conn := l.conn
	l.conn = nil
	return conn, nil
}

func (*pipeListener) Close() error { return nil }

func (*pipeListener) Addr() net.Addr { return &net.TCPAddr{} }
