package main

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// timings is a transport that remembers how long requests took, by method.
type timings struct {
	http.Transport
	mu      sync.Mutex
	methods map[string]*timing
}

type timing struct {
	took   []time.Duration
	failed int
}

func newTimings() *timings {
	return &timings{
		Transport: http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64},
		methods:   map[string]*timing{},
	}
}

func (t *timings) RoundTrip(request *http.Request) (*http.Response, error) {
	began := time.Now()
	response, err := t.Transport.RoundTrip(request)
	took := time.Since(began)
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.methods[request.Method]
	if m == nil {
		m = &timing{}
		t.methods[request.Method] = m
	}
	m.took = append(m.took, took)
	if err != nil || response.StatusCode >= http.StatusMultipleChoices {
		m.failed++
	}
	return response, err
}

func (t *timings) of(method string) timing {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := t.methods[method]; m != nil {
		return timing{took: slices.Clone(m.took), failed: m.failed}
	}
	return timing{}
}

func (t *timings) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.methods)
}

func (t timing) longest() time.Duration {
	if len(t.took) == 0 {
		return 0
	}
	return slices.Max(t.took)
}

func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}
