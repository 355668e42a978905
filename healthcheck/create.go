package healthcheck

import (
	"cmp"
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
	ID           string         `json:"id"`
	ServiceName  string         `json:"service_name"` // not blank, at most 100 characters
	Status       Status         `json:"status"`       // one of the three
	LatencyMS    *int           `json:"latency_ms"`   // milliseconds, 0…2147483647
	ErrorMessage *string        `json:"error_message"`
	ProbeDetails map[string]any `json:"probe_details"`       // JSONB; errors in it become their texts
	CheckedAt    time.Time      `json:"checked_at,omitzero"` // in microseconds; zero: the database's clock
}

// NewID returns a new UUID (version 7), for [CreateHealthCheckData].
func NewID() string { return operation.NewID() }

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
	made := data.ID == ""
	wrongTime := column.Time("checked_at", data.CheckedAt)
	if wrongTime != nil {
		data.CheckedAt = time.Time{} // it would not marshal
	}
	data.ID, data.CheckedAt = cmp.Or(data.ID, operation.NewID()), timestamp.Cut(data.CheckedAt)
	encoded, err := column.Marshal(&data, "probe_details", &data.ProbeDetails)
	return operation.Row{ID: data.ID, Made: made, JSON: encoded}, errors.Join(
		column.OptionalID(data.ID),
		column.ServiceName(data.ServiceName),
		column.OneOf("status", data.Status, StatusHealthy, StatusDegraded, StatusDown),
		column.LatencyMS(data.LatencyMS),
		column.Text("error_message", data.ErrorMessage),
		err,
		wrongTime,
	)
}

// decode returns the data that a row was made of, with its ID, times in UTC and
// numbers in ProbeDetails as float64.
func decode(row operation.Row) (data CreateHealthCheckData) {
	_ = json.Unmarshal(row.JSON, &data) // it was found to read back when it was encoded
	return data
}
