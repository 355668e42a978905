package realserver

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithPort(t *testing.T) {
	t.Parallel()
	tries := 0
	require.NoError(t, withPort(t.Context(), func(port int) error {
		tries++
		if tries < 3 {
			return fmt.Errorf("start: %w", errPortTaken)
		}
		var config net.ListenConfig
		listener, err := config.Listen(t.Context(), "tcp", address(port))
		require.NoError(t, err)
		return listener.Close()
	}))
	require.Equal(t, 3, tries)
	require.ErrorIs(t, withPort(t.Context(), func(int) error { return errPortTaken }), errPortTaken)
	require.ErrorContains(t, withPort(t.Context(), func(int) error { return errors.New("other") }), "other")
}

// Whoever was faster on a port makes the servers say so, each in its words.
func TestTakenPortIsToldFromTheLog(t *testing.T) {
	t.Parallel()
	require.True(t, portTaken("Error: listen EADDRINUSE: address already in use 127.0.0.1:20000"))
	require.True(t, portTaken(`could not bind IPv4 address "127.0.0.1": Address already in use`))
	require.False(t, portTaken("out of memory"))

	server := startPostgres(t, PostgresOptions{})
	var config net.ListenConfig
	require.NoError(t, server.Shutdown(Fast))
	listener, err := config.Listen(t.Context(), "tcp", address(server.port))
	require.NoError(t, err)
	require.ErrorIs(t, server.start(t.Context()), errPortTaken)
	require.NoError(t, listener.Close())
	require.NoError(t, server.Restart(t.Context()))
}
