package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
)

func TestServicesAreNamedByHostAndPath(t *testing.T) {
	t.Parallel()
	services, err := parseServices([]string{
		"https://user:confidential@example.com:8443/health?token=confidential#x",
		"http://example.com/a%2Fb%00",
		"https://bücher.example/" + strings.Repeat("a", 200),
	})
	require.NoError(t, err)
	require.Equal(t, "example.com:8443/health", services[0].name)
	require.Equal(t, "example.com/a%2Fb%00", services[1].name)
	require.Equal(t, "bücher.example/"+strings.Repeat("a", 85), services[2].name, "100 characters")
}

// answers is a service without a network, so that time can stand still.
type answers func(*http.Request) (*http.Response, error)

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func TestProbeJudges(t *testing.T) {
	t.Parallel()
	after := func(d time.Duration, status int) answers {
		return func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(d):
				return &http.Response{StatusCode: status, Body: http.NoBody}, nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
	}
	refused := func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }
	stalls := func(r *http.Request) (*http.Response, error) {
		reader, writer := io.Pipe()
		context.AfterFunc(r.Context(), func() { writer.CloseWithError(r.Context().Err()) })
		return &http.Response{StatusCode: http.StatusOK, Body: reader}, nil
	}
	const none = -1
	for name, test := range map[string]struct {
		service answers
		status  healthcheck.Status
		latency int
		message string
		code    int
	}{
		"quick":           {after(7*time.Millisecond, 200), healthcheck.StatusHealthy, 7, "", 200},
		"not modified":    {after(0, 304), healthcheck.StatusHealthy, 0, "", 304},
		"just in time":    {after(slow, 200), healthcheck.StatusHealthy, 1000, "", 200},
		"slow":            {after(slow+time.Millisecond, 200), healthcheck.StatusDegraded, 1001, "took 1001 ms", 200},
		"client error":    {after(0, 404), healthcheck.StatusDegraded, 0, "HTTP 404", 404},
		"server error":    {after(2*time.Second, 503), healthcheck.StatusDown, 2000, "HTTP 503", 503},
		"silent":          {after(time.Hour, 200), healthcheck.StatusDown, none, "no answer within 5s", 0},
		"stalls half-way": {stalls, healthcheck.StatusDown, none, "no answer within 5s", 200},
		"refused":         {refused, healthcheck.StatusDown, none, "connection refused", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				got := probe(t.Context(), &http.Client{Transport: test.service}, service{"api", "https://example.com/?token=confidential"})
				want := healthcheck.CreateHealthCheckData{ServiceName: "api", Status: test.status, CheckedAt: began}
				if test.latency != none {
					want.LatencyMS = new(test.latency)
				}
				if test.message != "" {
					want.ErrorMessage = new(test.message)
				}
				if test.code != 0 {
					want.ProbeDetails = map[string]any{"http_status": test.code}
				}
				require.Equal(t, want, got)
			})
		})
	}
}

func TestProbeReadsNoEndlessBody(t *testing.T) {
	t.Parallel()
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for chunk := make([]byte, 1<<16); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	require.Nil(t, probe(t.Context(), newProber(), service{"api", endless.URL}).ErrorMessage)
}

func TestProbeSeesABodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "no more than this")
	}))
	defer broken.Close()
	got := probe(t.Context(), newProber(), service{"api", broken.URL})
	require.Equal(t, healthcheck.StatusDown, got.Status)
	require.Equal(t, "unexpected EOF", *got.ErrorMessage)
}
