package healthcheck

import (
	"context"

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
		return operation.Find(ctx, o, client, FindAllOptions{ServiceName: serviceName, By: CheckedAt}.listing(), shape)
	})
}

// DeleteOlderThan deletes the checks created more than days ago, 1…36,500, by
// this machine's clock, oldest first, and returns how many, also beside an
// error: a lower bound where an answer was lost. The rows do not travel back.
// Checks whose created_at is NULL stay.
//
// It deletes in slices of up to 20,000 rows, none of which should come near
// Supabase's time limit of 8 s for a statement; one that does is rolled back and
// made smaller. When ctx ends, what was deleted stays deleted, and another call
// goes on from there. Several programs may delete at once.
func (m HealthCheckModel) DeleteOlderThan(ctx context.Context, days int) (int64, error) {
	o := operation.Begin(operation.Delete, table, "", "")
	problems := []string{column.Days(days)}
	return operation.Run(ctx, o, m.Connect, problems, func(client *supabase.Client) (int64, error) {
		return operation.DeleteOlderThan(ctx, o, client, days)
	})
}
