package realserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresOptions say how a PostgreSQL is to be; the zero value is like Supabase.
type PostgresOptions struct {
	// WithoutRoles leaves out Supabase's roles: a plain PostgreSQL.
	WithoutRoles bool
	// StatementTimeout of authenticator, through whom every REST server
	// connects. Defaults to 8 s, as on Supabase.
	StatementTimeout time.Duration
	// Settings are added to postgresql.conf, and win over what is set otherwise.
	Settings map[string]string
}

// Postgres is a running PostgreSQL. Its methods are safe for concurrent use,
// but for Shutdown and Restart.
type Postgres struct {
	folder   *folder
	server   command
	process  *process
	port     int
	password string // every role's that can log in
	options  PostgresOptions

	templates templates
}

// How PostgreSQL is shut down: see Shutdown.
const (
	// Fast ends sessions, rolls back what they had begun, and writes everything out.
	Fast = "INT"
	// Immediate ends everything at once, as a crash would: the next start recovers.
	Immediate = "QUIT"
)

const defaultStatementTimeout = 8 * time.Second

// StartPostgres starts a PostgreSQL, empty but for Supabase's roles. Stop it.
func StartPostgres(ctx context.Context, options PostgresOptions) (_ *Postgres, err error) {
	if options.StatementTimeout == 0 {
		options.StatementTimeout = defaultStatementTimeout
	}
	programs, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	f, err := newFolder(ctx, as.temp(), "postgres", as)
	if err != nil {
		return nil, err
	}
	p := &Postgres{folder: f, password: rand.Text(), options: options}
	defer func() {
		if err != nil {
			err = fmt.Errorf("start PostgreSQL: %w", errOr(f.Remove(), err))
		}
	}()
	if err := p.initialize(ctx, programs); err != nil {
		return nil, err
	}
	err = withPort(ctx, func(port int) error {
		p.port = port
		p.server = command{
			args: []string{filepath.Join(programs, "postgres"), "-D", "data", "-p", strconv.Itoa(port)},
			env:  postgresEnv(),
			// Killed, it would leave shared memory behind.
			end: Immediate,
		}
		return p.start(ctx)
	})
	if err != nil {
		return nil, err
	}
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// postgresEnv keeps the caller's PG… variables and language out.
func postgresEnv() []string { return []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"} }

// initialize makes the cluster. Passwords guard it, as other users of the
// machine reach loopback, and a superuser runs programs as who runs PostgreSQL.
func (p *Postgres) initialize(ctx context.Context, programs string) error {
	if _, err := p.folder.write(p.password, "password"); err != nil {
		return err
	}
	initdb, err := p.folder.start(ctx, command{
		args: []string{
			filepath.Join(programs, "initdb"), "--pgdata=data", "--username=postgres",
			"--auth=scram-sha-256", "--pwfile=password", "--encoding=UTF8", "--locale=C", "--no-sync",
		},
		env: postgresEnv(),
		// Interrupted, it too would leave shared memory behind, and it takes
		// less than a second.
		end: letFinish,
	})
	if err != nil {
		return err
	}
	if err := initdb.wait(ctx); err != nil {
		return fmt.Errorf("initdb: %w", err)
	}
	_, err = p.folder.write(p.configuration(), "data", "postgresql.auto.conf")
	return err
}

// configuration gives up what protects from a crash of the machine (fsync,
// full pages), not what protects from a crash of PostgreSQL: a commit that was
// acknowledged is there after an immediate shutdown, so synchronous_commit stays.
func (p *Postgres) configuration() string {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": "",
		"max_connections":         "200",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"fsync":                   "off",
		"full_page_writes":        "off",
		"wal_level":               "minimal",
		"max_wal_senders":         "0",
		"jit":                     "off",
	}
	maps.Copy(settings, p.options.Settings)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	return b.String()
}

// start starts the server on its port and waits until it lets a session in.
func (p *Postgres) start(ctx context.Context) error {
	var err error
	if p.process, err = p.folder.start(ctx, p.server); err != nil {
		return err
	}
	return p.process.ready(ctx, func(ctx context.Context) error {
		session, err := pgx.Connect(ctx, p.url("postgres", "postgres"))
		if err != nil {
			return err
		}
		return session.Close(ctx)
	})
}

// url returns the connection URL of a role in a database.
func (p *Postgres) url(role, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, p.password), Host: address(p.port),
		Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// URL returns the superuser's connection URL, to the database postgres.
func (p *Postgres) URL() string { return p.url("postgres", "postgres") }

// Shutdown stops PostgreSQL, in the way Fast or Immediate. Its data stays, for
// Restart.
func (p *Postgres) Shutdown(how string) error {
	if how != Fast && how != Immediate {
		return errors.New("shut down PostgreSQL: neither Fast nor Immediate")
	}
	return p.process.signal(how)
}

// Restart starts PostgreSQL again, on the same port with the same data. It is
// shut down, Fast, if it still runs.
func (p *Postgres) Restart(ctx context.Context) error {
	if err := p.Shutdown(Fast); err != nil {
		return err
	}
	return again(ctx, p.start)
}

// Stop ends PostgreSQL and removes its data.
func (p *Postgres) Stop() error { return p.folder.Remove() }

// templates are databases that others are copied from, by their migrations' digest.
type templates struct {
	mutex sync.Mutex
	names map[string]string
}
