package alertevent

import (
	"context"
	"time"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

// AlertEventModel raises, finds, acknowledges and resolves alerts. Its zero value
// works, with the environment's project; it may be copied and used by many goroutines.
type AlertEventModel struct {
	// Connect opens the client of each operation. Defaults to
	// supabase.ServiceClient, which reads the environment each time.
	Connect supabase.Connector
}

// FindRecentByService returns a service's newest alert of a type that was
// created within the last withinMinutes minutes, 1…52,560,000, by this
// machine's clock, whatever its status; nil and no error where there is none.
//
// It answers what happened lately. Asking first and creating then does not keep two
// programs from both raising, and forgets what is open for longer: Raise is for that.
func (m AlertEventModel) FindRecentByService(ctx context.Context, serviceName string, alertType AlertType, withinMinutes int) (recent *AlertEvent, err error) {
	op := alerts.Begin(operation.Select, operation.Service(serviceName))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.ServiceName(serviceName), column.Name("alert_type", string(alertType)), column.WithinMinutes(withinMinutes)); err != nil {
		return nil, err
	}
	since := time.Now().Add(-time.Duration(withinMinutes) * time.Minute)
	return op.Newest(ctx, FindAllOptions{ServiceName: serviceName, AlertType: alertType, Since: since}.listing())
}

// DeleteOlderThan deletes the alerts created more than days ago, 1…36,500, by
// this machine's clock and whatever their status, oldest first, and returns the
// number deleted, even when err is non-nil: a lower bound where an answer was lost.
// What is open for so long is deleted too: DeleteResolvedOlderThan leaves it.
// The rows do not travel back. Alerts whose created_at is NULL stay.
//
// It deletes in slices of up to 20,000 rows, none of which should come near
// Supabase's time limit of 8 s for a statement; one that does is rolled back and
// made smaller. When ctx ends, what was deleted stays deleted, and another call
// goes on from there. Several programs may delete at once.
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
