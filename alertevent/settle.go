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
func (m AlertEventModel) Acknowledge(ctx context.Context, id string) (*AlertEvent, error) {
	return m.settle(ctx, id, map[string]string{
		"status":          string(StatusAcknowledged),
		"acknowledged_at": timestamp.Format(time.Now()),
	}, "eq", StatusActive)
}

// Resolve marks an alert as resolved now, and returns it. One that is resolved is
// returned unchanged. The error is ErrNotFound for an unknown id.
func (m AlertEventModel) Resolve(ctx context.Context, id string) (*AlertEvent, error) {
	return m.settle(ctx, id, map[string]string{
		"status":      string(StatusResolved),
		"resolved_at": timestamp.Format(time.Now()),
	}, "neq", StatusResolved)
}

// settle makes a change to the alert with id where its status is movable, by a
// filter's operator and value, and reads it where it is not, or was not there.
func (m AlertEventModel) settle(ctx context.Context, id string, change map[string]string, operator string, status Status) (settled *AlertEvent, err error) {
	op := alerts.Begin(operation.Update, operation.ID(id))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.ID(id)); err != nil {
		return nil, err
	}
	changed, heard, err := op.Change(ctx, op.From().Update(change, "representation", "").Eq("id", id).Filter("status", operator, string(status)), operation.ID(id))
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
		return nil, noAlert(lookErr)
	case err == nil && lookErr != nil && heard.EarlierUncertain:
		return nil, op.Uncertain(lookErr)
	case err == nil, lookErr == nil && (alert.Status == status) != (operator == "eq"):
		return alert, lookErr
	case unknown:
		lookErr = nil
	}
	return nil, op.NotThere(err, heard.LastUncertain, lookErr)
}

func noAlert(err error) error {
	if e, ok := errors.AsType[*supabase.Error](err); ok {
		e.Message = "there is no alert with that id"
	}
	return err
}
