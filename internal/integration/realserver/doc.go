// Package realserver starts real servers for tests: PostgreSQL with Supabase's
// roles, @supabase/lite on PGlite and on that PostgreSQL, and PostgREST on it.
// They listen on loopback, live in temporary folders, and are gone afterwards,
// however the test process ended: by passing, failing, panicking, os.Exit, an
// interrupt or SIGKILL. See folder for how.
//
// A package whose tests share servers has a TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(realserver.Main(m).Run()) }
//
// and its tests ask for them:
//
//	server := realserver.Shared(t, realserver.LitePostgres, migrations.FS)
//	model := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
//
// What a test breaks, it starts for itself with Start or StartPostgres.
//
// A missing program (PostgreSQL, Node, npm) skips a test with a reason, but
// fails it where CI=true; only PostgREST may be missing there.
package realserver
