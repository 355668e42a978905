package healthcheck_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/internal/rowjson"
)

// handWritten is what a program without this library would decode into.
type handWritten struct {
	ID           string         `json:"id"`
	ServiceName  string         `json:"service_name"`
	Status       string         `json:"status"`
	LatencyMS    *int           `json:"latency_ms"`
	CheckedAt    time.Time      `json:"checked_at"`
	ErrorMessage *string        `json:"error_message"`
	ProbeDetails map[string]any `json:"probe_details"`
	CreatedAt    time.Time      `json:"created_at"`
}

// page is what PostgREST sends: a line for each row, and spaces in JSONB.
func page(rows int) []byte {
	lines := make([]string, rows)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"id":"0190c0de-0000-7000-8000-%012d","service_name":"api-%d","status":"healthy","latency_ms":%d,"checked_at":"2026-01-02T03:04:05.123456+00:00","error_message":null,"probe_details":{"dns_ms": 3.2, "region": "eu", "attempt": 1},"created_at":"2026-01-02T03:04:05.%06d+00:00"}`, i, i%7, i, i)
	}
	return []byte("[" + strings.Join(lines, ", \n ") + "]")
}

func TestEveryColumnIsDecoded(t *testing.T) {
	t.Parallel()
	want := full()
	data, err := json.Marshal(want)
	require.NoError(t, err)
	row := reflect.ValueOf(want)
	for i := range row.NumField() {
		require.False(t, row.Field(i).IsZero(), "full() must fill %s", row.Type().Field(i).Name)
	}
	var check healthcheck.ServiceHealthCheck
	require.NoError(t, json.Unmarshal(data, &check))
	require.Equal(t, want, check)
}

func TestDecodingAllocatesLittle(t *testing.T) {
	const rows = 100
	data := page(rows)
	allocations := testing.AllocsPerRun(10, func() { _, _ = rowjson.Rows[healthcheck.ServiceHealthCheck](data) })
	require.LessOrEqual(t, allocations/rows, 14.0, "a row")
}

func BenchmarkDecode(b *testing.B) {
	for _, rows := range []int{1, 100, 1000} {
		data := page(rows)
		bench(b, fmt.Sprintf("rows=%d", rows), data, rows, rowjson.Rows[healthcheck.ServiceHealthCheck])
		bench(b, fmt.Sprintf("rows=%d/hand-written", rows), data, rows, func(data []byte) (rows []handWritten, err error) {
			err = json.Unmarshal(data, &rows)
			return rows, err
		})
		bench(b, fmt.Sprintf("rows=%d/reference", rows), data, rows, func(data []byte) (rows []reference, err error) {
			err = json.Unmarshal(data, &rows)
			return rows, err
		})
	}
	object := bytes.Trim(page(1), "[]")
	bench(b, "object", object, 1, func(data []byte) ([]healthcheck.ServiceHealthCheck, error) {
		rows := make([]healthcheck.ServiceHealthCheck, 1)
		return rows, json.Unmarshal(data, &rows[0])
	})
	bench(b, "object/hand-written", object, 1, func(data []byte) ([]handWritten, error) {
		rows := make([]handWritten, 1)
		return rows, json.Unmarshal(data, &rows[0])
	})
	bench(b, "object/reference", object, 1, func(data []byte) ([]reference, error) {
		rows := make([]reference, 1)
		return rows, json.Unmarshal(data, &rows[0])
	})
}

func bench[R any](b *testing.B, name string, data []byte, rows int, decode func([]byte) ([]R, error)) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if decoded, err := decode(data); err != nil || len(decoded) != rows {
				b.Fatal(len(decoded), err)
			}
		}
	})
}
