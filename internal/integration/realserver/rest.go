package realserver

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/supavigil/supavigil/supabase"
)

// REST is a running server that speaks PostgREST's protocol. Its methods are
// safe for concurrent use, but for Kill, Restart and Stop.
type REST struct {
	Kind Kind
	// URL is the project's URL, with the tables below /rest/v1; "" where
	// there is only RESTURL, as with a bare PostgREST.
	URL string
	// RESTURL is where the tables are.
	RESTURL string
	// Key is service_role's.
	Key supabase.Secret
	// Database is what it serves, if that is a PostgreSQL of this package;
	// nil on PGlite, which only its server can reach.
	Database *Database
	// DatabaseURL is its owner's connection URL; "" where nobody else connects.
	DatabaseURL string

	headers map[string]http.Header // by role
	folder  *folder                // nil: not started here
	server  command
	process *process
}

// Config returns what a client of the server needs, as service_role.
func (r *REST) Config() supabase.Config {
	if r.URL == "" {
		return supabase.Config{RESTURL: r.RESTURL, Key: r.Key}
	}
	return supabase.Config{URL: r.URL, Key: r.Key}
}

// Header returns the headers that make a request one of service_role, anon or
// authenticated, or that carry a token of service_role's which is expired or
// forged; nil when there is no such key here.
func (r *REST) Header(role string) http.Header { return r.headers[role].Clone() }

// start starts the server and waits until it answers with the key.
func (r *REST) start(ctx context.Context) error {
	var err error
	if r.process, err = r.folder.start(ctx, r.server); err != nil {
		return err
	}
	return r.process.ready(ctx, r.check)
}

// The server's own connections are not kept: tests count goroutines.
var probe = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}

// check asks for a table that does not exist, with the key. PostgREST and lite
// say so with 404 when they know the database's tables, which lite reads no
// sooner than the first such question. They answer 401 to a wrong key, and 503
// before they are ready.
func (r *REST) check(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.RESTURL+"/supavigil_ready", http.NoBody)
	if err != nil {
		return err
	}
	request.Header = r.Header("service_role")
	response, err := probe.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusNotFound {
		return fmt.Errorf("%s: %s", request.URL, response.Status)
	}
	return nil
}

// Kill ends the server with SIGKILL, as a crash would. Its data stays, for
// Restart.
func (r *REST) Kill() error {
	if r.folder == nil {
		return fmt.Errorf("kill %s: it was not started here", r.Kind)
	}
	return r.process.signal("KILL")
}

// Restart starts the server again: same port, same key, same data. It is killed
// if it still runs.
func (r *REST) Restart(ctx context.Context) error {
	if err := r.Kill(); err != nil {
		return err
	}
	if err := again(ctx, r.start); err != nil {
		return fmt.Errorf("restart %s: %w", r.Kind, err)
	}
	return nil
}

// Stop ends the server and removes what was made for it, its Database too.
func (r *REST) Stop() error {
	if r.folder == nil {
		return nil
	}
	err := r.folder.Remove()
	if r.Database != nil && r.Database.postgres.process.running() {
		ctx, cancel := context.WithTimeout(context.Background(), startLimit)
		defer cancel()
		return errOr(err, r.Database.Drop(ctx))
	}
	return err
}
