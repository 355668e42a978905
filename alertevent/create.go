package alertevent

import (
	"cmp"
	"context"
	"errors"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
)

// CreateAlertEventData is what there is to raise: every column but those that the
// database, or a later change, fills in.
type CreateAlertEventData struct {
	// ID is the row's UUID. "" makes one (version 7); setting it lets a caller
	// repeat the whole call without raising the alert twice.
	ID          string    `json:"id"`
	ServiceName string    `json:"service_name"` // not blank, at most 100 characters
	AlertType   AlertType `json:"alert_type"`   // one of the three
	Status      Status    `json:"status"`       // one of the three; "" means active
	Message     *string   `json:"message"`      // nil stores NULL
	// Details is stored as JSONB; nil stores NULL. Errors in it, in maps, slices and
	// arrays however deep, are stored as their texts.
	Details map[string]any `json:"details"`
}

// Create stores one alert and returns it as stored. It retries safely: where an
// answer was lost, the row is stored once and read back.
//
// The error is ErrInvalid for data that the table cannot hold, before anything
// is sent, and ErrConflict when another row has data.ID: one that was there
// before, or holds something else than data, such as what a trigger made of it.
// After an attempt whose answer was lost the row is looked for before an error is
// returned; where that fails, the error is Uncertain.
func (m AlertEventModel) Create(ctx context.Context, data CreateAlertEventData) (created *AlertEvent, err error) {
	op := alerts.Begin(operation.Insert, operation.Service(data.ServiceName))
	defer op.End(ctx, &err)
	row, invalid := data.encode()
	if err := op.Open(ctx, m.Connect, invalid); err != nil {
		return nil, err
	}
	return op.InsertRow(ctx, row)
}

// encode returns the row that travels for data, or what is invalid in it.
func (data CreateAlertEventData) encode() (operation.Row, error) {
	made := data.ID == ""
	data.Status = cmp.Or(data.Status, StatusActive)
	faults := []error{
		column.OptionalID(data.ID),
		column.ServiceName(data.ServiceName),
		column.OneOf("alert_type", data.AlertType, AlertTypeServiceDown, AlertTypeServiceDegraded, AlertTypeRecovery),
		column.OneOf("status", data.Status, StatusActive, StatusAcknowledged, StatusResolved),
		column.Text("message", data.Message),
	}
	data.ID = cmp.Or(data.ID, operation.NewID())
	encoded, err := column.Marshal(&data, "details", &data.Details)
	return operation.Row{ID: data.ID, Made: made, JSON: encoded}, errors.Join(append(faults, err)...)
}
