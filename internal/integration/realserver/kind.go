package realserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Kind is a kind of REST server.
type Kind string

// The kinds of REST servers.
const (
	// LitePGlite is @supabase/lite on PGlite, PostgreSQL inside its process.
	LitePGlite Kind = "lite-pglite"
	// LitePostgres is @supabase/lite on a PostgreSQL of this package.
	LitePostgres Kind = "lite-postgres"
	// PostgREST is PostgREST on a PostgreSQL of this package.
	PostgREST Kind = "postgrest"
	// Given runs already: the environment says where.
	Given Kind = "given"
)

// Kinds are all kinds that are started here.
func Kinds() []Kind { return []Kind{LitePGlite, LitePostgres, PostgREST} }

// Missing returns a *MissingError if this machine lacks a program that servers of
// the kind need, besides PostgreSQL's.
func (k Kind) Missing() error {
	if k == PostgREST {
		_, err := postgrestProgram()
		return err
	}
	_, err := nodeProgram()
	return err
}

// Options say how a REST server is to be.
type Options struct {
	// Migrations are applied before the server starts: the SQL files at the
	// top of the file system, in the order of their names.
	Migrations fs.FS
	// Postgres is where the server's database is made; LitePGlite has none.
	Postgres *Postgres
	// MaxRows is the most rows that a read returns. Defaults to 1,000, as on
	// Supabase.
	MaxRows int
	// StatementTimeout ends service_role's statements. Defaults to that of
	// Postgres; LitePGlite has none, as nothing interrupts PGlite.
	StatementTimeout time.Duration
}

const defaultMaxRows = 1000

// Start starts a server with a database of its own. Stop it.
func Start(ctx context.Context, kind Kind, options Options) (*REST, error) {
	if options.MaxRows == 0 {
		options.MaxRows = defaultMaxRows
	}
	begin := map[Kind]func(context.Context, Options) (*REST, error){
		LitePGlite: startLitePGlite, LitePostgres: startLitePostgres, PostgREST: startPostgREST,
	}[kind]
	if begin == nil {
		return nil, fmt.Errorf("start %s: no such kind of server to start", kind)
	}
	server, err := begin(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", kind, err)
	}
	return server, nil
}

// newDatabase makes the database that a server is to serve.
func (o Options) newDatabase(ctx context.Context) (*Database, error) {
	if o.Postgres == nil {
		return nil, errors.New("Options.Postgres is not set")
	}
	database, err := o.Postgres.NewDatabase(ctx, o.Migrations)
	if err != nil {
		return nil, err
	}
	if o.StatementTimeout != 0 {
		err = database.SetStatementTimeout(ctx, o.StatementTimeout)
	}
	return database, err
}
