package healthcheck

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// CreateHealthCheckData is a check to store. What is nil is stored as NULL.
type CreateHealthCheckData struct {
	// ID is the row's UUID; "" makes one. With an ID the whole call can be repeated
	// without storing the row twice.
	ID           string
	ServiceName  string // not blank, at most 100 characters
	Status       Status // one of the three
	LatencyMS    *int   // milliseconds, 0…2147483647
	ErrorMessage *string
	ProbeDetails map[string]any // JSONB; errors in it are stored as their texts
	CheckedAt    time.Time      // cut to the microsecond; zero: the database's clock
}

// insertRow is what travels: every column but those that the database fills in. It
// is converted from CreateHealthCheckData, so neither can have a field that the
// other has not.
type insertRow struct {
	ID           string         `json:"id"`
	ServiceName  string         `json:"service_name"`
	Status       Status         `json:"status"`
	LatencyMS    *int           `json:"latency_ms"`
	ErrorMessage *string        `json:"error_message"`
	ProbeDetails map[string]any `json:"probe_details"`
	CheckedAt    time.Time      `json:"checked_at,omitzero"`
}

// NewID returns a new UUID (version 7), for [CreateHealthCheckData].
func NewID() string { return operation.NewID("") }

// Create stores one check and returns it as stored. The error is ErrInvalid for data
// that the table cannot hold, and ErrConflict when another row has data.ID; after a
// lost answer that may be data itself, as a trigger changed it.
func (m HealthCheckModel) Create(ctx context.Context, data CreateHealthCheckData) (created *ServiceHealthCheck, err error) {
	op := checks.Begin(operation.Insert, operation.Service(data.ServiceName))
	defer op.End(ctx, &err)
	row, invalid := data.encode()
	if err := op.Open(ctx, m.Connect, invalid); err != nil {
		return nil, err
	}
	return op.InsertRow(ctx, row)
}

// encode returns the row that travels for data, or what is invalid in it.
func (data CreateHealthCheckData) encode() (operation.Row, error) {
	row := insertRow(data)
	row.ID, row.CheckedAt = operation.NewID(data.ID), timestamp.Cut(data.CheckedAt)
	wrongTime := column.CheckedAt(data.CheckedAt)
	if wrongTime != nil {
		row.CheckedAt = time.Time{} // it would not marshal
	}
	encoded, err := column.Marshal(&row, "probe_details", &row.ProbeDetails)
	return operation.Row{ID: row.ID, Made: data.ID == "", JSON: encoded}, errors.Join(
		column.OptionalID(data.ID),
		column.ServiceName(data.ServiceName),
		checkStatus(data.Status),
		column.LatencyMS(data.LatencyMS),
		column.Text("error_message", data.ErrorMessage),
		err,
		wrongTime,
	)
}

// decode returns the data that a row was made of, with its ID, times in UTC and
// numbers in ProbeDetails as float64.
func decode(row operation.Row) CreateHealthCheckData {
	var data insertRow
	_ = json.Unmarshal(row.JSON, &data) // it was found to read back when it was encoded
	return CreateHealthCheckData(data)
}

func checkStatus(status Status) error {
	return column.OneOf("status", status, StatusHealthy, StatusDegraded, StatusDown)
}
