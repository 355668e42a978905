package alertevent

import (
	"context"
	"errors"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
)

// CreateAlertEventData is an alert to store. What is nil is stored as NULL.
type CreateAlertEventData struct {
	// ID is the row's UUID; "" makes one. With an ID the whole call can be repeated
	// without raising the alert twice.
	ID          string
	ServiceName string    // not blank, at most 100 characters
	AlertType   AlertType // one of the three
	Status      Status    // one of the three; "" means active
	Message     *string
	Details     map[string]any // JSONB; errors in it are stored as their texts
}

// insertRow is what travels: every column but those that the database fills in. It
// is converted from CreateAlertEventData, so neither can have a field that the
// other has not.
type insertRow struct {
	ID          string         `json:"id"`
	ServiceName string         `json:"service_name"`
	AlertType   AlertType      `json:"alert_type"`
	Status      Status         `json:"status"`
	Message     *string        `json:"message"`
	Details     map[string]any `json:"details"`
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
	if data.Status == "" {
		data.Status = StatusActive
	}
	row := insertRow(data)
	row.ID = operation.NewID(data.ID)
	encoded, err := column.Marshal(&row, "details", &row.Details)
	return operation.Row{ID: row.ID, Made: data.ID == "", JSON: encoded}, errors.Join(
		column.OptionalID(data.ID),
		column.ServiceName(data.ServiceName),
		checkAlertType(data.AlertType),
		checkStatus(data.Status),
		column.Text("message", data.Message),
		err,
	)
}

func checkAlertType(alertType AlertType) error {
	return column.OneOf("alert_type", alertType, AlertTypeServiceDown, AlertTypeServiceDegraded, AlertTypeRecovery)
}

func checkStatus(status Status) error {
	return column.OneOf("status", status, StatusActive, StatusAcknowledged, StatusResolved)
}
