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

	"github.com/supavigil/supavigil/healthcheck"
)

// service is what is probed.
type service struct{ name, url string }

// maxNameLength is what the column service_name holds, in characters.
const maxNameLength = 100

// parseServices names each URL by its host and path: what else is in it, such
// as a token, is not for the table.
func parseServices(urls []string) ([]service, error) {
	services := make([]service, 0, len(urls))
	for _, raw := range urls {
		parsed, err := url.Parse(raw)
		if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Hostname() == "" {
			return nil, fmt.Errorf("%q is no URL to probe: give it as https://example.com/health", raw)
		}
		name := []rune(parsed.Host + parsed.EscapedPath())
		services = append(services, service{name: string(name[:min(len(name), maxNameLength)]), url: raw})
	}
	return services, nil
}

const (
	probeTimeout = 5 * time.Second
	slow         = time.Second
	maxBody      = 1 << 20
)

// newProber returns a client that dials for each probe, so that each sees what
// a new visitor would.
func newProber() *http.Client {
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
}

// probe asks a service once. That it does not answer is a result, not an error.
func probe(ctx context.Context, client *http.Client, s service) healthcheck.CreateHealthCheckData {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	began := time.Now()
	status, err := get(ctx, client, s.url)
	took := time.Since(began)

	data := healthcheck.CreateHealthCheckData{ServiceName: s.name, CheckedAt: began}
	if status != 0 {
		data.ProbeDetails = map[string]any{"http_status": status}
	}
	if err != nil { // no latency either: nothing came whole
		data.Status, data.ErrorMessage = healthcheck.StatusDown, new(reason(err))
		return data
	}
	data.LatencyMS = new(int(took.Milliseconds()))
	switch {
	case status >= http.StatusInternalServerError:
		data.Status, data.ErrorMessage = healthcheck.StatusDown, new(fmt.Sprintf("HTTP %d", status))
	case status >= http.StatusBadRequest:
		data.Status, data.ErrorMessage = healthcheck.StatusDegraded, new(fmt.Sprintf("HTTP %d", status))
	case took > slow:
		data.Status, data.ErrorMessage = healthcheck.StatusDegraded, new(fmt.Sprintf("took %d ms", took.Milliseconds()))
	default:
		data.Status = healthcheck.StatusHealthy
	}
	return data
}

// get reads a whole answer, or as much of it as a probe needs. Beside an error,
// status says how an answer began that broke off.
func get(ctx context.Context, client *http.Client, url string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	return response.StatusCode, errors.Join(err, response.Body.Close())
}

// reason is what the table keeps of a probe's error: never the URL, which may
// hold what is not for everyone.
func reason(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %v", probeTimeout)
	}
	return err.Error()
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
