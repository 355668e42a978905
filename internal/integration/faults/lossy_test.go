package faults_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// lossy is a TCP proxy that loses requests and answers, each wholly or from the
// middle on, with a reset or without a word. It doubles nothing. Where the
// server is away, requests are lost as well.
type lossy struct {
	URL string

	listener net.Listener
	server   string
	// How likely it is that a request, and an answer, is lost.
	request, answer float64
	// What it has done.
	requests, answers         atomic.Int64
	lostRequests, lostAnswers atomic.Int64

	mu      sync.Mutex
	open    map[net.Conn]bool
	closed  bool
	running sync.WaitGroup
}

func newLossy(t *testing.T, serverURL string, request, answer float64) *lossy {
	t.Helper()
	p := &lossy{
		server:  strings.TrimPrefix(serverURL, "http://"),
		request: request, answer: answer, open: map[net.Conn]bool{},
	}
	var err error
	p.listener, err = new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p.URL = "http://" + p.listener.Addr().String()
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *lossy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// serve carries the requests of one connection, one after the other, until one
// of them or its answer is lost.
func (p *lossy) serve(client net.Conn) {
	defer p.hold(client)()
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.server)
	if err != nil {
		reset(client)
		return
	}
	defer p.hold(server)()
	fromClient, fromServer := newRecorder(client), newRecorder(server)
	for {
		request, err := http.ReadRequest(fromClient.reader)
		if err != nil || !fromClient.skip(request.Body) {
			return
		}
		p.requests.Add(1)
		if rand.Float64() < p.request { //nolint:gosec // not a secret
			p.lostRequests.Add(1)
			lose(server, client, fromClient.take())
			return
		}
		if _, err := server.Write(fromClient.take()); err != nil {
			reset(client)
			return
		}
		answer, err := http.ReadResponse(fromServer.reader, request) //nolint:bodyclose // skip closes it
		if err != nil || !fromServer.skip(answer.Body) {
			reset(client)
			return
		}
		p.answers.Add(1)
		if rand.Float64() < p.answer { //nolint:gosec // not a secret
			p.lostAnswers.Add(1)
			lose(client, client, fromServer.take())
			return
		}
		if _, err := client.Write(fromServer.take()); err != nil {
			return
		}
	}
}

// lose loses what should go to a connection.
func lose(to, client net.Conn, data []byte) {
	switch fate := rand.IntN(20); { //nolint:gosec // not a secret
	case fate == 0: // without a word, until the client gives up
		_, _ = io.Copy(io.Discard, client)
		return
	case fate < 7:
		_, _ = to.Write(data[:len(data)/2])
	}
	reset(client)
}

// reset makes closing tell the other side at once.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// hold remembers a connection, so that close can close it; what it returns
// closes it now.
func (p *lossy) hold(conn net.Conn) (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[conn] = true
	if p.closed {
		_ = conn.Close()
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, conn)
		_ = conn.Close()
	}
}

func (p *lossy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for conn := range p.open {
		_ = conn.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

// recorder keeps what is read from a connection, byte for byte.
type recorder struct {
	reader *bufio.Reader
	read   bytes.Buffer
}

func newRecorder(conn io.Reader) *recorder {
	r := &recorder{}
	r.reader = bufio.NewReader(io.TeeReader(conn, &r.read))
	return r
}

// skip reads a body to its end.
func (r *recorder) skip(body io.ReadCloser) bool {
	_, err := io.Copy(io.Discard, body)
	return err == nil && body.Close() == nil
}

// take returns what was read since it was last called. Clients do not send a
// request before the last is answered, so it is one message.
func (r *recorder) take() []byte {
	taken := bytes.Clone(r.read.Bytes())
	r.read.Reset()
	return taken
}
