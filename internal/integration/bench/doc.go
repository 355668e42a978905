// Bench compares this library with what one would use in its place:
//
//	go -C internal/integration run ./bench           # about 12 minutes on two processors
//	go -C internal/integration run ./bench -quick    # under a minute, and as rough
//	go -C internal/integration run ./bench -real     # a real server too: two minutes more
//
// It prints a table for each case and one of the goals, and writes results.json,
// with every single measurement, and three plots into the folder -out.
//
// # The clients
//
//   - hand-written: net/http and encoding/json as a good engineer writes them, with
//     one pool of 64 connections, a time limit, and nothing that this library does
//     beside the request: no validation, retries or log.
//   - postgrest-go and supabase-go as their READMEs show: one client, ExecuteTo or
//     Execute, no context, and net/http's default pool of two idle connections.
//   - supavigil: this library as its README shows: zero models, the project from
//     the environment.
//   - postgrest-js, where Node and npm are there: one client, and as many calls
//     under way as there are callers. It warms up for eight times as long, since V8
//     goes on compiling; its allocations are not measured, and over HTTP/2 it is
//     left out, as Node's fetch does not speak it.
//
// All send the same columns and filters and decode the same rows, into structs
// with the same fields; what they send is made beforehand.
//
// # The method
//
// The server is a process of its own and answers everything half a millisecond
// after it came, with bytes made beforehand, over HTTP/1.1, TLS with HTTP/1.1 and
// TLS with HTTP/2. Each measurement is a process of its own as well, which makes
// its client, warms up, and then calls from all its callers for -duration. So
// processor time (getrusage), allocations (runtime.MemStats) and connections (as
// the server counts them, from the start of the process) are the client's alone.
// Go's settings are the defaults: GOGC and the like are taken out of the environment.
//
// At each cell, a case with so many callers over a protocol, the clients follow on
// one another, and the whole is repeated -rounds times, each time starting with
// another client. A value is the median of the rounds, with half the distance
// between the extremes; a ratio is taken within each round, between measurements
// seconds apart, and is the better figure on a machine that is not quiet. Server
// and client share the processors: requests per second are those of both, and only
// the ratios and the processor time speak of the client.
//
// With -real the cases run, with 64 callers, on PostgREST, or @supabase/lite where
// that is missing, over a PostgreSQL with 20,000 checks that starts for it: there
// the server is what costs. Connections are not counted there.
//
// # What to compare
//
// The grid has all cases with 64 callers over all protocols. Other numbers of
// callers are measured over HTTP/1.1, lists of 1,000 rows with one caller only, and
// over TLS with Create alone. -full has everything, and takes twice as long.
// -clients, -cases, -callers and -protocols narrow it, so that one question takes
// seconds:
//
//	go -C internal/integration run ./bench -protocols http1 -callers 64 -cases Create -clients hand-written,supavigil -rounds 5
//
// To see what this library spends beyond hand-written, let both write profiles of
// as many requests:
//
//	go -C internal/integration run ./bench -protocols http1 -callers 64 -cases Create -rounds 1 -requests 100000 -profile /tmp/profiles
//	go tool pprof -top -diff_base /tmp/profiles/hand-written-Create-http1-64-round1.pprof /tmp/profiles/supavigil-Create-http1-64-round1.pprof
//
// The certificate of the canned server takes the place of the system's through
// SSL_CERT_FILE, which Go reads on Linux and other Unixes but macOS: there only
// -protocols http1 works.
package main
