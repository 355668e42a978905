// Package history proves migration 017 on PostgreSQL and PGlite themselves: that its
// functions answer what the reference beside computes from the checks, whatever is
// stored, repeated, deleted and rebuilt, that it stays exact while many write, and what
// it costs.
package history

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(realserver.Main(m)) }

// long says that the tests are to run in their long form.
func long() bool { return os.Getenv("SUPAVIGIL_LONG") == "1" }

// start starts @supabase/lite on a database of its own, and opens a connection of the
// owner's to that.
func start(t testing.TB) (*realserver.REST, *pgx.Conn) {
	t.Helper()
	server, err := realserver.Start(context.Background(), realserver.LitePostgres, realserver.Options{
		Migrations: migrations.FS, Postgres: realserver.SharedPostgres(t),
	})
	realserver.Need(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	conn, err := pgx.Connect(context.Background(), server.DatabaseURL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	return server, conn
}
