package alertevent_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/internal/rowjson"
)

// handWritten is what a program without this library would decode into.
type handWritten struct {
	ID             string         `json:"id"`
	ServiceName    string         `json:"service_name"`
	AlertType      string         `json:"alert_type"`
	Status         string         `json:"status"`
	Message        *string        `json:"message"`
	Details        map[string]any `json:"details"`
	CreatedAt      time.Time      `json:"created_at"`
	AcknowledgedAt *time.Time     `json:"acknowledged_at"`
	ResolvedAt     *time.Time     `json:"resolved_at"`
}

// page is what PostgREST sends: a line for each row, and spaces in JSONB.
func page(rows int) []byte {
	lines := make([]string, rows)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"id":"0190c0de-0000-7000-8000-%012d","service_name":"api-%d","alert_type":"service_down","status":"active","message":"connection refused","details":{"region": "eu", "attempt": 1, "latency_ms": 3.2},"created_at":"2026-01-02T03:04:05.%06d+00:00","acknowledged_at":"2026-01-02T03:05:05.123456+00:00","resolved_at":null}`, i, i%7, i)
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
	var alert alertevent.AlertEvent
	require.NoError(t, json.Unmarshal(data, &alert))
	require.Equal(t, want, alert)
}

func TestDecodingAllocatesLittle(t *testing.T) {
	const rows = 100
	data := page(rows)
	allocations := testing.AllocsPerRun(10, func() { _, _ = rowjson.Rows[alertevent.AlertEvent](data) })
	require.LessOrEqual(t, allocations/rows, 17.0, "a row")
}

func BenchmarkDecode(b *testing.B) {
	for _, rows := range []int{1, 100, 1000} {
		data := page(rows)
		bench(b, fmt.Sprintf("rows=%d", rows), data, rows, rowjson.Rows[alertevent.AlertEvent])
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
	bench(b, "object", object, 1, func(data []byte) ([]alertevent.AlertEvent, error) {
		rows := make([]alertevent.AlertEvent, 1)
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
