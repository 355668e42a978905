package alertevent

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/supabase/supabasetest"
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

// page is what PostgREST sends, more columns included that a table may have.
func page(rows int, more string) []byte {
	lines := make([]string, rows)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"id":"0190c0de-0000-7000-8000-%012d","service_name":"api-%d","alert_type":"service_down","status":"active","message":"connection refused","details":{"region": "eu", "attempt": 1, "dns_ms": 3.2},"created_at":"2026-01-02T03:04:05.%06d+00:00","acknowledged_at":"2026-01-02T03:05:05.123456+00:00","resolved_at":null%s}`, i, i%7, i, more)
	}
	return []byte("[" + strings.Join(lines, ", \n ") + "]")
}

// full has a value in every field.
func full() AlertEvent {
	return AlertEvent{
		ID: "full", ServiceName: "api", AlertType: AlertTypeRecovery, Status: StatusResolved, Message: new("down"), Details: map[string]any{"region": "eu"},
		CreatedAt: time.Unix(1, 0).UTC(), AcknowledgedAt: new(time.Unix(2, 0).UTC()), ResolvedAt: new(time.Unix(3, 0).UTC()),
	}
}

// A column that is in the struct alone would be skipped.
func TestEveryColumnIsRead(t *testing.T) {
	t.Parallel()
	want := full()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[AlertEvent]()) {
		require.False(t, reflect.ValueOf(want).FieldByIndex(field.Index).IsZero(), "the test must fill %s", field.Name)
	}
	data, err := json.Marshal(want)
	require.NoError(t, err)
	got, plain := rowjson.Decode(data, (*AlertEvent).column)
	require.True(t, plain)
	require.Equal(t, want, got)
}

// A part of a row decodes onto one as it does onto any struct: what is absent stays.
// Only a time that is null becomes zero, whose meaning that is.
func TestAPartDecodesOntoARow(t *testing.T) {
	t.Parallel()
	full := full()
	for _, part := range []string{
		`{}`, `null`, ` null `, `{"status":"down"}`, `{"id":null,"service_name":null,"status":null}`, `{"details":{"more":1}}`, `{"details":null}`,
		`{"message":null,"acknowledged_at":null,"resolved_at":null}`, `{"created_at":"2027-01-02T03:04:05Z"}`, `{"unknown":1}`, `{"STATUS":"x"}`,
		`{"status":5}`, `{"created_at":5}`, `[]`, `{"id":"x"`,
	} {
		for name, before := range map[string]AlertEvent{"full": full, "empty": {}} {
			got, want := clone(t, before), plainRow(clone(t, before))
			err, wantErr := json.Unmarshal([]byte(part), &got), json.Unmarshal([]byte(part), &want)
			require.Equal(t, wantErr == nil, err == nil, "%s onto a %s row: %v, %v", part, name, wantErr, err)
			if err == nil {
				require.Equal(t, AlertEvent(want), got, "%s onto a %s row", part, name)
			}
		}
	}
	got := clone(t, full)
	require.NoError(t, json.Unmarshal([]byte(`{"created_at":null}`), &got))
	want := clone(t, full)
	want.CreatedAt = time.Time{}
	require.Equal(t, want, got, "NULL")
}

// plainRow decodes without a method.
type plainRow AlertEvent

func clone(t *testing.T, row AlertEvent) AlertEvent {
	t.Helper()
	data, err := json.Marshal(row)
	require.NoError(t, err)
	var copied AlertEvent
	require.NoError(t, json.Unmarshal(data, &copied))
	return copied
}

// Each time is read in PostgreSQL's own form too, by either decoder; and its name says
// that it is one, by which a row that was sent is compared with what is stored.
func TestEveryTimeIsReadAsPostgreSQLPrintsIt(t *testing.T) {
	t.Parallel()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[AlertEvent]()) {
		column := field.Tag.Get("json")
		isTime := field.Type == reflect.TypeFor[time.Time]() || field.Type == reflect.TypeFor[*time.Time]()
		require.Equal(t, isTime, strings.HasSuffix(column, "_at"), column)
		if !isTime {
			continue
		}
		for _, before := range []AlertEvent{{}, {ServiceName: "filled"}} {
			row := before
			require.NoError(t, json.Unmarshal([]byte(`{"`+column+`":"2026-01-02 03:04:05.5+00"}`), &row), column)
			at := reflect.Indirect(reflect.ValueOf(row).FieldByIndex(field.Index)).Interface()
			require.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 500_000_000, time.UTC), at, column)
		}
	}
}

// Every column is sent but those that the database, or a later change, fills in.
func TestEveryColumnIsSent(t *testing.T) {
	t.Parallel()
	sent := map[string]bool{"created_at": true, "acknowledged_at": true, "resolved_at": true}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[CreateAlertEventData]()) {
		column, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		sent[column] = true
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[AlertEvent]()) {
		require.True(t, sent[field.Tag.Get("json")], "%s is not sent", field.Name)
		delete(sent, field.Tag.Get("json"))
	}
	require.Empty(t, sent)
}

// A text that PostgreSQL cannot store would be stored as another.
func TestEveryTextIsChecked(t *testing.T) {
	t.Parallel()
	for field := range reflect.TypeFor[CreateAlertEventData]().Fields() {
		column, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		var data CreateAlertEventData
		switch value := reflect.ValueOf(&data).Elem().FieldByIndex(field.Index); value.Interface().(type) {
		case *string:
			value.Set(reflect.ValueOf(new("\xff")))
		case map[string]any:
			value.Set(reflect.ValueOf(map[string]any{"a": "\xff"}))
		default:
			if value.Kind() != reflect.String {
				continue
			}
			value.SetString("\xff")
		}
		_, err := data.encode()
		require.ErrorContains(t, err, column)
	}
}

func TestTheDoubleHasEveryColumn(t *testing.T) {
	t.Parallel()
	server := supabasetest.NewServer()
	defer server.Close()
	require.NoError(t, server.Insert("alert_events", map[string]any{"service_name": "api", "alert_type": "recovery", "status": "active"}))
	row := server.Rows("alert_events")[0]
	for field := range reflect.TypeFor[AlertEvent]().Fields() {
		require.Contains(t, row, field.Tag.Get("json"))
		delete(row, field.Tag.Get("json"))
	}
	require.Empty(t, row)
}

func TestColumnsOfALaterTableAreSkipped(t *testing.T) {
	t.Parallel()
	rows, plain := rowjson.DecodeAll(page(2, `,"tenant":{"a":[1,null]},"zone_2":"x"`), (*AlertEvent).column)
	require.True(t, plain, "encoding/json would take six times as long")
	want, _ := rowjson.DecodeAll(page(2, ""), (*AlertEvent).column)
	require.Equal(t, want, rows)
	for _, name := range []string{"STATUS", "ſtatus", "Tenant", "tenañt"} {
		_, plain := rowjson.DecodeAll(page(1, `,"`+name+`":"x"`), (*AlertEvent).column)
		require.False(t, plain, name)
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, rows := range []int{1, 100, 1000} {
		for name, more := range map[string]string{"": "", "/unknown-column": `,"tenant":"a"`} {
			data := page(rows, more)
			name = fmt.Sprintf("rows=%d%s", rows, name)
			benchDecode(b, name, data, rows, func(data []byte, rows *[]AlertEvent) (ok bool) {
				*rows, ok = rowjson.DecodeAll(data, (*AlertEvent).column)
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
