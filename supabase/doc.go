// Package supabase is a client of one Supabase project with its service-role key,
// for programs that must keep working while other things fail. The models of
// packages healthcheck and alertevent open one for each operation; for other tables
// and functions there are [Client.From] and [Client.RPC]. [ConfigFromEnv] lists the
// environment variables.
//
// # Errors
//
// Every failure of an operation is an [*Error], found with errors.As. Its class is
// found with errors.Is: [ErrInvalid], [ErrNotFound], [ErrConflict], [ErrPermission],
// [ErrSchema] or [ErrUnavailable]. An answer has none if it cannot be decoded, is larger
// than 64 MiB, has rows that were not asked for, came from another URL, or has another
// status below 500.
//
// The models check their arguments before any I/O; their ErrInvalid names every
// fault: the column, its limit and, if short, the value. Finders of one row return
// nil and no error when there is none.
//
// context.Canceled and context.DeadlineExceeded are found only when the caller's
// context ended the operation: alone if that was during an attempt, together with
// the last failure's class if it was between two.
//
// # Retries
//
// A request has up to [Config.MaxAttempts] attempts, each within [Config.Timeout].
// Before the next one the client waits 100 ms, doubling to 5 s, times a random factor
// in [½, 1], or as long as Retry-After asks, up to 30 s, if that is longer. It does
// not begin a wait that would outlast the context's deadline. Nothing else limits
// the total time, nor a wait for a free connection: give operations a deadline.
//
// A request that never ran is always retried: it failed before it was sent (dial,
// proxy, TLS handshake), or PostgREST answered that it had no connection or no schema
// cache. One that may have run is retried only if running twice has the same effect
// as once: GET, HEAD, and everything that the models do, whose writes carry ids or
// conditions. These are retried after no answer, 408, 429, and 500 and above, except
// 501, a statement timeout (57014), and a 500 with an SQLSTATE unless it is of
// contention. After a lost answer the models look at the table before they return an
// error: only if that fails is [Error.Uncertain] set.
//
// # Logging
//
// Each operation of a model writes one event to the zerolog logger in its context:
// info for writes, debug for reads, error for failures. Its fields are table,
// service_name or id, status, code, requests, retries, duration_ms, rows and error,
// never row data or the key. Without a logger nothing is written.
//
// # Clocks
//
// created_at, and checked_at unless it is given, are set by the database's clock.
// This machine's clock sets the times of Acknowledge and Resolve, the checked_at of a
// recorded check, and the time from which days and minutes are counted back.
//
// # Concurrency
//
// Clients, Configs and models are safe for concurrent use. All clients of a host
// share one connection pool, unless [Config.Transport] is set.
package supabase
