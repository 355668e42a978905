package realserver

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestSharedServersAreStartedOnce(t *testing.T) {
	t.Parallel()
	postgres := SharedPostgres(t)
	require.Same(t, postgres, SharedPostgres(t))
	first := Shared(t, LitePostgres, things)
	require.Same(t, first, Shared(t, LitePostgres, things))
	other := Shared(t, LitePostgres, fstest.MapFS{})
	require.NotEqual(t, first.RESTURL, other.RESTURL)
	require.Equal(t, postgres.port, first.Database.postgres.port)
}
