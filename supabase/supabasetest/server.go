package supabasetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/supavigil/supavigil/supabase"
)

// defaultMaxRows is db-max-rows on Supabase.
const defaultMaxRows = 1000

// Server is a Supabase project that listens on the loopback interface. Only
// NewServer makes one; its methods are safe for concurrent use.
type Server struct {
	// URL is the project's URL, without a slash at its end. PostgREST is served
	// below it, at /rest/v1.
	URL string
	// Key is a JWT with the role service_role that does not expire, signed with a
	// secret of this server alone. It counts in Authorization: Bearer, and in
	// apikey when there is no Authorization.
	Key supabase.Secret

	signer      signer
	store       *store
	connections connections
	running     context.Context // until Close
	stop        context.CancelFunc

	switching sync.Mutex        // held while the listener opens or closes
	listener  net.Listener      // nil: none
	listeners chan net.Listener // to the goroutine that accepts, nil in a bubble
	served    chan struct{}     // from it: a listener is closed, and all that it accepted is noted

	mu           sync.Mutex
	down, closed bool
	requests     []Request
	interceptors []*interceptor
	functions    map[string]func(json.RawMessage) (any, error)
}

// NewServer starts a server with empty tables. It panics when the loopback
// interface cannot be listened on. Close it when done.
//
// In a bubble of testing/synctest it does not listen, since nothing in a bubble
// may wait for the network: only [Server.Transport] reaches it, which
// [Server.Config] brings along there.
func NewServer() *Server {
	s := &Server{signer: newSigner(), store: newStore()}
	s.Key = s.signer.serviceKey()
	s.running, s.stop = context.WithCancel(context.Background())
	s.running.Done() // its channel is made now, not by the first who asks, in a bubble that ends
	if inBubble() {
		s.URL = "http://supabasetest.invalid"
		return s
	}
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		var v6 error
		if listener, v6 = listen("[::1]:0"); v6 != nil {
			panic(fmt.Sprintf("supabasetest: no port to listen on: %v", err))
		}
	}
	s.URL = "http://" + listener.Addr().String()
	s.listeners, s.served = make(chan net.Listener), make(chan struct{})
	go s.acceptAll() // here, since SetDown may be called in a bubble
	s.serveOn(listener)
	return s
}

func listen(address string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(context.Background(), "tcp", address)
}

func (s *Server) newHTTP() *http.Server {
	return &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return s.running },
		ConnState:         s.connections.note,
	}
}

// acceptAll serves one listener after the other.
func (s *Server) acceptAll() {
	for listener := range s.listeners {
		_ = s.newHTTP().Serve(listener) // always an error: the listener was closed
		s.served <- struct{}{}
	}
}

func (s *Server) serveOn(listener net.Listener) {
	s.listener = listener
	s.listeners <- listener
}

// stopListening closes the listener, if there is one, and every connection.
func (s *Server) stopListening() {
	if s.listener != nil {
		_ = s.listener.Close()
		<-s.served
		s.listener = nil
	}
	s.connections.breakOff()
}

// Config returns the configuration of a client for this server: its URL and its
// key, and, in a bubble of testing/synctest, [Server.Transport]; everything else
// at its default.
func (s *Server) Config() supabase.Config {
	config := supabase.Config{URL: s.URL, Key: s.Key}
	if inBubble() {
		config.Transport = s.Transport()
	}
	return config
}

// SetDown takes the server down, or up again with what it held. While it is
// down, its port is closed, so that dialing it fails with ECONNREFUSED, as it
// does by [Server.Transport]: no request was sent. Nothing of that is among
// Requests. Going down breaks off all connections, those of requests under way
// too, whose answers are lost though they may have been carried out; so an
// interceptor that takes the server down breaks its own request off.
//
// A client of the network that has an idle connection may send a request on it
// before it notices, and then cannot know what became of it; with Transport
// there are none. Coming up panics if another program has taken the port
// meanwhile, and not given it back within 5 s.
//
// [Server.ServeHTTP], [Server.Insert] and [Server.Rows] work on a server that is
// down. After Close it does nothing.
func (s *Server) SetDown(down bool) {
	s.switching.Lock()
	defer s.switching.Unlock()
	s.mu.Lock()
	idle := s.closed || s.down == down
	s.down = down
	s.mu.Unlock()
	switch {
	case idle:
	case down:
		s.stopListening()
	case s.listeners != nil:
		s.serveOn(s.relisten())
	}
}

// relisten opens the server's port again.
func (s *Server) relisten() net.Listener {
	address := strings.TrimPrefix(s.URL, "http://")
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for giveUp := time.After(patience); ; {
		listener, err := listen(address)
		if err == nil {
			return listener
		}
		select {
		case <-retry.C:
		case <-giveUp:
			panic(fmt.Sprintf("supabasetest: %v", err))
		}
	}
}

// SetMaxRows sets db-max-rows, the most rows that one read returns; what is
// written, and exact counts, are not cut. Defaults to 1000, as on Supabase; 0 or
// less sets no limit.
func (s *Server) SetMaxRows(n int) { s.store.setMaxRows(n) }

// patience is how long Close waits for handlers that ignore their context.
const patience = 5 * time.Second

// Close shuts the server down: it closes the listener and every connection,
// hijacked ones included, cancels the contexts of the requests under way and
// waits for their handlers. It gives up on interceptors that do not return
// within 5 s of it. Closing again does nothing more.
func (s *Server) Close() {
	s.switching.Lock()
	defer s.switching.Unlock()
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return
	}
	s.stopListening()
	if s.listeners != nil {
		close(s.listeners)
	}
	s.stop()
	s.connections.drain(patience)
}

// serve is what requests go through: recorded, offered to the interceptors,
// answered.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	defer s.connections.enter()()
	data, err := io.ReadAll(r.Body)
	if err != nil || !s.record(r, data) { // the client left before its request was whole, or the server has
		panic(http.ErrAbortHandler)
	}
	if !s.intercepted(w, r, data) {
		r.Body = newBody(data)
		s.ServeHTTP(w, r)
	}
}

// body is a request's body that can be had again from its start.
type body struct {
	*bytes.Reader
	data []byte
}

func newBody(data []byte) *body { return &body{Reader: bytes.NewReader(data), data: data} }

func (*body) Close() error { return nil }
