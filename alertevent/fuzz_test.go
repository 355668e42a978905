package alertevent_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
)

// FuzzRow asserts that a row that decodes is the same after it was marshalled.
func FuzzRow(f *testing.F) {
	f.Add([]byte(`{"id":"00000000-0000-4000-8000-00000000000a","service_name":"db","alert_type":"service_down","status":"active","message":"down","details":{"n":3},"created_at":"2026-01-02T03:04:01.123456+00:00","acknowledged_at":null,"resolved_at":"2026-01-02 03:04:01+00"}`))
	f.Add([]byte(`{"id":"x","acknowledged_at":"infinity","details":"x","unknown":{}}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var alert, again alertevent.AlertEvent
		if json.Unmarshal(data, &alert) != nil {
			return
		}
		marshalled, err := json.Marshal(alert)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(marshalled, &again))
		require.Equal(t, alert, again)
	})
}
