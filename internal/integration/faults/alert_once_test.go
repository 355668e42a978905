package faults_test

import (
	"testing"

	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/supabase"
)

// One alert of a key is open, one caller is told of each change, and histories are what
// happened, on a network that loses every tenth request and every fifth answer.
func TestAlertsExactlyOnce(t *testing.T) {
	t.Parallel()
	onKinds(t, []realserver.Kind{realserver.LitePGlite}, func(t *testing.T, good supabase.Config) {
		t.Helper()
		bad, proxy := through(t, good)
		newAlertLedger(good, bad, bounded(100, 10_000)).settle(t, proxy, func(int) {})
	})
}

// As well while the REST server is killed, and PostgreSQL goes down as it does for
// maintenance and as in a crash.
func TestAlertsExactlyOnceWhileServersCrash(t *testing.T) {
	t.Parallel()
	for _, kind := range killable {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server, postgres := startBoth(t, kind)
			crash(t, server.Config(), bounded(2, 6), func(good, bad supabase.Config) book {
				return newAlertLedger(good, bad, bounded(100, 10_000))
			}, func(n int) error {
				if n%3 == 1 {
					if err := server.Kill(); err != nil {
						return err
					}
					return server.Restart(t.Context())
				}
				how := realserver.Fast
				if n%3 == 0 {
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
