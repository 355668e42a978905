package healthcheck

import (
	"context"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

const table = "service_health_checks"

// HealthCheckModel stores and finds health checks. Its zero value works, with
// the environment's project; it may be copied and used by many goroutines.
type HealthCheckModel struct {
	// Connect opens the client of each operation. Defaults to
	// supabase.ServiceClient, which reads the environment each time.
	Connect supabase.Connector
}

// FindLatestByService returns a service's check with the newest checked_at, or
// nil and no error where the service has none. A check whose checked_at is NULL
// is never the newest.
func (m HealthCheckModel) FindLatestByService(ctx context.Context, serviceName string) (*ServiceHealthCheck, error) {
	o := operation.Begin(operation.Select, table, "service_name", serviceName)
	problems := []string{column.ServiceName(serviceName)}
	return operation.Run(ctx, o, m.Connect, problems, func(client *supabase.Client) (*ServiceHealthCheck, error) {
		return operation.Find(ctx, o, client.From(table).Select("*", "", false).
			Eq("service_name", serviceName).
			And("checked_at.not.is.null", "").
			Order("checked_at", operation.NewestOfSome).Order("id", operation.NewestOfSome).
			Limit(1, "").Single(), key)
	})
}

// FindAllOptions narrow a list. The zero value lists the newest 100 checks of
// every service.
type FindAllOptions struct {
	// Limit is the most rows to return. 0 means 100.
	Limit int
	// ServiceName lists one service's checks. "" means every service.
	ServiceName string
}

const defaultLimit = 100

// FindAll lists checks, newest created_at first. A limit above what the server
// returns at once (1,000 rows on Supabase) is honoured, in pages. Checks whose
// created_at is NULL come last. Without checks it returns an empty slice.
func (m HealthCheckModel) FindAll(ctx context.Context, options FindAllOptions) ([]ServiceHealthCheck, error) {
	o := operation.Begin(operation.Select, table, "service_name", options.ServiceName)
	problems := []string{column.Limit(options.Limit), column.OptionalServiceName(options.ServiceName)}
	return operation.Run(ctx, o, m.Connect, problems, func(client *supabase.Client) ([]ServiceHealthCheck, error) {
		limit := options.Limit
		if limit == 0 {
			limit = defaultLimit
		}
		order := operation.Newest
		if options.ServiceName != "" {
			order = operation.NewestOfSome
		}
		return operation.Collect(operation.List(ctx, o, limit, func() *postgrest.FilterBuilder {
			query := client.From(table).Select("*", "", false)
			if options.ServiceName != "" {
				query = query.Eq("service_name", options.ServiceName)
			}
			return query
		}, order, key))
	})
}

// DeleteOlderThan deletes the checks created more than days ago, 1…36,500, by
// this machine's clock, and returns how many: a lower bound where an answer was
// lost. The rows do not travel back. Checks whose created_at is NULL stay.
func (m HealthCheckModel) DeleteOlderThan(ctx context.Context, days int) (int64, error) {
	o := operation.Begin(operation.Delete, table, "", "")
	problems := []string{column.Days(days)}
	return operation.Run(ctx, o, m.Connect, problems, func(client *supabase.Client) (int64, error) {
		return operation.DeleteOlderThan(ctx, o, client, days)
	})
}
