package healthcheck

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
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
	ID           string          `json:"id"`
	ServiceName  string          `json:"service_name"`
	Status       Status          `json:"status"`
	LatencyMS    *int            `json:"latency_ms"`
	ErrorMessage *string         `json:"error_message"`
	ProbeDetails json.RawMessage `json:"probe_details"`
	CheckedAt    string          `json:"checked_at,omitempty"`
}

// Create stores one check and returns it as stored. It retries safely: where an
// answer was lost, the row is stored once and read back.
//
// The error is ErrInvalid for data that the table cannot hold, before anything
// is sent, and ErrConflict when a row with data.ID was there before. A row of that
// id is taken for this call's own if an earlier try of the call may have stored
// it, so an id must not be used for two different rows.
func (m HealthCheckModel) Create(ctx context.Context, data CreateHealthCheckData) (*ServiceHealthCheck, error) {
	row, problems := data.row()
	o := operation.Begin(operation.Insert, table, "service_name", data.ServiceName)
	return operation.Run(ctx, o, m.Connect, problems, func(client *supabase.Client) (*ServiceHealthCheck, error) {
		return operation.InsertRow(ctx, o, client, row.ID, data.ID == "", row, key)
	})
}

// CreateMany stores checks, 1,000 to a request, and returns how many are stored
// for certain; the rows do not travel back. Everything is validated before
// anything is sent: the error, ErrInvalid, names every fault by its index in data.
//
// Each request is stored wholly or not at all, and retried safely, as Create is.
// There are two kinds, since a request's rows must have the same columns: first
// those for checks that have a CheckedAt, then those for the others, both in the
// order of data. After an error the first so many of these are stored; the
// request that failed may be. The error is ErrConflict, and nothing of its request
// is stored, when a row with an ID of data was there before the call.
func (m HealthCheckModel) CreateMany(ctx context.Context, data []CreateHealthCheckData) (int64, error) {
	rows, problems := encodeMany(data)
	o := operation.Begin(operation.Insert, table, "", "")
	return operation.Run(ctx, o, m.Connect, problems, func(client *supabase.Client) (int64, error) {
		return operation.InsertMany(ctx, o, client, rows[0], rows[1])
	})
}

// encodeMany returns the rows with and those without a checked_at, and what is
// wrong with them.
func encodeMany(data []CreateHealthCheckData) (rows [2][]operation.Row, problems []string) {
	ids := make(map[string]int)
	for i, d := range data {
		row, found := d.encode()
		for _, problem := range found {
			if problem != "" {
				problems = append(problems, fmt.Sprintf("data[%d]: %s", i, problem))
			}
		}
		if d.ID != "" {
			id := strings.ToLower(d.ID)
			if first, twice := ids[id]; twice {
				problems = append(problems, fmt.Sprintf("data[%d]: id must not be that of data[%d]", i, first))
			} else {
				ids[id] = i
			}
		}
		group := 0
		if d.CheckedAt.IsZero() {
			group = 1
		}
		rows[group] = append(rows[group], row)
	}
	return rows, problems
}

// encode returns the row that travels for data, and what is wrong with it.
func (data CreateHealthCheckData) encode() (operation.Row, []string) {
	row, problems := data.row()
	encoded, err := json.Marshal(row)
	if err != nil { // its one part that might not marshal has been
		problems = append(problems, err.Error())
	}
	return operation.Row{ID: row.ID, Made: data.ID == "", JSON: encoded}, problems
}

// row returns what travels for data, and what is wrong with it.
func (data CreateHealthCheckData) row() (insertRow, []string) {
	details, detailsProblem := column.JSONB("probe_details", data.ProbeDetails)
	row := insertRow{
		ID:           operation.NewID(data.ID),
		ServiceName:  data.ServiceName,
		Status:       data.Status,
		LatencyMS:    data.LatencyMS,
		ErrorMessage: data.ErrorMessage,
		ProbeDetails: details,
	}
	if !data.CheckedAt.IsZero() {
		row.CheckedAt = timestamp.Format(data.CheckedAt)
	}
	return row, []string{
		column.OptionalID(data.ID),
		column.ServiceName(data.ServiceName),
		column.OneOf("status", data.Status, StatusHealthy, StatusDegraded, StatusDown),
		column.LatencyMS(data.LatencyMS),
		column.Text("error_message", data.ErrorMessage),
		detailsProblem,
		column.CheckedAt(data.CheckedAt),
	}
}
