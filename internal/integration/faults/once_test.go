package faults_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

var ascending = &postgrest.OrderOpts{Ascending: true}

const (
	// What the network loses.
	lostRequests, lostAnswers = 0.1, 0.2
)

// enough is more than anything here takes that comes to an end, on any machine.
func enough() time.Duration { return time.Duration(bounded(5, 30)) * time.Minute }

// killable are the kinds of servers on a PostgreSQL, which can be killed.
var killable = []realserver.Kind{realserver.LitePostgres, realserver.PostgREST}

// onKinds runs a test on the double, and on real servers of these kinds.
func onKinds(t *testing.T, kinds []realserver.Kind, test func(t *testing.T, good supabase.Config)) {
	t.Helper()
	t.Run("double", func(t *testing.T) {
		t.Parallel()
		server := supabasetest.NewServer()
		t.Cleanup(server.Close)
		test(t, server.Config())
	})
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server := start(t, kind, nil)
			test(t, server.Config())
		})
	}
}

// startBoth starts a server on a PostgreSQL of its own.
func startBoth(t *testing.T, kind realserver.Kind) (*realserver.REST, *realserver.Postgres) {
	t.Helper()
	realserver.Need(t, kind.Missing())
	postgres, err := realserver.StartPostgres(t.Context(), realserver.PostgresOptions{})
	realserver.Need(t, err)
	t.Cleanup(func() { require.NoError(t, postgres.Stop()) })
	return start(t, kind, postgres), postgres
}

// start starts a server with a database of its own, on a PostgreSQL of its own
// or, with nil, on the shared one.
func start(t *testing.T, kind realserver.Kind, postgres *realserver.Postgres) *realserver.REST {
	t.Helper()
	realserver.Need(t, kind.Missing())
	if postgres == nil {
		postgres = realserver.SharedPostgres(t)
	}
	server, err := realserver.Start(t.Context(), kind, realserver.Options{Migrations: migrations.FS, Postgres: postgres})
	realserver.Need(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	return server
}

// through returns the configuration of a server as it is seen through a proxy.
func through(t *testing.T, good supabase.Config) (supabase.Config, *lossy) {
	t.Helper()
	base := good.URL
	if good.RESTURL != "" {
		base = good.RESTURL
	}
	server, err := url.Parse(base)
	require.NoError(t, err)
	proxy := newLossy(t, "http://"+server.Host, lostRequests, lostAnswers)
	bad := good
	if good.URL != "" {
		bad.URL = proxy.URL + server.Path
	}
	if good.RESTURL != "" {
		bad.RESTURL = proxy.URL + server.Path
	}
	bad.Timeout = 3 * time.Second
	return bad, proxy
}

// A network that loses every tenth request and every fifth answer. Before real
// servers it does so in the tests that kill them; at full length here as well.
func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	kinds := killable
	if !long() {
		kinds = nil
	}
	onKinds(t, kinds, func(t *testing.T, good supabase.Config) {
		t.Helper()
		bad, proxy := through(t, good)
		l := newLedger(good, bad, bounded(150, 10_000))
		l.stock(t)
		l.settle(t, proxy, func(int) {})
	})
}

// settle runs a ledger to its end, and reports.
func (l *ledger) settle(t *testing.T, proxy *lossy, each func(done int)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), enough())
	defer cancel()
	began := time.Now()
	l.run(ctx, each)
	took := time.Since(began).Round(time.Second)
	failed := l.verify(t)
	t.Logf("%d creates, acknowledges, deletes and creates of many each in %v: %d calls failed; %d requests, %d lost; %d answers, %d lost; 0 rows lost, 0 doubled",
		l.size, took, failed, proxy.requests.Load(), proxy.lostRequests.Load(), proxy.answers.Load(), proxy.lostAnswers.Load())
	require.Positive(t, proxy.lostRequests.Load())
	require.Positive(t, proxy.lostAnswers.Load())
}
