package healthcheck_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
)

// FuzzRow asserts that a row that decodes is the same after it was marshalled.
func FuzzRow(f *testing.F) {
	f.Add([]byte(`{"id":"00000000-0000-4000-8000-00000000000a","service_name":"db","status":"healthy","latency_ms":12,"checked_at":"2026-01-02T03:04:01.123456+00:00","error_message":null,"probe_details":{"code":200,"nested":{"a":[1,2.5,null,true]}},"created_at":"2026-01-02T03:04:01.123456+00:00"}`))
	f.Add([]byte(`{"id":"x","checked_at":"2026-01-02 03:04:05.123+00","created_at":null,"probe_details":[1],"unknown":{}}`))
	f.Add([]byte(`{"id":"x","checked_at":"infinity","latency_ms":1e400}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var check, again healthcheck.ServiceHealthCheck
		if json.Unmarshal(data, &check) != nil {
			return
		}
		marshalled, err := json.Marshal(check)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(marshalled, &again))
		require.Equal(t, check, again)
	})
}
