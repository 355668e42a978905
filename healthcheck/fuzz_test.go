package healthcheck

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// reference is the row, decoded by encoding/json alone.
type reference ServiceHealthCheck

func (r *reference) UnmarshalJSON(data []byte) error {
	type plain reference
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

// FuzzRow asserts that a row decodes as it does with encoding/json alone, alone and
// in a list, and that it is the same after it was marshalled.
func FuzzRow(f *testing.F) {
	for _, row := range []string{
		`{"id":"00000000-0000-4000-8000-00000000000a","service_name":"db","status":"healthy","latency_ms":12,"checked_at":"2026-01-02T03:04:01.123456+00:00","error_message":null,"probe_details":{"code":200,"nested":{"a":[1,2.5,null,true]}},"created_at":"2026-01-02T03:04:01.123456+00:00"}`,
		`{"id":"x","checked_at":"2026-01-02 03:04:05.123+00","created_at":null,"probe_details":[1],"unknown":{}}`,
		`{"id":"x","checked_at":"infinity","latency_ms":1e400}`,
		`{"id":"x","details":{"a":[1,-0,0.5,1e5,1E-5,-12.25e+3,123456789012345678,true,false,null,"",{},[]]},"probe_details":{"a":[1,-0,0.5,1e5,1E-5,-12.25e+3,123456789012345678,true,false,null,"",{},[]]}}`,
		`{"id":"\u0061\n\ud83d\ude00 é☃","service_name":"\"\\","status":null,"message":"a\tb","error_message":"a\tb"}`,
		` { "id" : "x" , "service_name" : "y" } `,
		`{"id":"x","ID":"y","id":"z","Service_Name":"q"}`,
		`{"id":"x"} {}`, `{"id":5}`, `{"id":"x",}`, `{"id":"x" "a":1}`, `{"probe_details":{"a":1,"a":2},"details":{"a":01}}`,
		`{"id":"x","tenant":{"a":[1,"\u00e9"]},"n1":1e400}`, `{"tenant":null,"id":"x","Tenant":1,"ſtatus":"down","STATUS":"up"}`, `{"a_1":1,"a_1":2,"id":"x","":tru}`,
		`{"latency_ms":1.5}`, `{"latency_ms":-0}`, `{"latency_ms":2147483648}`, `{"latency_ms":99999999999999999999}`, `{"latency_ms":"1"}`,
		`null`, `[]`, `{}`, ``, `{`, `[{},null]`, "{\"id\":\"\xff\"}", "{\"id\":\"\x01\"}",
	} {
		f.Add([]byte(row))
		f.Add([]byte("[" + row + ",\n " + row + "]"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var check, again ServiceHealthCheck
		var want reference
		err := json.Unmarshal(data, &check)
		wantErr := json.Unmarshal(data, &want)
		require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		if row, plain := rowjson.Decode(data, (*ServiceHealthCheck).column); plain {
			require.NoError(t, wantErr)
			require.Equal(t, ServiceHealthCheck(want), row)
		}
		var wanted []reference
		wantErr = json.Unmarshal(data, &wanted)
		if rows, plain := rowjson.DecodeAll(data, (*ServiceHealthCheck).column); plain {
			require.NoError(t, wantErr)
			require.Len(t, rows, len(wanted))
			for i, row := range rows {
				require.Equal(t, ServiceHealthCheck(wanted[i]), row)
			}
		}
		if err != nil {
			return
		}
		require.Equal(t, ServiceHealthCheck(want), check)
		marshalled, err := json.Marshal(check)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(marshalled, &again))
		require.Equal(t, check, again)
	})
}
