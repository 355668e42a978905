// Record makes the double's recording again: it sends the recorded requests, in
// order, to a PostgREST over the migrations, and writes what it answers:
//
//	go -C internal/integration run ./record
//
// PostgREST is the one in the PATH or in POSTGREST_BIN, on a PostgreSQL that
// starts for it. Where SUPAVIGIL_TEST_REST_URL and SUPAVIGIL_TEST_KEY name a
// server, whose tables must be empty, and on which anon may do to them what
// row-level security lets it, that one is asked instead. A request is added by
// writing it into the recording, with an empty answer ({}).
//
// An answer that differs from the recorded one in nothing but what the server
// makes up (ids, times) stays as it is, so that a difference is one that matters.
//
//	go -C internal/integration run ./record -on lite-postgres
//
// shows in what @supabase/lite differs from the recording, and writes nothing.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/signal"
	"testing/fstest"
	"time"

	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

const recordingPath = "../../supabase/supabasetest/testdata/postgrest-16.2.json"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	flags := flag.NewFlagSet("record", flag.ContinueOnError)
	kind := flags.String("on", "", "the kind of server: lite-pglite, lite-postgres or postgrest. Defaults to the one that the environment names, or postgrest")
	path := flags.String("recording", recordingPath, "the recording")
	if err := flags.Parse(args); err != nil {
		return err
	}
	server, stop, err := open(ctx, realserver.Kind(*kind))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	recording, err := read(*path)
	if err != nil {
		return err
	}
	changed, err := recording.renew(ctx, server, stdout)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stdout, "%d of %d answers of %s differ\n", changed, len(recording.Exchanges), server.kind)
	if changed == 0 || server.kind == realserver.LitePGlite || server.kind == realserver.LitePostgres {
		return nil
	}
	recording.Recorded = time.Now().UTC().Format(time.DateOnly)
	_, _ = fmt.Fprintln(stdout, "written:", *path)
	return recording.write(*path)
}

// target is a server to be asked.
type target struct {
	kind    realserver.Kind
	restURL string
	// headers are those that each kind of caller sends. What a server has no key
	// for is not asked again.
	headers map[string]http.Header
}

func open(ctx context.Context, kind realserver.Kind) (*target, func() error, error) {
	if kind == "" {
		given, err := realserver.FromEnv()
		if err != nil {
			return nil, nil, err
		}
		if given != nil {
			return newTarget(given), given.Stop, nil
		}
	}
	files, err := older()
	if err != nil {
		return nil, nil, err
	}
	options := realserver.Options{Migrations: files}
	stop := func() error { return nil }
	if kind != realserver.LitePGlite {
		postgres, err := realserver.StartPostgres(ctx, realserver.PostgresOptions{})
		if err != nil {
			return nil, nil, err
		}
		options.Postgres, stop = postgres, postgres.Stop
	}
	server, err := realserver.Start(ctx, cmp.Or(kind, realserver.PostgREST), options)
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return newTarget(server), func() error { return errors.Join(server.Stop(), stop()) }, nil
}

func newTarget(server *realserver.REST) *target {
	t := &target{server.Kind, server.RESTURL, map[string]http.Header{"none": {}, "garbage": {"Authorization": {"Bearer garbage"}}}}
	for _, auth := range []string{"service_role", "expired", "forged"} {
		if header := server.Header(auth); header != nil {
			t.headers[auth] = header
		}
	}
	return t
}

// older returns the migrations for a project in which anon has grants, as older
// ones of Supabase gave them: row-level security is what the double's anonymous
// meet.
func older() (fs.FS, error) {
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return nil, err
	}
	files := fstest.MapFS{"999_grant_anon.sql": {Data: []byte("GRANT SELECT, INSERT, UPDATE, DELETE ON service_health_checks, alert_events TO anon;")}}
	for _, name := range names {
		sql, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			return nil, err
		}
		files[name] = &fstest.MapFile{Data: sql}
	}
	return files, nil
}
