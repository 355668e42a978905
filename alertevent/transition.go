package alertevent

import (
	"cmp"
	"context"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

// TransitionData is a change of an alert's status.
type TransitionData struct {
	ID        string `json:"id"`         // the alert's
	To        Status `json:"to_status"`  // one of the three
	By        string `json:"by"`         // for the history: at most 200 characters; "" is NULL
	Reason    string `json:"reason"`     // for the history: at most 2,000 characters; "" is NULL
	RequestID string `json:"request_id"` // a UUID, to repeat the call with; "" makes one
}

// Transition moves an alert to another status, and returns it; changed says that this
// call moved it. An alert that is there already stays as it is. Reopening clears
// AcknowledgedAt and ResolvedAt, and people are told of a raised alert anew. The error
// is ErrNotFound for an unknown id, and ErrConflict for a resolved alert that is to be
// acknowledged, or reopened while another of its service and key is open.
func (m AlertEventModel) Transition(ctx context.Context, data TransitionData) (alert *AlertEvent, changed bool, err error) {
	op := alerts.Begin(operation.Update, operation.ID(data.ID))
	defer op.End(ctx, &err)
	err = op.Open(ctx, m.Connect,
		column.ID(data.ID), column.OneOf("to_status", data.To, StatusActive, StatusAcknowledged, StatusResolved),
		column.By(data.By), column.Reason(data.Reason), column.OptionalUUID("request_id", data.RequestID))
	if err != nil {
		return nil, false, err
	}
	data.RequestID = cmp.Or(data.RequestID, operation.NewID())
	var moved *struct {
		Alert   AlertEvent `json:"alert"`
		Changed bool       `json:"changed"`
	}
	if err := op.CallInto(ctx, &moved, "transition_alert", data); err != nil {
		return nil, false, err
	}
	if moved == nil {
		return nil, false, op.Fail("there is no alert with that id", supabase.ErrNotFound)
	}
	if err := op.Accept(&moved.Alert, operation.ID(data.ID)); err != nil {
		return nil, false, err
	}
	return &moved.Alert, moved.Changed, nil
}
