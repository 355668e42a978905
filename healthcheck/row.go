package healthcheck

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// Status is what a probe found. Reads return values of a newer schema as is.
type Status string

// The statuses.
const (
	StatusHealthy  Status = "healthy"
	StatusDegraded Status = "degraded"
	StatusDown     Status = "down"
)

// ServiceHealthCheck is a row of service_health_checks. Times are in UTC. A NULL in
// checked_at or created_at, which other programs may store, is the zero time: in
// lists by that column it comes last and is not within Since and Until, a latest
// check needs a checked_at, and DeleteOlderThan a created_at.
type ServiceHealthCheck struct {
	ID           string         `json:"id"`           // a UUID
	ServiceName  string         `json:"service_name"` // at most 100 characters
	Status       Status         `json:"status"`
	LatencyMS    *int           `json:"latency_ms"` // milliseconds; nil: not measured
	CheckedAt    time.Time      `json:"checked_at"` // when the probe ran
	ErrorMessage *string        `json:"error_message"`
	ProbeDetails map[string]any `json:"probe_details"` // a JSON object, numbers as float64
	CreatedAt    time.Time      `json:"created_at"`    // when the row was stored
}

// UnmarshalJSON decodes a row as PostgREST sends it, with timestamps in PostgreSQL's
// own text form too. A time that is null becomes zero.
func (c *ServiceHealthCheck) UnmarshalJSON(data []byte) error {
	if reflect.ValueOf(c).Elem().IsZero() {
		if row, plain := rowjson.Decode(data, (*ServiceHealthCheck).column); plain {
			*c = row
			return nil
		}
	}
	type plain ServiceHealthCheck
	row := struct {
		*plain
		CheckedAt timestamp.Time `json:"checked_at"`
		CreatedAt timestamp.Time `json:"created_at"`
	}{(*plain)(c), timestamp.Time{Time: c.CheckedAt}, timestamp.Time{Time: c.CreatedAt}}
	err := json.Unmarshal(data, &row)
	c.CheckedAt, c.CreatedAt = row.CheckedAt.Time, row.CreatedAt.Time
	return err
}

// column returns where a row keeps the value of a column.
func (c *ServiceHealthCheck) column(name string) any {
	switch name {
	case "id":
		return &c.ID
	case "service_name":
		return &c.ServiceName
	case "status":
		return (*string)(&c.Status)
	case "latency_ms":
		return &c.LatencyMS
	case "checked_at":
		return &c.CheckedAt
	case "error_message":
		return &c.ErrorMessage
	case "probe_details":
		return &c.ProbeDetails
	case "created_at":
		return &c.CreatedAt
	default:
		return nil
	}
}

var checks = operation.Table[ServiceHealthCheck]{Name: table, Columns: (*ServiceHealthCheck).column}
