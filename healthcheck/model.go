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
func (m HealthCheckModel) FindLatestByService(ctx context.Context, serviceName string) (latest *ServiceHealthCheck, err error) {
	op := checks.Begin(operation.Select, operation.Service(serviceName))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.ServiceName(serviceName)); err != nil {
		return nil, err
	}
	return op.Newest(ctx, FindAllOptions{ServiceName: serviceName, By: CheckedAt}.listing())
}

// DeleteOlderThan deletes the checks created more than days ago, 1…36,500, by
// this machine's clock, oldest first, and returns the number deleted, even
// when err is non-nil: a lower bound where an answer was lost. The rows do not travel
// back. Checks whose created_at is NULL stay.
//
// It deletes in slices of up to 20,000 rows, none of which should come near
// Supabase's time limit of 8 s for a statement; one that does is rolled back and
// made smaller. When ctx ends, what was deleted stays deleted, and another call
// goes on from there. Several programs may delete at once.
func (m HealthCheckModel) DeleteOlderThan(ctx context.Context, days int) (deleted int64, err error) {
	op := checks.Begin(operation.Delete, operation.Filter{})
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.Days(days)); err != nil {
		return 0, err
	}
	return op.DeleteOlderThan(ctx, days)
}
