package healthcheck

import (
	"context"
	"time"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/timestamp"
	"github.com/supavigil/supavigil/supabase"
)

// CreateHealthCheckData is what a probe has to say.
type CreateHealthCheckData struct {
	// ID is the row's UUID. "" makes one (version 7); setting it lets a caller
	// repeat the whole call without storing the row twice.
	ID          string
	ServiceName string // not blank, at most 100 characters
	Status      Status // one of the three
	// LatencyMS is in milliseconds, 0…2147483647; nil stores NULL.
	LatencyMS    *int
	ErrorMessage *string // nil stores NULL
	// ProbeDetails is stored as JSONB; nil stores NULL.
	ProbeDetails map[string]any
	// CheckedAt is when the probe ran, stored in UTC and cut to the
	// microsecond. The zero time leaves it to the database's clock.
	CheckedAt time.Time
}

// insertRow is what travels: every column but those that the database fills in.
type insertRow struct {
	ID           string         `json:"id"`
	ServiceName  string         `json:"service_name"`
	Status       Status         `json:"status"`
	LatencyMS    *int           `json:"latency_ms"`
	ErrorMessage *string        `json:"error_message"`
	ProbeDetails map[string]any `json:"probe_details"`
	CheckedAt    string         `json:"checked_at,omitempty"`
}

// Create stores one check and returns it as stored. It retries safely: where an
// answer was lost, the row is stored once and read back.
//
// The error is ErrInvalid for data that the table cannot hold, before anything
// is sent, and ErrConflict when a row with data.ID was there before. A row of that
// id is taken for this call's own if an earlier try of the call may have stored
// it, so an id must not be used for two different rows.
func (m HealthCheckModel) Create(ctx context.Context, data CreateHealthCheckData) (*ServiceHealthCheck, error) {
	row, problems := data.encode()
	o := operation.Begin(operation.Insert, table, "service_name", data.ServiceName)
	return operation.Run(ctx, o, m.Connect, problems, func(client *supabase.Client) (*ServiceHealthCheck, error) {
		return operation.InsertRow(ctx, o, client, row, shape)
	})
}

// encode returns the row that travels for data, and what is wrong with it.
func (data CreateHealthCheckData) encode() (operation.Row, []string) {
	row := insertRow{
		ID:           operation.NewID(data.ID),
		ServiceName:  data.ServiceName,
		Status:       data.Status,
		LatencyMS:    data.LatencyMS,
		ErrorMessage: data.ErrorMessage,
		ProbeDetails: data.ProbeDetails,
	}
	if !data.CheckedAt.IsZero() {
		row.CheckedAt = timestamp.Format(data.CheckedAt)
	}
	encoded, problem := column.Row(row, "probe_details", data.ProbeDetails)
	return operation.Row{ID: row.ID, Made: data.ID == "", JSON: encoded}, []string{
		column.OptionalID(data.ID),
		column.ServiceName(data.ServiceName),
		checkStatus(data.Status),
		column.LatencyMS(data.LatencyMS),
		column.Text("error_message", data.ErrorMessage),
		problem,
		column.CheckedAt(data.CheckedAt),
	}
}

func checkStatus(status Status) string {
	return column.OneOf("status", status, StatusHealthy, StatusDegraded, StatusDown)
}
