package alertevent

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// AlertType is what an alert is about. A type that a newer schema adds passes
// through reads as it is.
type AlertType string

// The types that alert_events takes.
const (
	AlertTypeServiceDown     AlertType = "service_down"
	AlertTypeServiceDegraded AlertType = "service_degraded"
	AlertTypeRecovery        AlertType = "recovery"
)

// Status is how far an alert has come. A status that a newer schema adds passes
// through reads as it is.
type Status string

// The statuses that alert_events takes.
const (
	StatusActive       Status = "active"
	StatusAcknowledged Status = "acknowledged"
	StatusResolved     Status = "resolved"
)

// AlertEvent is a row of alert_events. Times are in UTC; a NULL in created_at,
// which others may store, is the zero time.
type AlertEvent struct {
	ID          string    `json:"id"`           // a UUID
	ServiceName string    `json:"service_name"` // at most 100 characters
	AlertType   AlertType `json:"alert_type"`
	Status      Status    `json:"status"`
	Message     *string   `json:"message"`
	// Details is a JSON object; its numbers come back as float64.
	Details   map[string]any `json:"details"`
	CreatedAt time.Time      `json:"created_at"`
	// AcknowledgedAt and ResolvedAt are by the clock of whoever called
	// Acknowledge and Resolve; nil until then. AcknowledgedAt stays nil in an
	// alert that was resolved at once, and either in one created with a later
	// status.
	AcknowledgedAt *time.Time `json:"acknowledged_at"`
	ResolvedAt     *time.Time `json:"resolved_at"`
}

// UnmarshalJSON decodes a row as PostgREST sends it, and with the timestamps of
// PostgreSQL's own text form, which some compatible servers send.
func (a *AlertEvent) UnmarshalJSON(data []byte) error {
	var row AlertEvent
	if reflect.ValueOf(a).Elem().IsZero() && rowjson.Scan(data,
		rowjson.Column{Name: "id", Into: &row.ID},
		rowjson.Column{Name: "service_name", Into: &row.ServiceName},
		rowjson.Column{Name: "alert_type", Into: (*string)(&row.AlertType)},
		rowjson.Column{Name: "status", Into: (*string)(&row.Status)},
		rowjson.Column{Name: "message", Into: &row.Message},
		rowjson.Column{Name: "details", Into: &row.Details},
		rowjson.Column{Name: "created_at", Into: &row.CreatedAt},
		rowjson.Column{Name: "acknowledged_at", Into: &row.AcknowledgedAt},
		rowjson.Column{Name: "resolved_at", Into: &row.ResolvedAt},
	) {
		*a = row
		return nil
	}
	return a.merge(data)
}

// merge decodes a row over what is there.
func (a *AlertEvent) merge(data []byte) error {
	type plain AlertEvent
	row := struct {
		*plain
		CreatedAt      timestamp.Time `json:"created_at"`
		AcknowledgedAt timestamp.Time `json:"acknowledged_at"`
		ResolvedAt     timestamp.Time `json:"resolved_at"`
	}{plain: (*plain)(a)}
	if err := json.Unmarshal(data, &row); err != nil {
		return err
	}
	a.CreatedAt = row.CreatedAt.Time
	a.AcknowledgedAt, a.ResolvedAt = row.AcknowledgedAt.Pointer(), row.ResolvedAt.Pointer()
	return nil
}

// key orders lists.
func key(a *AlertEvent) (createdAt time.Time, id string) { return a.CreatedAt, a.ID }
