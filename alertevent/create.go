package alertevent

import (
	"context"
	"errors"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
)

// CreateAlertEventData is what there is to raise.
type CreateAlertEventData struct {
	// ID is the row's UUID. "" makes one (version 7); setting it lets a caller
	// repeat the whole call without raising the alert twice.
	ID          string
	ServiceName string    // not blank, at most 100 characters
	AlertType   AlertType // one of the three
	Status      Status    // one of the three; "" means active
	Message     *string   // nil stores NULL
	// Details is stored as JSONB; nil stores NULL. Errors in it, in maps, slices and
	// arrays however deep, are stored as their texts.
	Details map[string]any
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
