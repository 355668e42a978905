package healthcheck

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// Status is what a probe found. A status that a newer schema adds passes
// through reads as it is.
type Status string

// The statuses that service_health_checks takes.
const (
	StatusHealthy  Status = "healthy"
	StatusDegraded Status = "degraded"
	StatusDown     Status = "down"
)

// ServiceHealthCheck is a row of service_health_checks. Times are in UTC; a
// NULL in checked_at or created_at, which others may store, is the zero time.
type ServiceHealthCheck struct {
	ID          string `json:"id"`           // a UUID
	ServiceName string `json:"service_name"` // at most 100 characters
	Status      Status `json:"status"`
	// LatencyMS is how long the service took to answer, in milliseconds; nil
	// when it was not measured.
	LatencyMS *int `json:"latency_ms"`
	// CheckedAt is when the probe ran, CreatedAt when its row was stored.
	CheckedAt    time.Time `json:"checked_at"`
	ErrorMessage *string   `json:"error_message"`
	// ProbeDetails is a JSON object; its numbers come back as float64.
	ProbeDetails map[string]any `json:"probe_details"`
	CreatedAt    time.Time      `json:"created_at"`
}

// UnmarshalJSON decodes a row as PostgREST sends it, and with the timestamps of
// PostgreSQL's own text form, which some compatible servers send. What the JSON
// does not have stays as it is, as for any struct; a time that is null becomes
// zero.
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
