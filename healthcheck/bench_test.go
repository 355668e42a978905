package healthcheck_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
)

// atOnce is a transport that answers every request with the same, without a
// network: what is left is what an operation spends.
type atOnce struct {
	status int
	body   []byte
}

func (a atOnce) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		_, _ = io.Copy(io.Discard, request.Body)
		_ = request.Body.Close()
	}
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: request,
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Content-Range": {"0-0/*"}}, ContentLength: int64(len(a.body)), Body: io.NopCloser(bytes.NewReader(a.body)),
	}, nil
}

func (a atOnce) model() healthcheck.HealthCheckModel {
	return healthcheck.HealthCheckModel{Connect: supabase.Config{
		URL: "https://abc.supabase.co", Key: "sb_secret_0123456789abcdefghijklmnopqrstuv", Transport: a,
	}.ServiceClient}
}

// rowJSON is a row as PostgREST writes it. Lower numbers are newer.
func rowJSON(i int) string {
	return fmt.Sprintf(`{"id":"0198c0de-0000-7000-8000-%012d","service_name":"payments.example.test","status":"healthy","latency_ms":%d,`+
		`"checked_at":"2026-01-02T03:04:05.123456+00:00","error_message":null,"probe_details":{"region": "eu-central-1", "attempt": 1, "dns_ms": 3.25},`+
		`"created_at":"2026-01-02T03:04:05.623456+00:00"}`, 999_999-i, i%1000)
}

func rowsJSON(n int) []byte {
	body := []byte("[")
	for i := range n {
		if i > 0 {
			body = append(body, ", \n "...)
		}
		body = append(body, rowJSON(i)...)
	}
	return append(body, ']')
}

var probed = healthcheck.CreateHealthCheckData{
	ServiceName: "payments.example.test", Status: healthcheck.StatusHealthy, LatencyMS: new(12),
	ProbeDetails: map[string]any{"region": "eu-central-1", "attempt": 1, "dns_ms": 3.25},
}

func BenchmarkCreate(b *testing.B) {
	model := atOnce{http.StatusCreated, []byte(rowJSON(1))}.model()
	b.ReportAllocs()
	for b.Loop() {
		check, err := model.Create(b.Context(), probed)
		require.NoError(b, err)
		require.NotNil(b, check)
	}
}

func BenchmarkCreateMany(b *testing.B) {
	model := atOnce{http.StatusCreated, nil}.model()
	data := make([]healthcheck.CreateHealthCheckData, 1000)
	for i := range data {
		data[i] = probed
	}
	b.ReportAllocs()
	for b.Loop() {
		stored, err := model.CreateMany(b.Context(), data)
		require.NoError(b, err)
		require.Equal(b, int64(1000), stored)
	}
}

func BenchmarkFindLatestByService(b *testing.B) {
	model := atOnce{http.StatusOK, []byte(rowJSON(1))}.model()
	b.ReportAllocs()
	for b.Loop() {
		check, err := model.FindLatestByService(b.Context(), "payments.example.test")
		require.NoError(b, err)
		require.NotNil(b, check)
	}
}

func BenchmarkFindAll(b *testing.B) {
	for _, rows := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			body := rowsJSON(rows)
			model := atOnce{http.StatusOK, body}.model()
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				checks, err := model.FindAll(b.Context(), healthcheck.FindAllOptions{Limit: rows})
				require.NoError(b, err)
				require.Len(b, checks, rows)
			}
		})
	}
}
