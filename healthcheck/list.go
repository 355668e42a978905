package healthcheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
)

// FindAllOptions narrow a list. The zero value narrows nothing.
type FindAllOptions struct {
	// Limit is the most rows to return. 0 means 100 for FindAll, and no limit for
	// All.
	Limit int
	// ServiceName lists one service's checks. "" means every service.
	ServiceName string
	// Status lists the checks of one status, be it one that a newer schema has. ""
	// means every status.
	Status Status
	// By is what orders the checks, and what Since and Until bound. Defaults to
	// CreatedAt.
	By TimeColumn
	// Since and Until list the checks whose time is within [Since, Until). A zero
	// time is no bound; with either, checks whose time is NULL are left out.
	Since, Until time.Time
}

// TimeColumn is one of a check's two times.
type TimeColumn string

// The times of a check. After an outage they are far apart: what a Recorder held is
// stored when it is over.
const (
	CreatedAt TimeColumn = ""           // when the row was stored
	CheckedAt TimeColumn = "checked_at" // when the probe ran
)

const defaultLimit = 100

// FindAll lists checks, newest first. A limit above what the server returns at once
// (1,000 rows on Supabase) is honoured, in pages, which become smaller where they
// are too large or too slow to come whole. Checks whose time is NULL come last.
// Without checks it returns an empty slice.
func (m HealthCheckModel) FindAll(ctx context.Context, options FindAllOptions) (found []ServiceHealthCheck, err error) {
	if options.Limit == 0 {
		options.Limit = defaultLimit
	}
	op := checks.Begin(operation.Select, operation.Service(options.ServiceName))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, options.check()); err != nil {
		return nil, err
	}
	return op.List(options.listing()).Collect(ctx)
}

// All yields checks, newest first, page after page: it holds 1,000 of them at a
// time, however many there are. An error comes once, last. It is one
// operation, which ends when the loop does; each loop over the iterator is
// another.
//
// The pages are no snapshot. A check that is there all along is yielded exactly
// once. Those that are created meanwhile come before the page and are not seen;
// those that are deleted are not, or no longer.
func (m HealthCheckModel) All(ctx context.Context, options FindAllOptions) iter.Seq2[ServiceHealthCheck, error] {
	return func(yield func(ServiceHealthCheck, error) bool) {
		op := checks.Begin(operation.Select, operation.Service(options.ServiceName))
		err := op.Open(ctx, m.Connect, options.check())
		if err == nil {
			err = op.List(options.listing()).Each(ctx, yield)
		}
		op.End(ctx, &err)
		if err != nil {
			yield(ServiceHealthCheck{}, err)
		}
	}
}

func (options FindAllOptions) check() error {
	var by error
	if options.By != CreatedAt && options.By != CheckedAt {
		by = fmt.Errorf("by must be CreatedAt or CheckedAt, not %.40q", options.By)
	}
	return errors.Join(options.listing().Check(), by)
}

func (options FindAllOptions) listing() operation.Listing {
	return operation.Listing{
		Where: []operation.Filter{operation.Service(options.ServiceName), {Column: "status", Value: string(options.Status)}},
		By:    cmp.Or(string(options.By), "created_at"),
		Limit: options.Limit,
		Since: options.Since,
		Until: options.Until,
	}
}
