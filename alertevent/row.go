package alertevent

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
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
	// Acknowledge and Resolve, or the database's where ResolveOpen or Transition
	// did it; nil until then. AcknowledgedAt stays nil in an
	// alert that was resolved at once, and either in one created with a later
	// status.
	AcknowledgedAt *time.Time `json:"acknowledged_at"`
	ResolvedAt     *time.Time `json:"resolved_at"`
	// DedupKey is what the alert was raised for: at most one alert of a service and
	// key is open. It is nil in one that was only created, and without migration 016.
	DedupKey *string `json:"dedup_key"`
}

// UnmarshalJSON decodes a row as PostgREST sends it, and with the timestamps of
// PostgreSQL's own text form, which some compatible servers send. What the JSON
// does not have stays as it is, as for any struct; a CreatedAt that is null becomes
// zero.
func (a *AlertEvent) UnmarshalJSON(data []byte) error {
	if reflect.ValueOf(a).Elem().IsZero() {
		if row, plain := rowjson.Decode(data, (*AlertEvent).column); plain {
			*a = row
			return nil
		}
	}
	type plain AlertEvent
	row := struct {
		*plain
		CreatedAt      timestamp.Time  `json:"created_at"`
		AcknowledgedAt *timestamp.Time `json:"acknowledged_at"`
		ResolvedAt     *timestamp.Time `json:"resolved_at"`
	}{(*plain)(a), timestamp.Time{Time: a.CreatedAt}, timestamp.Of(a.AcknowledgedAt), timestamp.Of(a.ResolvedAt)}
	err := json.Unmarshal(data, &row)
	a.CreatedAt, a.AcknowledgedAt, a.ResolvedAt = row.CreatedAt.Time, row.AcknowledgedAt.Pointer(), row.ResolvedAt.Pointer()
	return err
}

// column returns where a row keeps the value of a column.
func (a *AlertEvent) column(name string) any {
	switch name {
	case "id":
		return &a.ID
	case "service_name":
		return &a.ServiceName
	case "alert_type":
		return (*string)(&a.AlertType)
	case "status":
		return (*string)(&a.Status)
	case "message":
		return &a.Message
	case "details":
		return &a.Details
	case "created_at":
		return &a.CreatedAt
	case "acknowledged_at":
		return &a.AcknowledgedAt
	case "resolved_at":
		return &a.ResolvedAt
	case "dedup_key":
		return &a.DedupKey
	default:
		return nil
	}
}

var alerts = operation.Table[AlertEvent]{Name: "alert_events", Columns: (*AlertEvent).column}
