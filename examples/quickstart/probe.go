package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/supavigil/supavigil/healthcheck"
)

// service is what is probed.
type service struct{ name, url string }

// parseServices names each URL by its host and path.
func parseServices(urls []string) ([]service, error) {
	services := make([]service, 0, len(urls))
	for _, raw := range urls {
		parsed, err := url.Parse(raw)
		if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
			return nil, fmt.Errorf("%q is no URL to probe: give it as https://example.com/health", raw)
		}
		name := parsed.Host + parsed.Path
		for utf8.RuneCountInString(name) > 100 { // what the column holds
			_, size := utf8.DecodeLastRuneInString(name)
			name = name[:len(name)-size]
		}
		services = append(services, service{name: name, url: raw})
	}
	return services, nil
}

const (
	probeTimeout = 5 * time.Second
	slow         = time.Second
)

// probe asks a service once: 2xx and 3xx are healthy, if they come in time, 4xx
// are degraded, and 5xx and silence are down.
func probe(ctx context.Context, s service) healthcheck.CreateHealthCheckData {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	began := time.Now()
	status, err := get(ctx, s.url)
	took := time.Since(began)
	data := healthcheck.CreateHealthCheckData{
		ServiceName: s.name,
		Status:      healthcheck.StatusHealthy,
		LatencyMS:   new(int(took.Milliseconds())),
		CheckedAt:   began,
	}
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the URL may hold what is not for everyone
		}
		data.Status = healthcheck.StatusDown
		data.ErrorMessage = new(err.Error())
		return data
	}
	data.ProbeDetails = map[string]any{"http_status": status}
	switch {
	case status >= http.StatusInternalServerError:
		data.Status = healthcheck.StatusDown
	case status >= http.StatusBadRequest || took > slow:
		data.Status = healthcheck.StatusDegraded
	}
	if data.Status != healthcheck.StatusHealthy {
		data.ErrorMessage = new(fmt.Sprintf("HTTP %d in %d ms", status, took.Milliseconds()))
	}
	return data
}

func get(ctx context.Context, url string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	_, _ = io.CopyN(io.Discard, response.Body, 1<<20)
	return response.StatusCode, response.Body.Close()
}

// demo is two endpoints to probe when none are given.
type demo struct {
	services []service
	stop     func()
}

func startDemo() demo {
	healthy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok")
	}))
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no database", http.StatusServiceUnavailable)
	}))
	return demo{
		services: []service{{"demo-web", healthy.URL}, {"demo-payments", failing.URL}},
		stop:     func() { healthy.Close(); failing.Close() },
	}
}
