package alertevent

import (
	"fmt"
	"testing"
	"time"

	"github.com/supavigil/supavigil/internal/modeltest"
)

var rows = modeltest.Rows[AlertEvent, CreateAlertEventData]{
	Table: "alert_events",
	Full: AlertEvent{
		ID: "full", ServiceName: "api", AlertType: AlertTypeRecovery, Status: StatusResolved, Message: new("down"), Details: map[string]any{"region": "eu"},
		CreatedAt: time.Unix(1, 0).UTC(), AcknowledgedAt: new(time.Unix(2, 0).UTC()), ResolvedAt: new(time.Unix(3, 0).UTC()), DedupKey: new("key"),
	},
	Columns: (*AlertEvent).column,
	Check: func(data CreateAlertEventData) error {
		_, err := data.encode()
		return err
	},
	Later: []string{"created_at", "acknowledged_at", "resolved_at", "dedup_key"},
	JSON: func(i int) string {
		return fmt.Sprintf(`{"id":"0190c0de-0000-7000-8000-%012d","service_name":"api-%d","alert_type":"service_down","status":"active","message":"connection refused","details":{"region": "eu", "attempt": 1, "dns_ms": 3.2},"created_at":"2026-01-02T03:04:05.%06d+00:00","acknowledged_at":"2026-01-02T03:05:05.123456+00:00","resolved_at":null}`, i, i%7, i)
	},
	Parts: []string{`{"details":{"more":1}}`, `{"details":null}`, `{"message":null,"acknowledged_at":null,"resolved_at":null}`},
	Strange: []string{
		`{"id":"x","acknowledged_at":"infinity","details":"x","unknown":{}}`, `{"id":"x","created_at":null,"resolved_at":"2026-01-02 03:04:01+00"}`,
	},
}

func TestRows(t *testing.T) { rows.Test(t) }

func FuzzRow(f *testing.F) { rows.Fuzz(f) }

func BenchmarkDecode(b *testing.B) { rows.Benchmark(b) }
