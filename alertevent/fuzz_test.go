package alertevent_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// reference is a row that encoding/json decodes alone.
type reference alertevent.AlertEvent

func (r *reference) UnmarshalJSON(data []byte) error {
	type plain alertevent.AlertEvent
	row := struct {
		*plain
		CreatedAt      timestamp.Time `json:"created_at"`
		AcknowledgedAt timestamp.Time `json:"acknowledged_at"`
		ResolvedAt     timestamp.Time `json:"resolved_at"`
	}{plain: (*plain)(r)}
	if err := json.Unmarshal(data, &row); err != nil {
		return err
	}
	r.CreatedAt = row.CreatedAt.Time
	r.AcknowledgedAt, r.ResolvedAt = row.AcknowledgedAt.Pointer(), row.ResolvedAt.Pointer()
	return nil
}

// full has no zero in any column.
func full() alertevent.AlertEvent {
	return alertevent.AlertEvent{
		ID: "full", ServiceName: "api", AlertType: alertevent.AlertTypeRecovery, Status: alertevent.StatusResolved, Message: new("down"), Details: map[string]any{"region": "eu"},
		CreatedAt: time.Unix(1, 0).UTC(), AcknowledgedAt: new(time.Unix(2, 0).UTC()), ResolvedAt: new(time.Unix(3, 0).UTC()),
	}
}

// FuzzRow asserts that a row and a list decode as encoding/json alone would
// decode them, errors included, and that a row that decodes is the same after it
// was marshalled.
func FuzzRow(f *testing.F) {
	for _, row := range []string{
		`{"id":"00000000-0000-4000-8000-00000000000a","service_name":"db","alert_type":"service_down","status":"active","message":"down","details":{"n":3},"created_at":"2026-01-02T03:04:01.123456+00:00","acknowledged_at":null,"resolved_at":"2026-01-02 03:04:01+00"}`,
		`{"id":"x","acknowledged_at":"infinity","details":"x","unknown":{}}`,
		`{"id":"x","message":"a \"b\" \\ \ud83d\ude00 é ` + "\xff" + `","details":{"é\n":-0.5e-7,"a":{},"b":[]}}`,
		` { "ID" : "x" , "id" : "y", "ſtatus":"down", "status":null, "message":"1", "message":null, "details":{"a":1}, "details":{"b":01} } `,
		`{"resolved_at":"0001-01-01T00:00:00Z","acknowledged_at":"2026-01-02T03:04:01Z","acknowledged_at":null,"new":[1,{"a":1e999}],"details":{"a":[[[[1]]],false,"\u0000"],"a":2}}`,
		`{"message":1,"status":5}`,
		`{"id":"x"}]`,
		`null`,
		`[]`,
	} {
		f.Add([]byte(row))
		f.Add([]byte("[" + row + ", \n " + row + "]"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want reference
		var alert, again alertevent.AlertEvent
		wantErr, err := json.Unmarshal(data, &want), json.Unmarshal(data, &alert)
		same(t, wantErr, err)
		require.Equal(t, alertevent.AlertEvent(want), alert)

		used, wantUsed := full(), reference(full())
		same(t, json.Unmarshal(data, &wantUsed), json.Unmarshal(data, &used))
		require.Equal(t, alertevent.AlertEvent(wantUsed), used, "over a row that was there")

		for _, list := range []string{string(data), "[" + string(data) + "]", `[{"id":"\"]"},` + string(data) + "\n]"} {
			var wantRows []reference
			wantErr := json.Unmarshal([]byte(list), &wantRows)
			rows, err := rowjson.Rows[alertevent.AlertEvent]([]byte(list))
			same(t, wantErr, err)
			if err != nil {
				continue
			}
			require.Equal(t, wantRows == nil, rows == nil)
			require.Len(t, rows, len(wantRows))
			for i := range rows {
				require.Equal(t, alertevent.AlertEvent(wantRows[i]), rows[i])
			}
		}

		if err != nil {
			return
		}
		marshalled, err := json.Marshal(alert)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(marshalled, &again))
		require.Equal(t, alert, again)
	})
}

// same compares errors but for the names of types.
func same(t *testing.T, want, err error) {
	t.Helper()
	if want == nil {
		require.NoError(t, err)
		return
	}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](want); ok {
		got, ok := errors.AsType[*json.UnmarshalTypeError](err)
		require.True(t, ok, "%v, not %v", err, want)
		require.Equal(t, mismatch.Value, got.Value)
		require.Equal(t, mismatch.Field, got.Field)
		return
	}
	require.EqualError(t, err, want.Error())
}
