package realserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"testing"
)

// shared are the servers that a package's tests share, each started when the
// first of them asks.
var shared struct {
	mutex    sync.Mutex
	postgres func() (*Postgres, error)
	pglite   func() (*pgliteHost, error)
	rest     map[string]func() (*REST, error) // by kind and migrations' digest
	stops    []func() error                   // in the order of starting
}

// SharedPostgres returns the PostgreSQL, with Supabase's roles, that the
// package's tests share. A test makes databases in it, and neither stops nor
// restarts it.
func SharedPostgres(t testing.TB) *Postgres {
	t.Helper()
	server, err := sharedPostgres()
	Need(t, err)
	return server
}

// Shared returns the server of a kind, on a database with these migrations, that
// the package's tests share: a test neither kills nor stops it, and tells its
// rows from others' by their service's name. Given is the server that the
// environment points at; a test is skipped when it points at none.
func Shared(t testing.TB, kind Kind, migrations fs.FS) *REST {
	t.Helper()
	if kind == Given {
		server, err := FromEnv()
		Need(t, err)
		if server == nil {
			t.Skip("SUPAVIGIL_TEST_REST_URL is not set")
		}
		return server
	}
	server, err := sharedREST(kind, migrations)
	Need(t, err)
	return server
}

// Need ends a test that did not get a server. When a program is missing the test
// is skipped, and fails where CI=true: there only PostgREST may be missing.
func Need(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if missing, ok := errors.AsType[*MissingError](err); ok && (os.Getenv("CI") != "true" || missing.Program == "postgrest") {
		t.Skip(missing.Error())
	}
	t.Fatal(err)
}

func sharedPostgres() (*Postgres, error) {
	shared.mutex.Lock()
	if shared.postgres == nil {
		shared.postgres = sync.OnceValues(func() (*Postgres, error) {
			// No test's context: it outlives the test that came first.
			server, err := StartPostgres(context.Background(), PostgresOptions{})
			if err == nil {
				onStop(server.Stop)
			}
			return server, err
		})
	}
	start := shared.postgres
	shared.mutex.Unlock()
	return start()
}

func sharedPGlite(ctx context.Context) (*pgliteHost, error) {
	shared.mutex.Lock()
	if shared.pglite == nil {
		shared.pglite = sync.OnceValues(func() (*pgliteHost, error) {
			host, err := startPGliteHost(context.WithoutCancel(ctx))
			if err == nil {
				onStop(host.stop)
			}
			return host, err
		})
	}
	start := shared.pglite
	shared.mutex.Unlock()
	return start()
}

func sharedREST(kind Kind, migrations fs.FS) (*REST, error) {
	key := string(kind)
	if migrations != nil {
		digest, err := digestFS(migrations)
		if err != nil {
			return nil, err
		}
		key += " " + digest
	}
	shared.mutex.Lock()
	start, ok := shared.rest[key]
	if !ok {
		start = sync.OnceValues(func() (*REST, error) { return startShared(kind, migrations) })
		if shared.rest == nil {
			shared.rest = map[string]func() (*REST, error){}
		}
		shared.rest[key] = start
	}
	shared.mutex.Unlock()
	return start()
}

func startShared(kind Kind, migrations fs.FS) (*REST, error) {
	options := Options{Migrations: migrations}
	if err := kind.Missing(); err != nil { // before a PostgreSQL is started for nothing
		return nil, err
	}
	if kind != LitePGlite {
		var err error
		if options.Postgres, err = sharedPostgres(); err != nil {
			return nil, err
		}
	}
	server, err := Start(context.Background(), kind, options)
	if err == nil {
		onStop(server.Stop)
	}
	return server, err
}

func onStop(stop func() error) {
	shared.mutex.Lock()
	defer shared.mutex.Unlock()
	shared.stops = append(shared.stops, stop)
}

// Runner is what runs a package's tests: a *testing.M.
type Runner interface{ Run() int }

// Main wraps a package's tests, for its TestMain: when they have run, what they
// shared is stopped. The result goes to goleak.VerifyTestMain, or is Run.
func Main(tests Runner) Runner { return sharing{tests} }

type sharing struct{ Runner }

// Run runs the tests and returns their exit code, or 1 when a server did not stop.
func (s sharing) Run() int {
	code := s.Runner.Run()
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, "stop a shared server:", err)
		return max(code, 1)
	}
	return code
}

// stopShared stops all shared servers, the last first.
func stopShared() error {
	shared.mutex.Lock()
	stops := shared.stops
	shared.postgres, shared.pglite, shared.rest, shared.stops = nil, nil, nil, nil
	shared.mutex.Unlock()
	var errs []error
	for _, stop := range slices.Backward(stops) {
		errs = append(errs, stop())
	}
	return errors.Join(errs...)
}
