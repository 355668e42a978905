// Package clients has the Go clients that the bench compares: each does the
// same work, in the way that its own documentation shows.
package clients

import (
	"context"
	"fmt"
)

// Name is a client's.
type Name string

// The clients, the one that the others are compared with first.
const (
	HandWritten Name = "hand-written"
	PostgrestGo Name = "postgrest-go"
	SupabaseGo  Name = "supabase-go"
	Ours        Name = "supavigil"
	PostgrestJS Name = "postgrest-js" // a program for Node, not of this package
)

// Names are all clients.
func Names() []Name { return []Name{HandWritten, PostgrestGo, SupabaseGo, Ours, PostgrestJS} }

// Target is the server to speak to.
type Target struct {
	URL     string // the project's; "" for a bare PostgREST
	RESTURL string
	Key     string // service_role's
}

// Operation is a case of one client. n counts the calls.
type Operation func(ctx context.Context, n int) error

// Open returns what a client can do. Ours takes its target from the environment.
func Open(name Name, target Target) (map[Case]Operation, error) {
	w := newWork()
	switch name {
	case HandWritten:
		return openHandWritten(target, w), nil
	case PostgrestGo:
		return openPostgrestGo(target, w)
	case SupabaseGo:
		return openSupabaseGo(target, w)
	case Ours:
		return openOurs(w), nil
	case PostgrestJS:
	}
	return nil, fmt.Errorf("%s is no client in Go", name)
}

// counted fails where an answer has another number of rows than was asked for.
func counted(got, want int) error {
	if got != want {
		return fmt.Errorf("%d rows, not %d", got, want)
	}
	return nil
}

// identified fails where a row lacks what every row has.
func identified(id string) error {
	if id == "" {
		return fmt.Errorf("the row has no id")
	}
	return nil
}
