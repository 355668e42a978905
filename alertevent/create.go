package alertevent

import (
	"context"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
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
func (m AlertEventModel) Create(ctx context.Context, data CreateAlertEventData) (*AlertEvent, error) {
	row, problems := data.encode()
	o := operation.Begin(operation.Insert, table, "service_name", data.ServiceName)
	return operation.Run(ctx, o, m.Connect, problems, func(client *supabase.Client) (*AlertEvent, error) {
		return operation.InsertRow(ctx, o, client, row, shape)
	})
}

// encode returns the row that travels for data, and what is wrong with it.
func (data CreateAlertEventData) encode() (operation.Row, []string) {
	if data.Status == "" {
		data.Status = StatusActive
	}
	row := insertRow(data)
	row.ID = operation.NewID(data.ID)
	encoded, problem := column.Row(&row, "details", &row.Details)
	return operation.Row{ID: row.ID, Made: data.ID == "", JSON: encoded}, []string{
		column.OptionalID(data.ID),
		column.ServiceName(data.ServiceName),
		checkAlertType(data.AlertType),
		checkStatus(data.Status),
		column.Text("message", data.Message),
		problem,
	}
}

func checkAlertType(alertType AlertType) string {
	return column.OneOf("alert_type", alertType, AlertTypeServiceDown, AlertTypeServiceDegraded, AlertTypeRecovery)
}

func checkStatus(status Status) string {
	return column.OneOf("status", status, StatusActive, StatusAcknowledged, StatusResolved)
}
