package realserver

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/supavigil/supavigil/supabase"
)

//go:embed lite_preload.cjs
var litePreload string

// reviveScript runs lite, and again when it fell over a lost connection to
// PostgreSQL, until that is back: as whoever runs a server in earnest would.
//
//go:embed revive.sh
var reviveScript string

// lite is a project of @supabase/lite: a folder with its configuration.
type lite struct {
	folder    *folder
	node, cli string
	maxRows   int
	driver    string
	database  string // path or URL

	publishable, secret, jwtSecret string
}

func startLitePGlite(ctx context.Context, options Options) (*REST, error) {
	l, err := newLite(ctx, options)
	if err != nil {
		return nil, err
	}
	l.driver, l.database = "pglite", l.folder.file("data")
	// Before the server starts: a folder of PGlite belongs to one process.
	if err := l.migrate(ctx, options.Migrations); err != nil {
		return nil, errOr(l.folder.Remove(), err)
	}
	return l.start(ctx, &REST{Kind: LitePGlite})
}

// startLitePostgres lets lite connect as authenticator, as PostgREST does.
// As a superuser it would grant everything on every table to all three roles as
// soon as it sees one with row level security, and no missing grant would show.
func startLitePostgres(ctx context.Context, options Options) (*REST, error) {
	l, err := newLite(ctx, options)
	if err != nil {
		return nil, err
	}
	database, err := options.newDatabase(ctx)
	if err != nil {
		return nil, errOr(l.folder.Remove(), err)
	}
	// It looks for tables in information_schema, which shows those on which
	// one has a privilege; REFERENCES lets nobody read or write. It is also
	// what makes lite's own GRANT a warning instead of an error, as SELECT does
	// for sequences.
	if err := run(ctx, database.URL, `GRANT REFERENCES ON ALL TABLES IN SCHEMA public TO authenticator;
		GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO authenticator`); err != nil {
		return nil, errOr(l.folder.Remove(), err)
	}
	l.driver, l.database = "postgres", database.AuthenticatorURL
	return l.start(ctx, &REST{Kind: LitePostgres, Database: database, DatabaseURL: database.URL})
}

func newLite(ctx context.Context, options Options) (*lite, error) {
	node, err := nodeProgram()
	if err != nil {
		return nil, err
	}
	modules, err := npmPackages(ctx)
	if err != nil {
		return nil, err
	}
	f, err := newFolder(ctx, os.TempDir(), "lite", nil)
	if err != nil {
		return nil, err
	}
	return &lite{
		folder: f, node: node, cli: filepath.Join(modules, "@supabase", "lite", "dist", "cli", "index.js"),
		maxRows:     options.MaxRows,
		publishable: "sb_publishable_" + rand.Text(), secret: "sb_secret_" + rand.Text(), jwtSecret: rand.Text() + rand.Text(),
	}, nil
}

// configure writes lite's configuration. Its user management is off: nothing
// here needs it, and it would make tables of its own.
func (l *lite) configure(port int) error {
	if _, err := l.folder.mkdir("supabase"); err != nil {
		return err
	}
	_, err := l.folder.write(fmt.Sprintf(`[api]
port = %d
max_rows = %d

[db]
driver = %q
url = %q

[auth]
enabled = false
jwt_secret = %q
publishable_key = %q
secret_key = %q
`, port, l.maxRows, l.driver, l.database, l.jwtSecret, l.publishable, l.secret), "supabase", "config.toml")
	return err
}

// command returns one of lite's commands, with nothing of the caller's
// environment: its home is the folder, and it reports to nobody.
func (l *lite) command(args ...string) command {
	return command{
		args: append([]string{l.node, l.cli}, args...),
		env: []string{
			"PATH=" + filepath.Dir(l.node) + ":/usr/bin:/bin", "HOME=" + l.folder.path, "TZ=UTC",
			"DO_NOT_TRACK=1", "NO_COLOR=1",
		},
	}
}

var named = regexp.MustCompile(`^\d{14}_`)

// migrate applies migrations through lite, which wants names of 14 digits; those
// that have them keep them.
func (l *lite) migrate(ctx context.Context, migrations fs.FS) error {
	if err := l.configure(0); err != nil {
		return err
	}
	if _, err := l.folder.mkdir("supabase", "migrations"); err != nil || migrations == nil {
		return err
	}
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	for i, name := range names {
		sql, err := fs.ReadFile(migrations, name)
		if err != nil {
			return err
		}
		if !named.MatchString(name) {
			name = fmt.Sprintf("20000101%06d_%s", i, name)
		}
		if _, err := l.folder.write(string(sql), "supabase", "migrations", name); err != nil {
			return err
		}
	}
	up, err := l.folder.start(ctx, l.command("migration", "up"))
	if err != nil {
		return err
	}
	if err := up.wait(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (l *lite) start(ctx context.Context, r *REST) (*REST, error) {
	r.folder, r.Key = l.folder, supabase.Secret(l.secret)
	// authenticated takes a user's token, which lite looks up in its user
	// management: there is none here.
	r.headers = map[string]http.Header{
		"service_role": {"Apikey": {l.secret}},
		"anon":         {"Apikey": {l.publishable}},
	}
	preload, err := l.folder.write(litePreload, "preload.cjs")
	if err != nil {
		return nil, errOr(r.Stop(), err)
	}
	r.server = l.command("start", "--no-admin", "--host", "127.0.0.1")
	r.server.args = append([]string{"/bin/sh", "-c", reviveScript, "revive", l.node, "--require=" + preload}, r.server.args[1:]...)
	r.server.revived = true
	err = withPort(ctx, func(port int) error {
		r.URL = "http://" + address(port)
		r.RESTURL = r.URL + "/rest/v1"
		if err := l.configure(port); err != nil {
			return err
		}
		return r.start(ctx)
	})
	if err != nil {
		return nil, errOr(r.Stop(), err)
	}
	return r, nil
}
