// Command scale shows what the operations cost on a table of millions of checks,
// through a REST server on PostgreSQL whose statements end after 3 s: loading,
// reading all, the latest of one service and of every service, and retention
// beside live inserts. It prints Markdown and draws plots:
//
//	go -C internal/integration run ./scale -rows 10000000 -plots ../../docs/plots
//
// PostgREST serves where there is one, else @supabase/lite. Ten million rows take
// about 8 minutes and 10 GB of disk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

// A stand is a server over a table that grows, and what was seen of it.
type stand struct {
	checks   healthcheck.HealthCheckModel
	session  *pgx.Conn
	requests *timings
	services int
	finds    int // of one service's latest check, at each size; a twentieth of it of every service's
	out      io.Writer
	sizes    []size
}

// size is what finding costs when the table has so many rows.
type size struct {
	rows                int
	latest, latestOfAll []time.Duration
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	rows := flags.Int("rows", 10_000_000, "checks to load; half of them are deleted again")
	services := flags.Int("services", 2000, "services that they are about")
	finds := flags.Int("finds", 1000, "how often the latest check is looked for at each size")
	plots := flags.String("plots", "", "folder for the plots; none are drawn without")
	if err := flags.Parse(args); err != nil {
		return err
	}
	server, stop, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	session, err := pgx.Connect(ctx, server.DatabaseURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close(context.WithoutCancel(ctx))) }()

	requests := newTimings()
	config := server.Config()
	config.Transport = requests
	s := &stand{
		checks:  healthcheck.HealthCheckModel{Connect: config.ServiceClient},
		session: session, requests: requests, services: *services, finds: *finds, out: out,
	}
	s.printf("%s on PostgreSQL %s, statements end after %v; %d services\n\n| | |\n|---|---|\n", server.Kind, s.version(ctx), statementTimeout, s.services)
	for _, step := range []func(context.Context, int) error{s.load, s.readAll, s.retain} {
		if err := step(ctx, *rows); err != nil {
			return err
		}
	}
	if *plots == "" {
		return nil
	}
	return s.plot(*plots)
}

const statementTimeout = 3 * time.Second

func startServer(ctx context.Context) (*realserver.REST, func() error, error) {
	postgres, err := realserver.StartPostgres(ctx, realserver.PostgresOptions{
		StatementTimeout: statementTimeout,
		Settings:         map[string]string{"shared_buffers": "1GB", "max_wal_size": "4GB"},
	})
	if err != nil {
		return nil, nil, err
	}
	options := realserver.Options{Migrations: migrations.FS, Postgres: postgres}
	server, err := realserver.Start(ctx, realserver.PostgREST, options)
	if _, missing := errors.AsType[*realserver.MissingError](err); missing {
		server, err = realserver.Start(ctx, realserver.LitePostgres, options)
	}
	if err != nil {
		return nil, nil, errors.Join(err, postgres.Stop())
	}
	return server, func() error { return errors.Join(server.Stop(), postgres.Stop()) }, nil
}

func (s *stand) version(ctx context.Context) (version string) {
	_ = s.session.QueryRow(ctx, "SHOW server_version").Scan(&version)
	return version
}

func (s *stand) printf(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format, args...) }

func (s *stand) row(name, format string, args ...any) {
	s.printf("| %s | %s |\n", name, fmt.Sprintf(format, args...))
}
