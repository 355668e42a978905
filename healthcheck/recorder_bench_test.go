package healthcheck_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
)

// BenchmarkRecord is what handing in costs a probe. Rows are dropped, oldest first,
// as the server hangs.
func BenchmarkRecord(b *testing.B) {
	for name, details := range map[string]map[string]any{
		"plain": nil, "details": {"http_status": 200, "region": "eu", "timings": []any{1.5, 2.5}},
	} {
		b.Run(name, func(b *testing.B) {
			config := supabase.Config{URL: "http://localhost", Key: "sb_secret_x", Transport: hanging{}}
			r := healthcheck.NewRecorder(healthcheck.HealthCheckModel{Connect: config.ServiceClient}, healthcheck.RecorderOptions{DropOldest: true})
			data := healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusHealthy, LatencyMS: new(12), ProbeDetails: details}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if err := r.Record(b.Context(), data); err != nil {
					b.Fatal(err)
				}
				n++
			}
			require.EqualValues(b, n, r.Stats().Recorded)
			_ = r.Close(ended(b))
		})
	}
}

// hanging is a server that never answers.
type hanging struct{}

func (hanging) RoundTrip(request *http.Request) (*http.Response, error) {
	<-request.Context().Done()
	return nil, request.Context().Err()
}
