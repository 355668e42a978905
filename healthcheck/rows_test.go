package healthcheck

import (
	"fmt"
	"testing"
	"time"

	"github.com/supavigil/supavigil/internal/modeltest"
)

var rows = modeltest.Rows[ServiceHealthCheck, CreateHealthCheckData]{
	Table: "service_health_checks",
	Full: ServiceHealthCheck{
		ID: "full", ServiceName: "api", Status: StatusDown, LatencyMS: new(7), CheckedAt: time.Unix(1, 0).UTC(),
		ErrorMessage: new("refused"), ProbeDetails: map[string]any{"region": "eu"}, CreatedAt: time.Unix(2, 0).UTC(),
	},
	Columns: (*ServiceHealthCheck).column,
	Check: func(data CreateHealthCheckData) error {
		_, err := data.encode()
		return err
	},
	Later: []string{"created_at"},
	JSON: func(i int) string {
		return fmt.Sprintf(`{"id":"0190c0de-0000-7000-8000-%012d","service_name":"api-%d","status":"healthy","latency_ms":%d,"checked_at":"2026-01-02T03:04:05.123456+00:00","error_message":null,"probe_details":{"dns_ms": 3.2, "region": "eu", "nested":{"a":[1,2.5,null,true]}},"created_at":"2026-01-02T03:04:05.%06d+00:00"}`, i, i%7, i, i)
	},
	Parts: []string{`{"probe_details":{"more":1}}`, `{"probe_details":null}`, `{"latency_ms":null,"error_message":null}`},
	Strange: []string{
		`{"id":"x","checked_at":"2026-01-02 03:04:05.123+00","created_at":null,"probe_details":[1],"unknown":{}}`,
		`{"id":"x","checked_at":"infinity","latency_ms":1e400}`,
		`{"latency_ms":1.5}`, `{"latency_ms":-0}`, `{"latency_ms":2147483648}`, `{"latency_ms":99999999999999999999}`, `{"latency_ms":"1"}`,
	},
}

func TestRows(t *testing.T) { rows.Test(t) }

func FuzzRow(f *testing.F) { rows.Fuzz(f) }

func BenchmarkDecode(b *testing.B) { rows.Benchmark(b) }
