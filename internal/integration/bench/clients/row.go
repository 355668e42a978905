package clients

import (
	"time"

	"github.com/google/uuid"

	"github.com/supavigil/supavigil/healthcheck"
)

// Times is how a client without this library reads a timestamp: as time.Time
// from PostgREST, and as pgTime from lite.
type Times interface{ time.Time | pgTime }

// pgTime is a time in PostgreSQL's own text, which encoding/json does not read.
type pgTime struct{ time.Time }

// UnmarshalJSON reads a time such as "2026-01-02 03:04:05.123456+00".
func (t *pgTime) UnmarshalJSON(data []byte) (err error) {
	t.Time, err = time.Parse(`"2006-01-02 15:04:05.999999-07"`, string(data))
	return err
}

// check is a row of service_health_checks as one writes it down without this
// library: the same fields as healthcheck.ServiceHealthCheck.
type check[T Times] struct {
	ID           string         `json:"id"`
	ServiceName  string         `json:"service_name"`
	Status       string         `json:"status"`
	LatencyMS    *int           `json:"latency_ms"`
	CheckedAt    T              `json:"checked_at"`
	ErrorMessage *string        `json:"error_message"`
	ProbeDetails map[string]any `json:"probe_details"`
	CreatedAt    T              `json:"created_at"`
}

// alert is a row of alert_events, as alertevent.AlertEvent.
type alert[T Times] struct {
	ID             string         `json:"id"`
	ServiceName    string         `json:"service_name"`
	AlertType      string         `json:"alert_type"`
	Status         string         `json:"status"`
	Message        *string        `json:"message"`
	Details        map[string]any `json:"details"`
	CreatedAt      T              `json:"created_at"`
	AcknowledgedAt *T             `json:"acknowledged_at"`
	ResolvedAt     *T             `json:"resolved_at"`
}

// newCheck is what travels when a check is stored: the columns that this
// library's Create sends.
type newCheck struct {
	ID           string         `json:"id"`
	ServiceName  string         `json:"service_name"`
	Status       string         `json:"status"`
	LatencyMS    *int           `json:"latency_ms"`
	ErrorMessage *string        `json:"error_message"`
	ProbeDetails map[string]any `json:"probe_details"`
	CheckedAt    time.Time      `json:"checked_at"`
}

func asNewCheck(data healthcheck.CreateHealthCheckData) newCheck {
	return newCheck{
		ID:           uuid.Must(uuid.NewV7()).String(),
		ServiceName:  data.ServiceName,
		Status:       string(data.Status),
		LatencyMS:    data.LatencyMS,
		ErrorMessage: data.ErrorMessage,
		ProbeDetails: data.ProbeDetails,
		CheckedAt:    data.CheckedAt.UTC().Truncate(time.Microsecond),
	}
}

func (w *work) newCheck(n int) newCheck { return asNewCheck(w.check(n)) }

func (w *work) newChecks() []newCheck {
	rows := make([]newCheck, len(w.checks))
	for i, data := range w.checks {
		rows[i] = asNewCheck(data)
	}
	return rows
}

// acknowledgement is what an acknowledged alert gets.
type acknowledgement struct {
	Status         string    `json:"status"`
	AcknowledgedAt time.Time `json:"acknowledged_at"`
}

func acknowledged() acknowledgement {
	return acknowledgement{Status: "acknowledged", AcknowledgedAt: time.Now().UTC().Truncate(time.Microsecond)}
}
