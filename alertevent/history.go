package alertevent

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
)

// Transition is one change of an alert's status.
type Transition struct {
	ID      string    `json:"id"` // a whole number, which grows with each transition of the alert
	AlertID string    `json:"alert_id"`
	At      time.Time `json:"at"`          // in UTC
	From    Status    `json:"from_status"` // "": the alert was created
	To      Status    `json:"to_status"`
	By      *string   `json:"by"`     // nil: not said, as with Acknowledge
	Reason  *string   `json:"reason"` // nil: not said
}

// History returns the changes of an alert's status, oldest first, whatever made them,
// since migration 016; of an unknown id, an empty slice.
func (m AlertEventModel) History(ctx context.Context, id string) (history []Transition, err error) {
	op := alerts.Begin(operation.Select, operation.ID(id))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.ID(id)); err != nil {
		return nil, err
	}
	args := map[string]string{"alert_id": id}
	if err := op.CallInto(ctx, &history, "alert_history", args); err != nil {
		return nil, err
	}
	if history == nil {
		return nil, op.Fail("the answer cannot be decoded: null is not an array", errors.New("no array"))
	}
	for i := range history {
		if !strings.EqualFold(history[i].AlertID, id) {
			return nil, op.Fail("the answer has a transition of another alert", errors.New("a row that was not asked for"))
		}
		history[i].At = history[i].At.UTC()
	}
	return history, nil
}
