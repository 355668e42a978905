// Package clients has the Go clients that the bench compares: each does the
// same work, in the way that its own documentation shows.
package clients

import (
	"context"
	"errors"
	"fmt"
	"time"
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
	// PostgresTimes says that timestamps come in PostgreSQL's own text.
	PostgresTimes bool
}

// Operation is a case of one client. n counts the calls.
type Operation func(ctx context.Context, n int) error

// Open returns what a client can do. Ours takes its target from the environment.
func Open(name Name, target Target) (map[Case]Operation, error) {
	if name == Ours {
		return openOurs(newWork()), nil
	}
	if target.PostgresTimes {
		return open[pgTime](name, target)
	}
	return open[time.Time](name, target)
}

func open[T Times](name Name, target Target) (map[Case]Operation, error) {
	switch name {
	case HandWritten:
		return openHandWritten[T](target, newWork()), nil
	case PostgrestGo:
		return openPostgrestGo[T](target, newWork())
	case SupabaseGo:
		return openSupabaseGo[T](target, newWork())
	case Ours, PostgrestJS:
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
		return errors.New("the row has no id")
	}
	return nil
}
