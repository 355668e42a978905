package realserver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
)

// Ports are taken from below the range in which systems choose ports for
// outgoing connections. In that range a client that keeps dialling a server
// which is just being restarted would, sooner or later, be given the server's
// own port: it then talks to itself, and the server cannot come back.
const firstPort, lastPort = 15000, 32000

// freePort returns a port on loopback that nothing listens on. Another process
// may take it before it is used: see withPort.
func freePort(ctx context.Context) (int, error) {
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // not a secret
		var listener net.Listener
		var config net.ListenConfig
		if listener, err = config.Listen(ctx, "tcp", address(port)); err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("no free port: %w", err)
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// errPortTaken is why a server that could not listen did not start.
var errPortTaken = errors.New("port is taken")

// withPort starts a server on a free port, and on another one when somebody was
// faster.
func withPort(ctx context.Context, start func(port int) error) error {
	var err error
	for range 5 {
		var port int
		if port, err = freePort(ctx); err != nil {
			return err
		}
		if err = start(port); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}

// portTaken tells from a server's log that it could not listen.
func portTaken(log string) bool {
	return strings.Contains(log, "EADDRINUSE") || strings.Contains(strings.ToLower(log), "address already in use")
}
