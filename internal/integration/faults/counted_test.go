package faults_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// counted is a double that keeps no requests and stores no new rows, so that it
// does not grow, and counts its connections.
type counted struct {
	double *supabasetest.Server
	server *httptest.Server

	mu    sync.Mutex
	open  map[net.Conn]bool
	total int // ever opened
	most  int // open at once
}

// newCounted starts a server with the tables stocked. handle may answer a request
// instead of the double.
func newCounted(t *testing.T, handle func(w http.ResponseWriter, r *http.Request) bool) *counted {
	t.Helper()
	c := &counted{double: supabasetest.NewServer(), open: map[net.Conn]bool{}}
	t.Cleanup(c.double.Close)
	stock(t, c.double)
	c.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case handle(w, r):
		case r.Method == http.MethodPost && !strings.Contains(r.URL.Path, "/rpc/"):
			created(w, r)
		default:
			c.double.ServeHTTP(w, r)
		}
	}))
	c.server.Config.ConnState = c.note
	c.server.Start()
	t.Cleanup(c.server.Close)
	return c
}

// created answers as if the row had been stored.
func created(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	at := time.Now().UTC().Format(time.RFC3339Nano)
	_, _ = io.WriteString(w, strings.Replace(string(body), "{", fmt.Sprintf(`{"created_at":%q,`, at), 1))
}

func (c *counted) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.open[conn] = true
		c.total++
		c.most = max(c.most, len(c.open))
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
	case http.StateActive, http.StateIdle:
	}
}

// connections returns how many are open, how many were at once, and how many
// were opened in all.
func (c *counted) connections() (open, most, total int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open), c.most, c.total
}

func (c *counted) config() supabase.Config {
	return supabase.Config{URL: c.server.URL, Key: c.double.Key}
}

// models returns a stand that operations can be called on.
func models(config supabase.Config) *stand {
	s := &stand{config: config}
	s.checks.Connect, s.alerts.Connect = config.ServiceClient, config.ServiceClient
	return s
}
