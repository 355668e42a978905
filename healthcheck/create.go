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

// CreateHealthCheckData is what a probe has to say: every column but those that the
// database fills in.
type CreateHealthCheckData struct {
	// ID is the row's UUID. "" makes one (version 7); setting it lets a caller
	// repeat the whole call without storing the row twice.
	ID          string `json:"id"`
	ServiceName string `json:"service_name"` // not blank, at most 100 characters
	Status      Status `json:"status"`       // one of the three
	// LatencyMS is in milliseconds, 0…2147483647; nil stores NULL.
	LatencyMS    *int    `json:"latency_ms"`
	ErrorMessage *string `json:"error_message"` // nil stores NULL
	// ProbeDetails is stored as JSONB; nil stores NULL. Errors in it, in maps, slices
	// and arrays however deep, are stored as their texts.
	ProbeDetails map[string]any `json:"probe_details"`
	// CheckedAt is when the probe ran, stored in UTC and cut to the
	// microsecond. What is the zero time then leaves it to the database's clock.
	CheckedAt time.Time `json:"checked_at,omitzero"`
}

// NewID returns a new UUID of version 7, for who wants to know a row's id
// beforehand: as CreateHealthCheckData.ID it lets the whole call be repeated.
func NewID() string { return operation.NewID() }

// Create stores one check and returns it as stored. It retries safely: where an
// answer was lost, the row is stored once and read back.
//
// The error is ErrInvalid for data that the table cannot hold, before anything
// is sent, and ErrConflict when another row has data.ID: one that was there
// before, or holds something else than data, such as what a trigger made of it.
// After an attempt whose answer was lost the row is looked for before an error is
// returned; where that fails, the error is Uncertain.
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
	faults := []error{
		column.OptionalID(data.ID),
		column.ServiceName(data.ServiceName),
		column.OneOf("status", data.Status, StatusHealthy, StatusDegraded, StatusDown),
		column.LatencyMS(data.LatencyMS),
		column.Text("error_message", data.ErrorMessage),
	}
	wrongTime := column.CheckedAt(data.CheckedAt)
	if wrongTime != nil {
		data.CheckedAt = time.Time{} // it would not marshal
	}
	data.ID, data.CheckedAt = cmp.Or(data.ID, operation.NewID()), timestamp.Cut(data.CheckedAt)
	encoded, err := column.Marshal(&data, "probe_details", &data.ProbeDetails)
	return operation.Row{ID: data.ID, Made: made, JSON: encoded}, errors.Join(append(faults, err, wrongTime)...)
}

// decode returns the data that a row was made of, with its ID, times in UTC and
// numbers in ProbeDetails as float64.
func decode(row operation.Row) (data CreateHealthCheckData) {
	_ = json.Unmarshal(row.JSON, &data) // it was found to read back when it was encoded
	return data
}
