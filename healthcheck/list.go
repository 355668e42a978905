package healthcheck

import (
	"context"
	"iter"
	"time"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

// FindAllOptions narrow a list. The zero value narrows nothing.
type FindAllOptions struct {
	// Limit is the most rows to return. 0 means 100 for FindAll, and no limit for
	// All.
	Limit int
	// ServiceName lists one service's checks. "" means every service.
	ServiceName string
	// Status lists the checks of one status. "" means every status.
	Status Status
	// Since and Until list the checks whose created_at is within [Since, Until).
	// A zero time is no bound; with either, checks whose created_at is NULL are
	// left out.
	Since, Until time.Time
}

const defaultLimit = 100

// FindAll lists checks, newest created_at first. A limit above what the server
// returns at once (1,000 rows on Supabase) is honoured, in pages. Checks whose
// created_at is NULL come last. Without checks it returns an empty slice.
func (m HealthCheckModel) FindAll(ctx context.Context, options FindAllOptions) ([]ServiceHealthCheck, error) {
	if options.Limit == 0 {
		options.Limit = defaultLimit
	}
	o := operation.Begin(operation.Select, table, "service_name", options.ServiceName)
	return operation.Run(ctx, o, m.Connect, options.problems(), func(client *supabase.Client) ([]ServiceHealthCheck, error) {
		return operation.Collect(operation.List(ctx, o, options.listing(client), shape))
	})
}

// All yields checks, newest created_at first, page after page: it holds 1,000 of
// them at a time, however many there are. An error comes once, last. It is one
// operation, which ends when the loop does; each loop over the iterator is
// another.
//
// The pages are no snapshot. A check that is there all along is yielded exactly
// once. Those that are created meanwhile come before the page and are not seen;
// those that are deleted are not, or no longer.
func (m HealthCheckModel) All(ctx context.Context, options FindAllOptions) iter.Seq2[ServiceHealthCheck, error] {
	return func(yield func(ServiceHealthCheck, error) bool) {
		o := operation.Begin(operation.Select, table, "service_name", options.ServiceName)
		operation.Each(ctx, o, m.Connect, options.problems(), func(client *supabase.Client) iter.Seq2[*ServiceHealthCheck, error] {
			return operation.List(ctx, o, options.listing(client), shape)
		}, yield)
	}
}

func (options FindAllOptions) problems() []string {
	problems := []string{
		column.Limit(options.Limit),
		column.OptionalServiceName(options.ServiceName),
		column.Period(options.Since, options.Until),
	}
	if options.Status != "" {
		problems = append(problems, checkStatus(options.Status))
	}
	return problems
}

func (options FindAllOptions) listing(client *supabase.Client) operation.Listing {
	listing := operation.Listing{
		Query: func() *postgrest.FilterBuilder {
			query := client.From(table).Select("*", "", false)
			if options.ServiceName != "" {
				query = query.Eq("service_name", options.ServiceName)
			}
			if options.Status != "" {
				query = query.Eq("status", string(options.Status))
			}
			return query
		},
		Order: operation.Newest,
		Limit: options.Limit,
		Since: options.Since,
		Until: options.Until,
	}
	if options.ServiceName != "" || options.Status != "" {
		listing.Order = operation.NewestOfSome
	}
	return listing
}
