package alertevent

import (
	"context"
	"time"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

// AlertEventModel stores, finds and moves alerts. Its zero value is usable.
type AlertEventModel struct {
	Connect supabase.Connector // for each operation. Defaults to supabase.ServiceClient
}

// FindRecentByService returns a service's newest alert of a type, whatever its status,
// created within the last 1…52,560,000 minutes, or nil. It is for a view of what
// happened lately. To decide whether to alert, use Raise: two programs that look first
// both create, and an alert that has been open for longer is not seen.
func (m AlertEventModel) FindRecentByService(ctx context.Context, serviceName string, alertType AlertType, withinMinutes int) (recent *AlertEvent, err error) {
	op := alerts.Begin(operation.Select, operation.Service(serviceName))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.ServiceName(serviceName), column.Name("alert_type", string(alertType)), column.WithinMinutes(withinMinutes)); err != nil {
		return nil, err
	}
	since := time.Now().Add(-time.Duration(withinMinutes) * time.Minute)
	return op.Newest(ctx, FindAllOptions{ServiceName: serviceName, AlertType: alertType, Since: since}.listing())
}

// DeleteOlderThan deletes the alerts created more than days ago, 1…36,500, open ones
// too, oldest first, and returns the number deleted, even when err is non-nil: then a
// lower bound, if an answer was lost.
// It deletes up to 20,000 rows at a time, fewer if that takes the database too long
// (Supabase allows a statement 8 s). After an error another call continues. Several
// programs may delete at once.
func (m AlertEventModel) DeleteOlderThan(ctx context.Context, days int) (deleted int64, err error) {
	op := alerts.Begin(operation.Delete, operation.Filter{})
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.Days(days)); err != nil {
		return 0, err
	}
	return op.DeleteOlderThan(ctx, days)
}

// DeleteResolvedOlderThan is DeleteOlderThan for the alerts that were resolved more
// than days ago, by created_at where resolved_at is NULL, with their histories, 1,000 a
// request. Alerts that somebody is changing stay until the next call.
func (m AlertEventModel) DeleteResolvedOlderThan(ctx context.Context, days int) (deleted int64, err error) {
	op := alerts.Begin(operation.Delete, operation.Filter{})
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.Days(days)); err != nil {
		return 0, err
	}
	return op.DeleteBy(ctx, "delete_resolved_alerts", days)
}
