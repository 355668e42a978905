package alertevent

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// reference is the row, decoded by encoding/json alone.
type reference AlertEvent

func (r *reference) UnmarshalJSON(data []byte) error {
	type plain reference
	row := struct {
		*plain
		CreatedAt      timestamp.Time  `json:"created_at"`
		AcknowledgedAt *timestamp.Time `json:"acknowledged_at"`
		ResolvedAt     *timestamp.Time `json:"resolved_at"`
	}{plain: (*plain)(r)}
	if err := json.Unmarshal(data, &row); err != nil {
		return err
	}
	r.CreatedAt = row.CreatedAt.Time
	r.AcknowledgedAt, r.ResolvedAt = row.AcknowledgedAt.Pointer(), row.ResolvedAt.Pointer()
	return nil
}

// FuzzRow asserts that a row decodes as it does with encoding/json alone, alone and
// in a list, and that it is the same after it was marshalled.
func FuzzRow(f *testing.F) {
	for _, row := range []string{
		`{"id":"00000000-0000-4000-8000-00000000000a","service_name":"db","alert_type":"service_down","status":"active","message":"down","details":{"n":3},"created_at":"2026-01-02T03:04:01.123456+00:00","acknowledged_at":null,"resolved_at":"2026-01-02 03:04:01+00"}`,
		`{"id":"x","acknowledged_at":"infinity","details":"x","unknown":{}}`,
		`{"id":"x","details":{"a":[1,-0,0.5,1e5,1E-5,-12.25e+3,123456789012345678,true,false,null,"",{},[]]},"probe_details":{"a":[1,-0,0.5,1e5,1E-5,-12.25e+3,123456789012345678,true,false,null,"",{},[]]}}`,
		`{"id":"\u0061\n\ud83d\ude00 é☃","service_name":"\"\\","status":null,"message":"a\tb","error_message":"a\tb"}`,
		` { "id" : "x" , "service_name" : "y" } `,
		`{"id":"x","ID":"y","id":"z","Service_Name":"q"}`,
		`{"id":"x"} {}`, `{"id":5}`, `{"id":"x",}`, `{"id":"x" "a":1}`, `{"probe_details":{"a":1,"a":2},"details":{"a":01}}`,
		`{"latency_ms":1.5}`, `{"latency_ms":-0}`, `{"latency_ms":2147483648}`, `{"latency_ms":99999999999999999999}`, `{"latency_ms":"1"}`,
		`{"id":"x","tenant":{"a":[1,"\u00e9"]},"n1":1e400}`, `{"tenant":null,"id":"x","Tenant":1,"ſtatus":"down","STATUS":"up"}`, `{"a_1":1,"a_1":2,"id":"x","":tru}`,
		`null`, `[]`, `{}`, ``, `{`, `[{},null]`, "{\"id\":\"\xff\"}", "{\"id\":\"\x01\"}",
	} {
		f.Add([]byte(row))
		f.Add([]byte("[" + row + ",\n " + row + "]"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var alert, again AlertEvent
		var want reference
		err := json.Unmarshal(data, &alert)
		wantErr := json.Unmarshal(data, &want)
		require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		if row, plain := rowjson.Decode(data, (*AlertEvent).column); plain {
			require.NoError(t, wantErr)
			require.Equal(t, AlertEvent(want), row)
		}
		var wanted []reference
		wantErr = json.Unmarshal(data, &wanted)
		if rows, plain := rowjson.DecodeAll(data, (*AlertEvent).column); plain {
			require.NoError(t, wantErr)
			require.Len(t, rows, len(wanted))
			for i, row := range rows {
				require.Equal(t, AlertEvent(wanted[i]), row)
			}
		}
		if err != nil {
			return
		}
		require.Equal(t, AlertEvent(want), alert)
		marshalled, err := json.Marshal(alert)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(marshalled, &again))
		require.Equal(t, alert, again)
	})
}
