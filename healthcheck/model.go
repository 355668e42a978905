package healthcheck

import (
	"context"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

const table = "service_health_checks"

// HealthCheckModel stores and finds health checks. Its zero value is usable.
type HealthCheckModel struct {
	Connect supabase.Connector // for each operation. Defaults to supabase.ServiceClient
}

// FindLatestByService returns a service's check with the newest checked_at, or nil.
func (m HealthCheckModel) FindLatestByService(ctx context.Context, serviceName string) (latest *ServiceHealthCheck, err error) {
	op := checks.Begin(operation.Select, operation.Service(serviceName))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.ServiceName(serviceName)); err != nil {
		return nil, err
	}
	return op.Newest(ctx, FindAllOptions{ServiceName: serviceName, By: CheckedAt}.listing())
}

// DeleteOlderThan deletes the checks created more than days ago, 1…36,500, oldest
// first. It returns the number deleted, even when err is non-nil: then a lower bound,
// if an answer was lost.
// It deletes up to 20,000 rows at a time, fewer if that takes the database too long
// (Supabase allows a statement 8 s). After an error another call continues. Several
// programs may delete at once.
func (m HealthCheckModel) DeleteOlderThan(ctx context.Context, days int) (deleted int64, err error) {
	op := checks.Begin(operation.Delete, operation.Filter{})
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.Days(days)); err != nil {
		return 0, err
	}
	return op.DeleteOlderThan(ctx, days)
}
