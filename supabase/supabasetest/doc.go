// Package supabasetest provides a Supabase project for tests: an in-process
// double of PostgREST that holds the tables service_health_checks and
// alert_events in memory. Services that import supavigil test against it
// without a database:
//
//	server := supabasetest.NewServer()
//	defer server.Close()
//	connect := server.Config().ServiceClient
//
// The tables are those of the migrations, with their defaults and CHECK
// constraints, and empty at first.
//
// # What it answers
//
// It answers as PostgREST 16.2 on PostgreSQL 15 was recorded to, and as their
// documentation and source say where a recording does not reach: reads with
// filters, logic trees, order, limit, offset, a Range header and exact counts;
// inserts, upserts on the primary key, updates and deletes with their
// preferences; a single object for application/vnd.pgrst.object+json; the function
// latest_service_health_checks and those for alerts and history of the migrations, and functions of your own
// ([Server.HandleRPC]); and the errors of all these. A write that is refused
// changes nothing.
//
// Everything else, such as casts, embedding, JSON paths, CSV or PUT, it answers
// with 501, a JSON error body with the code SUPABASETEST, and a message that
// says what is missing. It never guesses.
//
// # What it does not do
//
//   - Hints that PostgreSQL and PostgREST find by likeness ("Perhaps you
//     meant…") are null.
//   - Without an order, rows come as they were inserted, updated ones last. That
//     is how PostgreSQL often has them, and never promises.
//   - Text compares bytewise, as in the collation C.
//   - A DELETE or PATCH without filters is carried out, as PostgREST does.
//     Supabase refuses it (21000).
//   - There is no gateway: no rate limit, no HTML errors, no check of apikey
//     beside Authorization. [Server.Intercept] plays such parts.
//
// # Who may do what
//
// [Server.Key] may do everything, and does not expire. A request without a key is anonymous, and meets
// tables with grants for anon, row-level security and no policies: it reads no
// rows, changes none, and its inserts are refused (42501, 401), as is the function. Any other
// token is refused with 401.
//
// # Rows
//
// [Server.Insert] puts rows into a table without a request, and [Server.Rows]
// returns those that are there.
//
// # Faults
//
// [Server.Intercept] takes one request away from the double, to answer it
// differently, late or not at all. [Server.SetDown] refuses all until told
// otherwise. [Server.Requests] returns all that came in.
//
// # Time
//
// [Server.Transport] serves without the network, so that a test can run in a
// bubble of testing/synctest, where retries, time limits and windows of minutes
// take no time. NewServer and Config know when they are called in one:
//
//	synctest.Test(t, func(t *testing.T) {
//		server := supabasetest.NewServer()
//		defer server.Close()
//		server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
//			<-r.Context().Done() // the time limit of an attempt: 10 s
//			return true
//		})
//		model := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
//		checks, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{}) // the second attempt's
//
// A server made outside works too, with [Server.Transport] for a
// [supabase.Config]'s Transport; it is closed where it was made. The clock of
// defaults, created_at among them, is that of the bubble: it begins at midnight
// UTC on 2000-01-01.
package supabasetest
