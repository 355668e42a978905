package alertevent

import (
	"cmp"
	"context"
	"errors"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
)

// CreateAlertEventData is an alert to store. What is nil is stored as NULL.
type CreateAlertEventData struct {
	// ID is the row's UUID; "" makes one. With an ID the whole call can be repeated
	// without raising the alert twice.
	ID          string         `json:"id"`
	ServiceName string         `json:"service_name"` // not blank, at most 100 characters
	AlertType   AlertType      `json:"alert_type"`   // one of the three
	Status      Status         `json:"status"`       // one of the three; "" means active
	Message     *string        `json:"message"`
	Details     map[string]any `json:"details"` // JSONB; errors in it become their texts
}

// Create stores one alert and returns it as stored. The error is ErrInvalid for data
// that the table cannot hold, and ErrConflict when another row has data.ID; after a
// lost answer that may be data itself, as a trigger changed it.
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
	data.ID = cmp.Or(data.ID, operation.NewID())
	encoded, err := column.Marshal(&data, "details", &data.Details)
	return operation.Row{ID: data.ID, Made: made, JSON: encoded}, errors.Join(
		column.OptionalID(data.ID),
		column.ServiceName(data.ServiceName),
		column.OneOf("alert_type", data.AlertType, AlertTypeServiceDown, AlertTypeServiceDegraded, AlertTypeRecovery),
		column.OneOf("status", data.Status, StatusActive, StatusAcknowledged, StatusResolved),
		column.Text("message", data.Message),
		err,
	)
}
