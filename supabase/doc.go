// Package supabase is a client of one Supabase project, with its service-role
// key, for programs that must keep working while other things fail. The models
// of packages healthcheck and alertevent open one per operation; a program that
// wants other tables or functions uses [Client.From] and [Client.RPC].
//
// A [Config] says which project, and how patiently; [ConfigFromEnv] reads it
// from the environment:
//
//	SUPABASE_URL          the project's URL, https://abc.supabase.co
//	SUPABASE_REST_URL     a bare PostgREST's URL, instead or beside
//	SUPABASE_SERVICE_KEY  the service-role key, sb_secret_… or a JWT; the names
//	                      SUPABASE_SERVICE_ROLE_KEY and SUPABASE_SECRET_KEY work too
//	SUPABASE_SCHEMA       the tables' schema, public by default
//
// # Errors
//
// Every failure of an operation is an [*Error], found with errors.As. Its class
// is found with errors.Is:
//
//   - [ErrInvalid]: refused before any I/O; nothing was sent. Fix the call.
//   - [ErrNotFound]: one row was asked for and there is none.
//   - [ErrConflict]: 409, such as a row with that id.
//   - [ErrPermission]: 401 or 403; the key, or the grants of the migrations.
//   - [ErrSchema]: a table, column, function or schema is not there, or not
//     exposed; the text names the migration that makes it.
//   - [ErrUnavailable]: no answer came, or 429, or 500 and above. Trying later
//     may help.
//
// Error.Uncertain says of a write that it may have been carried out all the same.
//
// An answer that cannot be decoded, is larger than 64 MiB, or came from another
// URL than was asked, has no class.
// context.Canceled and context.DeadlineExceeded are found only when the
// caller's own context ended the operation. When it ended during a try, that
// alone is the class; between tries, the last failure's class is found as well.
//
// Error() is one line without the row's data, the query, the headers and the
// key. Details can hold row data: log it knowingly. Whatever a server echoes,
// its words here are without the key, and without 12 bytes of it in a row.
//
// # Retries
//
// An attempt has a time limit (Config.Timeout, 10 s), and an operation up to
// Config.MaxAttempts of them (4). Between two it waits 100 ms, doubling to 5 s,
// times a random factor in [½, 1], or what Retry-After asks for if that is
// longer, of which at most 30 s count. A wait that would outlast the context's
// deadline is not begun. So without a deadline a hanging server costs up to
// attempts × timeout and the waits between, and the wait for a place in the pool;
// give operations a deadline.
//
// What never ran is tried again, whatever it is: what failed before the request
// could leave (dial, proxy, TLS handshake), and PostgREST's PGRST000, PGRST002,
// PGRST003, and PGRST303 for a token issued in the future. What may have run is tried again only where doing it twice is the
// same as once: GET, HEAD, and the models' own writes, which carry their ids or
// conditions. These are tried again after no answer, 408, 429, and 500 and
// above, except 501, a statement timeout (57014), and a 500 with an SQLSTATE
// other than contention's (40001, 40P01, 55P03, 53300).
//
// # Concurrency
//
// A Client, and a Config, may be used by many goroutines. All clients of a host
// share one connection pool, unless Config.Transport says otherwise.
package supabase
