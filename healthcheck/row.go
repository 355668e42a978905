package healthcheck

import (
	"encoding/json"
	"reflect"
	"time"

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
// PostgreSQL's own text form, which some compatible servers send.
func (c *ServiceHealthCheck) UnmarshalJSON(data []byte) error {
	var row ServiceHealthCheck
	if reflect.ValueOf(c).Elem().IsZero() && rowjson.Scan(data,
		rowjson.Column{Name: "id", Into: &row.ID},
		rowjson.Column{Name: "service_name", Into: &row.ServiceName},
		rowjson.Column{Name: "status", Into: (*string)(&row.Status)},
		rowjson.Column{Name: "latency_ms", Into: &row.LatencyMS},
		rowjson.Column{Name: "checked_at", Into: &row.CheckedAt},
		rowjson.Column{Name: "error_message", Into: &row.ErrorMessage},
		rowjson.Column{Name: "probe_details", Into: &row.ProbeDetails},
		rowjson.Column{Name: "created_at", Into: &row.CreatedAt},
	) {
		*c = row
		return nil
	}
	return c.merge(data)
}

// merge decodes a row over what is there.
func (c *ServiceHealthCheck) merge(data []byte) error {
	type plain ServiceHealthCheck
	row := struct {
		*plain
		CheckedAt timestamp.Time `json:"checked_at"`
		CreatedAt timestamp.Time `json:"created_at"`
	}{plain: (*plain)(c)}
	if err := json.Unmarshal(data, &row); err != nil {
		return err
	}
	c.CheckedAt, c.CreatedAt = row.CheckedAt.Time, row.CreatedAt.Time
	return nil
}

// key orders lists.
func key(c *ServiceHealthCheck) (createdAt time.Time, id string) { return c.CreatedAt, c.ID }
