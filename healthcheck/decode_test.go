package healthcheck

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

// page is what PostgREST sends, more columns included that a table may have.
func page(rows int, more string) []byte {
	lines := make([]string, rows)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"id":"0190c0de-0000-7000-8000-%012d","service_name":"api-%d","status":"healthy","latency_ms":%d,"checked_at":"2026-01-02T03:04:05.123456+00:00","error_message":null,"probe_details":{"dns_ms": 3.2, "region": "eu", "attempt": 1},"created_at":"2026-01-02T03:04:05.%06d+00:00"%s}`, i, i%7, i, i, more)
	}
	return []byte("[" + strings.Join(lines, ", \n ") + "]")
}

// A column that is in the struct alone would be skipped.
func TestEveryColumnIsRead(t *testing.T) {
	t.Parallel()
	want := ServiceHealthCheck{
		ID: "full", ServiceName: "api", Status: StatusDown, LatencyMS: new(7), CheckedAt: time.Unix(1, 0).UTC(),
		ErrorMessage: new("refused"), ProbeDetails: map[string]any{"region": "eu"}, CreatedAt: time.Unix(2, 0).UTC(),
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[ServiceHealthCheck]()) {
		require.False(t, reflect.ValueOf(want).FieldByIndex(field.Index).IsZero(), "the test must fill %s", field.Name)
	}
	data, err := json.Marshal(want)
	require.NoError(t, err)
	got, plain := rowjson.Row(data, readColumn)
	require.True(t, plain)
	require.Equal(t, want, got)
}

func TestColumnsOfALaterTableAreSkipped(t *testing.T) {
	t.Parallel()
	rows, plain := rowjson.Rows(page(2, `,"tenant":{"a":[1,null]},"zone_2":"x"`), readColumn)
	require.True(t, plain, "encoding/json would take six times as long")
	want, _ := rowjson.Rows(page(2, ""), readColumn)
	require.Equal(t, want, rows)
	for _, name := range []string{"STATUS", "ſtatus", "Tenant", "tenañt"} {
		_, plain := rowjson.Rows(page(1, `,"`+name+`":"x"`), readColumn)
		require.False(t, plain, name)
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, rows := range []int{1, 100, 1000} {
		for name, more := range map[string]string{"": "", "/unknown-column": `,"tenant":"a"`} {
			data := page(rows, more)
			name = fmt.Sprintf("rows=%d%s", rows, name)
			benchDecode(b, name, data, rows, func(data []byte, rows *[]ServiceHealthCheck) (ok bool) {
				*rows, ok = rowjson.Rows(data, readColumn)
				return ok
			})
			benchDecode(b, name+"/hand-written", data, rows, func(data []byte, rows *[]handWritten) bool { return json.Unmarshal(data, rows) == nil })
			benchDecode(b, name+"/reference", data, rows, func(data []byte, rows *[]reference) bool { return json.Unmarshal(data, rows) == nil })
		}
	}
}

func benchDecode[R any](b *testing.B, name string, data []byte, want int, decode func([]byte, *[]R) bool) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var rows []R
			if !decode(data, &rows) || len(rows) != want {
				b.Fatal(len(rows))
			}
		}
	})
}
