package faults_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/supabase"
)

// The REST server is killed and restarted, at full length five times, on the
// network that loses what it loses anyway.
func TestExactlyOnceWhileServerCrashes(t *testing.T) {
	t.Parallel()
	for _, kind := range killable {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server := start(t, kind, nil)
			crash(t, server.Config(), bounded(2, 5), ledgerOfRows, func(int) error {
				if err := server.Kill(); err != nil {
					return err
				}
				return server.Restart(t.Context())
			})
		})
	}
}

// PostgreSQL goes down as often, as it does for maintenance and as in a crash.
func TestExactlyOnceWhileDatabaseCrashes(t *testing.T) {
	t.Parallel()
	for _, kind := range killable {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server, postgres := startBoth(t, kind)
			crash(t, server.Config(), bounded(2, 5), ledgerOfRows, func(n int) error {
				how := realserver.Fast
				if n%2 == 1 {
					how = realserver.Immediate
				}
				if err := postgres.Shutdown(how); err != nil {
					return err
				}
				return postgres.Restart(t.Context())
			})
		})
	}
}

// A book is a ledger of one kind or the other.
type book interface {
	items() int
	stock(t *testing.T)
	settle(t *testing.T, proxy *lossy, each func(done int))
}

func ledgerOfRows(good, bad supabase.Config) book {
	return newLedger(good, bad, bounded(100, 10_000))
}

// crash runs a ledger while a server goes down and comes back, so many times at even
// steps of the work.
func crash(t *testing.T, good supabase.Config, crashes int, open func(good, bad supabase.Config) book, downAndUp func(n int) error) {
	t.Helper()
	bad, proxy := through(t, good)
	bad.MaxAttempts = 12 // half a minute of waiting: longer than a restart takes
	l := open(good, bad)
	l.stock(t)

	steps := make(chan int, crashes)
	var controller sync.WaitGroup
	var crashed int
	controller.Go(func() {
		for n := range steps {
			assert.NoError(t, downAndUp(n), "the server did not come back")
			crashed++
		}
	})
	l.settle(t, proxy, func(done int) {
		if step := l.items() / (crashes + 1); done%step == 0 && done/step <= crashes {
			steps <- done / step
		}
	})
	close(steps)
	controller.Wait()
	require.Equal(t, crashes, crashed)
}
