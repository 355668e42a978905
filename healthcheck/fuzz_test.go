package healthcheck_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// reference is a row that encoding/json decodes alone.
type reference healthcheck.ServiceHealthCheck

func (r *reference) UnmarshalJSON(data []byte) error {
	type plain healthcheck.ServiceHealthCheck
	row := struct {
		*plain
		CheckedAt timestamp.Time `json:"checked_at"`
		CreatedAt timestamp.Time `json:"created_at"`
	}{plain: (*plain)(r)}
	if err := json.Unmarshal(data, &row); err != nil {
		return err
	}
	r.CheckedAt, r.CreatedAt = row.CheckedAt.Time, row.CreatedAt.Time
	return nil
}

// full has no zero in any column.
func full() healthcheck.ServiceHealthCheck {
	return healthcheck.ServiceHealthCheck{
		ID: "full", ServiceName: "api", Status: healthcheck.StatusDown, LatencyMS: new(7), CheckedAt: time.Unix(1, 0).UTC(),
		ErrorMessage: new("refused"), ProbeDetails: map[string]any{"region": "eu"}, CreatedAt: time.Unix(2, 0).UTC(),
	}
}

// FuzzRow asserts that a row and a list decode as encoding/json alone would
// decode them, errors included, and that a row that decodes is the same after it
// was marshalled.
func FuzzRow(f *testing.F) {
	for _, row := range []string{
		`{"id":"00000000-0000-4000-8000-00000000000a","service_name":"db","status":"healthy","latency_ms":12,"checked_at":"2026-01-02T03:04:01.123456+00:00","error_message":null,"probe_details":{"code":200,"nested":{"a":[1,2.5,null,true]}},"created_at":"2026-01-02T03:04:01.123456+00:00"}`,
		`{"id":"x","checked_at":"2026-01-02 03:04:05.123+00","created_at":null,"probe_details":[1],"unknown":{}}`,
		`{"id":"x","checked_at":"infinity","latency_ms":1e400}`,
		`{"id":"x","error_message":"a \"b\" \\ \ud83d\ude00 é ` + "\xff" + `","latency_ms":-0,"probe_details":{"é\n":-0.5e-7,"a":{},"b":[]}}`,
		` { "ID" : "x" , "id" : "y", "ſtatus":"down", "status":null, "latency_ms":1, "latency_ms":null, "probe_details":{"a":1}, "probe_details":{"b":01} } `,
		`{"created_at":"2026-01-02T03:04:01Z","new":[1,{"a":1e999}],"probe_details":{"a":[[[[1]]],false,"\u0000"],"a":2}}`,
		`{"latency_ms":9223372036854775808}`,
		`{"latency_ms":"1","status":5}`,
		`{"id":"x"}]`,
		`null`,
		`[]`,
	} {
		f.Add([]byte(row))
		f.Add([]byte("[" + row + ", \n " + row + "]"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want reference
		var check, again healthcheck.ServiceHealthCheck
		wantErr, err := json.Unmarshal(data, &want), json.Unmarshal(data, &check)
		same(t, wantErr, err)
		require.Equal(t, healthcheck.ServiceHealthCheck(want), check)

		used, wantUsed := full(), reference(full())
		same(t, json.Unmarshal(data, &wantUsed), json.Unmarshal(data, &used))
		require.Equal(t, healthcheck.ServiceHealthCheck(wantUsed), used, "over a row that was there")

		for _, list := range []string{string(data), "[" + string(data) + "]", `[{"id":"\"]"},` + string(data) + "\n]"} {
			var wantRows []reference
			wantErr := json.Unmarshal([]byte(list), &wantRows)
			rows, err := rowjson.Rows[healthcheck.ServiceHealthCheck]([]byte(list))
			same(t, wantErr, err)
			if err != nil {
				continue
			}
			require.Equal(t, wantRows == nil, rows == nil)
			require.Len(t, rows, len(wantRows))
			for i := range rows {
				require.Equal(t, healthcheck.ServiceHealthCheck(wantRows[i]), rows[i])
			}
		}

		if err != nil {
			return
		}
		marshalled, err := json.Marshal(check)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(marshalled, &again))
		require.Equal(t, check, again)
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
