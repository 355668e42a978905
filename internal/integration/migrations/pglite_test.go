package migrations_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/integration/realserver"
)

// What the proofs on PGlite stand on.
func TestPGliteAnswersSQL(t *testing.T) {
	t.Parallel()
	database, err := realserver.StartPGlite(t.Context())
	realserver.Need(t, err)
	rows, err := database.Query(t.Context(), "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (NULL); SELECT a::text FROM t ORDER BY a")
	require.NoError(t, err)
	require.Equal(t, [][]*string{{new("1")}, {nil}}, rows)
	_, err = database.Query(t.Context(), "SELECT nope")
	var refused *pgconn.PgError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "42703", refused.Code)

	other, err := realserver.StartPGlite(t.Context())
	require.NoError(t, err)
	rows, err = other.Query(t.Context(), "SELECT to_regclass('t')")
	require.NoError(t, err)
	require.Equal(t, [][]*string{{nil}}, rows, "each is a database of its own")
	require.NoError(t, other.Close())
	require.NoError(t, database.Close())
}
