package supabasetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
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
	// Key is a JWT with the role service_role, signed with a secret of this
	// server alone. It counts in Authorization: Bearer, and in apikey when there
	// is no Authorization.
	Key supabase.Secret

	signer      signer
	store       *store
	http        *http.Server
	served      chan struct{}
	connections connections
	stop        context.CancelFunc

	mu           sync.Mutex
	requests     []Request
	interceptors []*interceptor
}

// NewServer starts a server with empty tables. It panics when the loopback
// interface cannot be listened on. Close it when done.
func NewServer() *Server {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		var v6 error
		if listener, v6 = new(net.ListenConfig).Listen(context.Background(), "tcp", "[::1]:0"); v6 != nil {
			panic(fmt.Sprintf("supabasetest: no port to listen on: %v", err))
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		URL:    "http://" + listener.Addr().String(),
		signer: newSigner(),
		store:  newStore(),
		served: make(chan struct{}),
		stop:   stop,
	}
	s.Key = s.signer.serviceKey()
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState:         s.connections.note,
	}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // always an error: http.ErrServerClosed after Close
	}()
	return s
}

// Config returns the configuration of a client for this server: its URL and its
// key, everything else at its default.
func (s *Server) Config() supabase.Config {
	return supabase.Config{URL: s.URL, Key: s.Key}
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
	_ = s.http.Close() // the listener's error: it is closed either way
	s.stop()
	<-s.served
	_ = s.http.Close() // a connection that was accepted during the first
	s.connections.drain(patience)
}

// serve is what the listener's requests go through: recorded, offered to the
// interceptors, answered.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	defer s.connections.enter()()
	data, err := io.ReadAll(r.Body)
	if err != nil { // the client left before its request was whole
		panic(http.ErrAbortHandler)
	}
	s.record(r, data)
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
