// Package healthcheck stores what probes saw in the table service_health_checks
// of a Supabase project, and finds it again.
//
// The zero [HealthCheckModel] works with the project that the environment names
// (see [github.com/supavigil/supavigil/supabase.ConfigFromEnv]):
//
//	var checks healthcheck.HealthCheckModel
//	check, err := checks.Create(ctx, healthcheck.CreateHealthCheckData{
//		ServiceName: "api",
//		Status:      healthcheck.StatusHealthy,
//		LatencyMS:   new(12),
//	})
//
// Each operation opens a client, which costs microseconds, so a changed
// environment is seen by the next one. For another project, or a test, set
// Connect to the ServiceClient method of a supabase.Config.
//
// # Errors
//
// Every error is a [*github.com/supavigil/supavigil/supabase.Error], with the
// classes of package supabase. Bad input is ErrInvalid before any I/O, and the
// error names every fault: the column, its limit and, where short, the value.
// A finder of one row returns nil and no error where there is none. A row that was
// not asked for, which a server that ignores a filter may send, is an error.
//
// # Many at once
//
// CreateMany stores any number of checks, 1,000 to a request. FindAll returns a
// list, and All goes through one of any length in constant memory. FindLatest
// returns the latest check of every service. DeleteOlderThan deletes in slices
// that stay far below the time limit of a statement.
//
// A [Recorder] takes checks from probes without making them wait, and stores them
// in batches; over an outage it holds them, within bounds.
//
// # Retries
//
// Every operation may be repeated safely, and is, as package supabase says: the
// rows of Create and CreateMany carry their ids, so they are stored once though
// answers are lost.
//
// # Logging
//
// One zerolog event per operation goes to the logger in the context
// ([github.com/rs/zerolog.Ctx]): info for writes, debug for reads, error for
// failures. It has table, service_name, status, code, attempts, duration (in
// milliseconds, unless zerolog is told otherwise) and rows, never the row's
// details or the key. Without a logger there is silence.
//
// # Clocks
//
// DeleteOlderThan counts back from this machine's clock. created_at, and
// checked_at unless it is given, are the database's. FindLatestByService and
// FindLatest go by checked_at, DeleteOlderThan by created_at, and FindAll and All by
// the one that their By names: where probers' clocks differ, so can the two.
package healthcheck
