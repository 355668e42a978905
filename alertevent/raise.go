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
	// ID is the UUID of the alert, if this call opens it. "" makes one (version 7);
	// setting it lets a caller repeat the whole call and be told the same again.
	ID          string
	ServiceName string    // not blank, at most 100 characters
	AlertType   AlertType // one of the three
	// DedupKey is what at most one alert of the service is open for, such as the name
	// of a probe: at most 200 characters, not blank. "" means the alert's type.
	DedupKey string
	Message  *string        // nil stores NULL
	Details  map[string]any // as CreateAlertEventData's
}

// Raise opens an alert, unless one of its service and key is open, active or
// acknowledged, whoever raised it: then that one is returned unchanged, and opened is
// false. Of any number of programs that raise the same at once, one is told that it
// opened the alert. Without DedupKey, the newest open alert of the service and type
// that has no key, such as one that was only created, is given the key and taken for
// the open one.
//
// An alert with data.ID is returned as it stands, whatever became of it since, and
// opened is true: it was this call's. The error is ErrConflict where it has another
// service, type or key, ErrInvalid for data that the table cannot hold, before anything
// is sent, and ErrSchema without migration 016. It retries safely; where the last
// answer was lost the error is Uncertain, and repeating the call with the same ID
// finds out.
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
