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
	ID string `json:"id"`        // the alert's
	To Status `json:"to_status"` // one of the three
	// By and Reason are kept in the alert's history: at most 200 and 2,000 characters;
	// "" stores NULL.
	By     string `json:"by"`
	Reason string `json:"reason"`
	// RequestID is the UUID of this call, for those who repeat it within a day, and are
	// told the same again. "" makes one (version 7).
	RequestID string `json:"request_id"`
}

// Transition moves an alert to another status, now by the database's clock, and
// returns it; changed says that this call moved it. An alert that is there already
// stays as it is. To active it is reopened: acknowledged_at and resolved_at become
// NULL, and a raised one is notified of anew.
//
// The error is ErrNotFound for an unknown id, and ErrConflict for a resolved alert that
// is to be acknowledged, for one that is to be reopened while another of its service
// and key is open, and where RequestID is that of another call; ErrSchema without
// migration 016. It retries safely; where the last answer was lost the error is
// Uncertain, and repeating the call with the same RequestID finds out.
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
