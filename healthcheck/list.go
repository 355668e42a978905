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

// FindAllOptions narrow a list. The zero value lists everything.
type FindAllOptions struct {
	Limit        int        // 0: 100 for FindAll, no limit for All
	ServiceName  string     // "": every service
	Status       Status     // "": every status
	By           TimeColumn // the order, and what Since and Until bound
	Since, Until time.Time  // times in [Since, Until); zero: no bound
}

// TimeColumn is a check's time. After an outage the two may be far apart.
type TimeColumn string

// The times.
const (
	CreatedAt TimeColumn = ""           // when the row was stored, the default
	CheckedAt TimeColumn = "checked_at" // when the probe ran
)

const defaultLimit = 100

// FindAll lists checks, newest first; none is an empty slice. It reads in pages, so
// that the server's limit of rows (1,000 on Supabase) does not cut the list; pages
// that are too large or too slow are made smaller.
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

// All yields checks, newest first, and holds 1,000 of them at a time. An error comes
// once, last. Each loop is one operation, which ends with the loop.
// The pages are not a snapshot: checks created meanwhile are not yielded, deleted ones
// may be, and all others are yielded exactly once.
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
