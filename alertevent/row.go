package alertevent

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// AlertType is what an alert is about. Reads return newer schemas' types as is.
type AlertType string

// The types.
const (
	AlertTypeServiceDown     AlertType = "service_down"
	AlertTypeServiceDegraded AlertType = "service_degraded"
	AlertTypeRecovery        AlertType = "recovery"
)

// Status is where an alert stands. Reads return values of a newer schema as is.
type Status string

// The statuses.
const (
	StatusActive       Status = "active"
	StatusAcknowledged Status = "acknowledged"
	StatusResolved     Status = "resolved"
)

// AlertEvent is a row of alert_events. Times are in UTC. A NULL in created_at, which
// other programs may store, is the zero time: such an alert comes last in lists, is
// not within Since and Until, and DeleteOlderThan keeps it.
type AlertEvent struct {
	ID             string         `json:"id"`           // a UUID
	ServiceName    string         `json:"service_name"` // at most 100 characters
	AlertType      AlertType      `json:"alert_type"`
	Status         Status         `json:"status"`
	Message        *string        `json:"message"`
	Details        map[string]any `json:"details"`         // a JSON object, numbers as float64
	CreatedAt      time.Time      `json:"created_at"`      // when the row was stored
	AcknowledgedAt *time.Time     `json:"acknowledged_at"` // nil: it was not, or it was reopened
	ResolvedAt     *time.Time     `json:"resolved_at"`     // nil: likewise
	DedupKey       *string        `json:"dedup_key"`       // at most one alert of a service and key is open; nil: not raised
}

// UnmarshalJSON decodes a row as PostgREST sends it, with timestamps in PostgreSQL's
// own text form too. A CreatedAt that is null becomes zero.
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
