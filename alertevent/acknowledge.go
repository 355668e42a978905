package alertevent

import (
	"context"
	"errors"
	"time"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/timestamp"
	"github.com/supavigil/supavigil/supabase"
)

// Acknowledge marks an active alert as acknowledged now, and returns it. One that is
// not active is returned unchanged. The error is ErrNotFound for an unknown id.
// Transition also says who and why.
func (m AlertEventModel) Acknowledge(ctx context.Context, id string) (*AlertEvent, error) {
	return m.move(ctx, id, StatusAcknowledged)
}

// Resolve marks an alert as resolved now, and returns it. One that is resolved is
// returned unchanged. The error is ErrNotFound for an unknown id.
func (m AlertEventModel) Resolve(ctx context.Context, id string) (*AlertEvent, error) {
	return m.move(ctx, id, StatusResolved)
}

// move changes the status of an alert, unless it has come as far already, and then
// reads it as it stands.
func (m AlertEventModel) move(ctx context.Context, id string, to Status) (moved *AlertEvent, err error) {
	op := alerts.Begin(operation.Update, operation.ID(id))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.ID(id)); err != nil {
		return nil, err
	}
	change := map[string]string{"status": string(to), string(to) + "_at": timestamp.Format(time.Now())}
	query := op.From().Update(change, "representation", "").Eq("id", id)
	if to == StatusAcknowledged {
		query = query.Eq("status", string(StatusActive))
	} else {
		query = query.Neq("status", string(to))
	}
	changed, heard, err := op.Change(ctx, query, operation.ID(id))
	switch {
	case len(changed) > 0:
		return &changed[0], nil
	case err != nil && !(operation.IsUncertain(err) && operation.CanLook(ctx, err)):
		return nil, err
	}
	alert, lookErr := op.Get(ctx, op.From().Select("*", "", false).Eq("id", id).Single(), operation.ID(id))
	unknown := errors.Is(lookErr, supabase.ErrNotFound)
	switch {
	case err == nil && unknown:
		if e, ok := errors.AsType[*supabase.Error](lookErr); ok {
			e.Message = "there is no alert with that id"
		}
		return nil, lookErr
	case err == nil && lookErr != nil && heard.EarlierUncertain:
		return nil, op.Uncertain(lookErr)
	case err == nil:
		return alert, lookErr
	case lookErr == nil && !movable(alert.Status, to):
		return alert, nil
	case unknown:
		lookErr = nil
	}
	return nil, op.NotThere(err, heard.LastUncertain, lookErr)
}

// movable says whether an alert can come from one status to another.
func movable(from, to Status) bool {
	if to == StatusAcknowledged {
		return from == StatusActive
	}
	return from != StatusResolved
}
