package realserver

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Database is one database of a Postgres.
type Database struct {
	Name string
	// URL is the connection URL of its owner, a superuser.
	URL string
	// AuthenticatorURL is that of authenticator, who may become anon,
	// authenticated and service_role.
	AuthenticatorURL string

	postgres *Postgres
}

//go:embed roles.sql
var roles string

// prepare makes Supabase's roles. What is done in template1 holds for every
// database made later.
func (p *Postgres) prepare(ctx context.Context) error {
	if p.options.WithoutRoles {
		return nil
	}
	sql := fmt.Sprintf("%s\nALTER ROLE authenticator PASSWORD '%s';\nALTER ROLE authenticator SET statement_timeout = %d;",
		roles, p.password, p.options.StatementTimeout.Milliseconds())
	return run(ctx, p.url("postgres", "template1"), sql)
}

// NewDatabase makes a database with the migrations, the SQL files at the top of
// the file system in the order of their names; nil is an empty database. They
// are applied once for all databases that have the same.
func (p *Postgres) NewDatabase(ctx context.Context, migrations fs.FS) (*Database, error) {
	template, err := p.template(ctx, migrations)
	if err != nil {
		return nil, fmt.Errorf("new database: %w", err)
	}
	name := "test_" + strings.ToLower(rand.Text()[:12])
	if err := p.create(ctx, name, template); err != nil {
		return nil, fmt.Errorf("new database: %w", err)
	}
	return p.database(name), nil
}

func (p *Postgres) database(name string) *Database {
	return &Database{
		Name: name, URL: p.url("postgres", name), AuthenticatorURL: p.url("authenticator", name), postgres: p,
	}
}

func (p *Postgres) create(ctx context.Context, name, template string) error {
	return run(ctx, p.URL(), fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, template))
}

// template returns the database that has these migrations.
func (p *Postgres) template(ctx context.Context, migrations fs.FS) (string, error) {
	if migrations == nil {
		return "template1", nil
	}
	digest, err := digestFS(migrations)
	if err != nil {
		return "", err
	}
	p.templates.mutex.Lock()
	defer p.templates.mutex.Unlock()
	if name, ok := p.templates.names[digest]; ok {
		return name, nil
	}
	name := "template_" + digest
	if err := p.create(ctx, name, "template1"); err != nil {
		return "", err
	}
	if err := p.database(name).Apply(ctx, migrations); err != nil {
		return "", errOr(p.database(name).Drop(ctx), err)
	}
	if p.templates.names == nil {
		p.templates.names = map[string]string{}
	}
	p.templates.names[digest] = name
	return name, nil
}

// Apply runs the SQL files at the top of the file system, in the order of their
// names and each in a transaction, as the database's owner.
func (d *Database) Apply(ctx context.Context, migrations fs.FS) error {
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		sql, err := fs.ReadFile(migrations, name)
		if err != nil {
			return err
		}
		if err := run(ctx, d.URL, string(sql)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// SetStatementTimeout changes authenticator's, for sessions to come, in this
// database.
func (d *Database) SetStatementTimeout(ctx context.Context, limit time.Duration) error {
	return run(ctx, d.URL, fmt.Sprintf("ALTER ROLE authenticator IN DATABASE %s SET statement_timeout = %d",
		d.Name, limit.Milliseconds()))
}

// Drop removes the database and ends who is connected to it.
func (d *Database) Drop(ctx context.Context) error {
	return run(ctx, d.postgres.URL(), fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", d.Name))
}

// run executes statements in a session of their own. Several are one transaction.
func run(ctx context.Context, url, sql string) error {
	session, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = session.PgConn().Exec(ctx, sql).ReadAll()
	if closing := session.Close(context.WithoutCancel(ctx)); err == nil {
		err = closing
	}
	return err
}

// digestFS returns a short digest of the SQL files at the top of a file system.
func digestFS(files fs.FS) (string, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return "", err
	}
	slices.Sort(names)
	hash := sha256.New()
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return "", err
		}
		hash.Write(fmt.Appendf(nil, "%s\x00%d\x00%s", name, len(content), content))
	}
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}
