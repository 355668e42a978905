package alertevent

import (
	"cmp"
	"context"
	"errors"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
)

// RaiseData is an alert to be open.
type RaiseData struct {
	ID          string         // a UUID, to repeat the call with; "" makes one. The alert's, if this call opens it
	ServiceName string         // not blank, at most 100 characters
	AlertType   AlertType      // one of the three
	DedupKey    string         // such as a probe's name: not blank, at most 200 characters; "" means the alert's type
	Message     *string        // nil stores NULL
	Details     map[string]any // as CreateAlertEventData's
}

// Raise opens an alert, unless one of its service and key is open: then that one is
// returned unchanged, and opened is false. Without DedupKey, the newest open alert of
// the service and type that has no key, such as one of Create, is given the key and
// taken for the open one. An alert with data.ID is returned as it stands, whatever
// became of it, and opened is true; if its service, type or key differ, the error is
// ErrConflict. A call that found another open says so again when it is repeated with
// its ID within a day, though that one is resolved by then.
func (m AlertEventModel) Raise(ctx context.Context, data RaiseData) (alert *AlertEvent, opened bool, err error) {
	op := alerts.Begin(operation.Insert, operation.Service(data.ServiceName))
	defer op.End(ctx, &err)
	args, invalid := data.args()
	if err := op.Open(ctx, m.Connect, invalid); err != nil {
		return nil, false, err
	}
	var raised struct {
		Alert  AlertEvent `json:"alert"`
		Opened bool       `json:"opened"`
	}
	if err := op.CallInto(ctx, &raised, "raise_alert", args); err != nil {
		return nil, false, err
	}
	if err := op.Accept(&raised.Alert, operation.Service(data.ServiceName)); err != nil {
		return nil, false, err
	}
	return &raised.Alert, raised.Opened, nil
}

type raiseArgs struct {
	ID          string    `json:"id"`
	ServiceName string    `json:"service_name"`
	AlertType   AlertType `json:"alert_type"`
	DedupKey    string    `json:"dedup_key"`
	Message     *string   `json:"message"`
	Details     *string   `json:"details"` // JSON, as text
}

// args returns what travels for data, or what is invalid in it.
func (data RaiseData) args() (raiseArgs, error) {
	args := raiseArgs{
		ID:          cmp.Or(data.ID, operation.NewID()),
		ServiceName: data.ServiceName,
		AlertType:   data.AlertType,
		DedupKey:    data.DedupKey,
		Message:     data.Message,
	}
	encoded, err := column.Marshal(&data.Details, "details", &data.Details)
	if data.Details != nil && err == nil {
		args.Details = new(string(encoded))
	}
	return args, errors.Join(
		column.OptionalID(data.ID),
		column.ServiceName(data.ServiceName),
		column.OneOf("alert_type", data.AlertType, AlertTypeServiceDown, AlertTypeServiceDegraded, AlertTypeRecovery),
		column.DedupKey(data.DedupKey),
		column.Text("message", data.Message),
		err,
	)
}
