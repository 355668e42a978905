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
// created within the last 1…52,560,000 minutes, or nil. It says what happened lately.
// Two programs that call it and then Create may both raise an alert, and what is open
// for longer is not seen: Raise is for that.
func (m AlertEventModel) FindRecentByService(ctx context.Context, serviceName string, alertType AlertType, withinMinutes int) (recent *AlertEvent, err error) {
	op := alerts.Begin(operation.Select, operation.Service(serviceName))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.ServiceName(serviceName), column.Name("alert_type", string(alertType)), column.WithinMinutes(withinMinutes)); err != nil {
		return nil, err
	}
	since := time.Now().Add(-time.Duration(withinMinutes) * time.Minute)
	return op.Newest(ctx, FindAllOptions{ServiceName: serviceName, AlertType: alertType, Since: since}.listing())
}

// DeleteOlderThan deletes the alerts created more than days ago, 1…36,500, whatever
// their status, oldest first; DeleteResolvedOlderThan leaves those that are open. It
// returns the number deleted, even when err is non-nil: then a lower bound, if an
// answer was lost.
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

// DeleteResolvedOlderThan deletes the alerts that were resolved more than days ago,
// 1…36,500, by the database's clock, the longest resolved first, and returns the number
// deleted, even when err is non-nil: a lower bound where an answer was lost. Where
// resolved_at is NULL, created_at counts. Open alerts stay, and so do those that
// somebody is changing, until the next call. Their histories go with them.
//
// It deletes 1,000 at a time, each a request. The error is ErrSchema without migration
// 016.
func (m AlertEventModel) DeleteResolvedOlderThan(ctx context.Context, days int) (deleted int64, err error) {
	op := alerts.Begin(operation.Delete, operation.Filter{})
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.Days(days)); err != nil {
		return 0, err
	}
	return op.DeleteBy(ctx, "delete_resolved_alerts", days)
}
