package conformance_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
)

func init() {
	cases["check: everything comes back as stored"] = checkRoundTrip
	cases["check: defaults"] = checkDefaults
	cases["check: times are kept to the microsecond, in UTC"] = checkTimes
	cases["check: latest by checked_at"] = checkLatest
	cases["check: list, newest first"] = checkList
	cases["check: list beyond the server's limit"] = checkPages
	cases["check: retention"] = checkRetention
	cases["check: a row whose answer was lost"] = checkLostAnswers
}

const (
	id    = "0198c0de-0000-7000-8000-00000000000a"
	other = "0198c0de-0000-7000-8000-00000000000b"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func checkRoundTrip(t *testing.T, s *suite) {
	for _, status := range []healthcheck.Status{healthcheck.StatusHealthy, healthcheck.StatusDegraded, healthcheck.StatusDown} {
		data := healthcheck.CreateHealthCheckData{
			ID: uuid.NewString(), ServiceName: "round trip", Status: status, LatencyMS: new(2147483647), ErrorMessage: new("line\nbreak\ttab \"quoted\" \\ é☃"),
			ProbeDetails: map[string]any{"a": []any{1.5, nil, true}}, CheckedAt: noon.Add(123456 * time.Microsecond),
		}
		stored, err := s.checks.Create(t.Context(), data)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), stored.CreatedAt, time.Minute)
		require.Equal(t, &healthcheck.ServiceHealthCheck{
			ID: data.ID, ServiceName: data.ServiceName, Status: status, LatencyMS: data.LatencyMS, ErrorMessage: data.ErrorMessage,
			ProbeDetails: data.ProbeDetails, CheckedAt: data.CheckedAt, CreatedAt: stored.CreatedAt,
		}, stored)
		listed, err := s.checks.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, []healthcheck.ServiceHealthCheck{*stored}, listed)
	}
}

// loseFirst carries the first request out, and loses its answer.
type loseFirst struct {
	http.RoundTripper
	lost atomic.Bool
}

func (l *loseFirst) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := l.RoundTripper.RoundTrip(request)
	if err == nil && l.lost.CompareAndSwap(false, true) {
		_ = response.Body.Close()
		return nil, errors.New("connection reset by peer")
	}
	return response, err
}

// What a server prints of a row is compared with what was sent.
func checkLostAnswers(t *testing.T, s *suite) {
	text, details := "line\nbreak\ttab \"quoted\" \\ é☃😀", map[string]any{
		"z": 1.0, "a": []any{1.5, nil, true, "2026-01-02T03:04:05Z", 1e21, math.Copysign(0, -1), 1e-7, 123456789.125}, "nested": map[string]any{"b": map[string]any{}, "a": []any{}}, "é": "\u2028<>&",
	}
	data := []healthcheck.CreateHealthCheckData{
		{ID: strings.ToUpper(id), ServiceName: " a+b,(c) ", Status: healthcheck.StatusDegraded, LatencyMS: new(0), ErrorMessage: &text, ProbeDetails: details, CheckedAt: noon.Add(120 * time.Microsecond)},
		{ID: other, ServiceName: "2026-01-02T03:04:05Z", Status: healthcheck.StatusDown, ErrorMessage: new(""), ProbeDetails: map[string]any{}, CheckedAt: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)},
		{ID: uuid.NewString(), ServiceName: "null", Status: healthcheck.StatusDown, CheckedAt: time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)},
	}
	lossy := func() healthcheck.HealthCheckModel {
		config := s.config
		config.Transport = &loseFirst{RoundTripper: http.DefaultTransport}
		return healthcheck.HealthCheckModel{Connect: config.ServiceClient}
	}
	for _, one := range data {
		stored, err := lossy().Create(t.Context(), one)
		require.NoError(t, err)
		require.Equal(t, one.CheckedAt, stored.CheckedAt)
		require.Equal(t, one.ErrorMessage, stored.ErrorMessage)
	}
	for name, change := range map[string]func(*healthcheck.CreateHealthCheckData){
		"service_name":  func(d *healthcheck.CreateHealthCheckData) { d.ServiceName += " " },
		"status":        func(d *healthcheck.CreateHealthCheckData) { d.Status = healthcheck.StatusHealthy },
		"latency_ms":    func(d *healthcheck.CreateHealthCheckData) { d.LatencyMS = nil },
		"error_message": func(d *healthcheck.CreateHealthCheckData) { d.ErrorMessage = new("") },
		"probe_details": func(d *healthcheck.CreateHealthCheckData) { d.ProbeDetails = map[string]any{"a": 1.5} },
		"checked_at":    func(d *healthcheck.CreateHealthCheckData) { d.CheckedAt = d.CheckedAt.Add(time.Microsecond) },
	} {
		changed := data[0]
		change(&changed)
		_, err := lossy().Create(t.Context(), changed)
		require.ErrorIs(t, err, supabase.ErrConflict, name)
	}
	s.empty(t)
	stored, err := lossy().CreateMany(t.Context(), data)
	require.NoError(t, err)
	require.Equal(t, int64(len(data)), stored)
	data[2].LatencyMS = new(1)
	_, err = lossy().CreateMany(t.Context(), data)
	require.ErrorIs(t, err, supabase.ErrConflict)
}

func checkDefaults(t *testing.T, s *suite) {
	stored, err := s.checks.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "defaults", Status: healthcheck.StatusDown})
	require.NoError(t, err)
	require.Equal(t, stored.CreatedAt, stored.CheckedAt, "both are the transaction's time")
	require.Equal(t, &healthcheck.ServiceHealthCheck{
		ID: stored.ID, ServiceName: "defaults", Status: healthcheck.StatusDown, CheckedAt: stored.CreatedAt, CreatedAt: stored.CreatedAt,
	}, stored)
}

func checkTimes(t *testing.T, s *suite) {
	for name, at := range map[string]time.Time{
		"nanoseconds are cut":   time.Date(2026, 1, 2, 3, 4, 5, 999999999, time.UTC),
		"another zone":          time.Date(2026, 7, 2, 3, 4, 5, 100000000, time.FixedZone("", -(3*3600+1800))),
		"the first year":        time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
		"the last microsecond":  time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		"before the epoch":      time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
		"a leap day":            time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC),
		"before time was zoned": time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		stored, err := s.checks.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: name, Status: healthcheck.StatusHealthy, CheckedAt: at})
		require.NoError(t, err, name)
		require.Equal(t, at.UTC().Truncate(time.Microsecond), stored.CheckedAt, name)
		found, err := s.checks.FindLatestByService(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, stored, found, name)
	}
}

func checkLatest(t *testing.T, s *suite) {
	found, err := s.checks.FindLatestByService(t.Context(), "latest")
	require.NoError(t, err)
	require.Nil(t, found)
	row := func(service, status string, checkedAt, createdAt any) map[string]any {
		return map[string]any{"service_name": service, "status": status, "checked_at": checkedAt, "created_at": createdAt}
	}
	s.store(t, checksTable,
		row("latest", "healthy", noon, noon.Add(time.Hour)),
		row("latest", "down", noon.Add(time.Microsecond), nil),
		row("latest", "degraded", nil, noon.Add(2*time.Hour)),
		row("latest2", "healthy", noon.Add(time.Hour), noon),
		row("untimed", "healthy", nil, noon),
	)
	found, err = s.checks.FindLatestByService(t.Context(), "latest")
	require.NoError(t, err)
	require.Equal(t, healthcheck.StatusDown, found.Status, "by checked_at, in which NULL is not the newest")
	require.True(t, found.CreatedAt.IsZero())
	found, err = s.checks.FindLatestByService(t.Context(), "untimed")
	require.NoError(t, err)
	require.Nil(t, found)
}

func checkList(t *testing.T, s *suite) {
	none, err := s.checks.FindAll(t.Context(), healthcheck.FindAllOptions{})
	require.NoError(t, err)
	require.Empty(t, none)
	var rows []map[string]any
	for i := range 120 {
		rows = append(rows, map[string]any{
			"service_name": fmt.Sprintf("list %d", i%3), "status": "healthy", "latency_ms": i,
			"created_at": noon.Add(time.Duration(i) * time.Microsecond), "checked_at": noon.Add(-time.Duration(i) * time.Hour),
		})
	}
	s.store(t, checksTable, rows...)
	s.store(t, checksTable, map[string]any{"service_name": "list 0", "status": "healthy", "latency_ms": -1, "created_at": nil})

	latencies := func(options healthcheck.FindAllOptions) []int {
		found, err := s.checks.FindAll(t.Context(), options)
		require.NoError(t, err)
		var got []int
		for _, check := range found {
			got = append(got, *check.LatencyMS)
		}
		return got
	}
	var all, ofOne []int
	for i := range 120 {
		all = append(all, 119-i)
		if (119-i)%3 == 0 {
			ofOne = append(ofOne, 119-i)
		}
	}
	require.Equal(t, all[:100], latencies(healthcheck.FindAllOptions{}), "by created_at; 100 by default")
	require.Equal(t, all[:1], latencies(healthcheck.FindAllOptions{Limit: 1}))
	require.Equal(t, append(slices.Clone(all), -1), latencies(healthcheck.FindAllOptions{Limit: 500}), "NULL comes last")
	require.Equal(t, append(ofOne, -1), latencies(healthcheck.FindAllOptions{ServiceName: "list 0"}))
	require.Empty(t, latencies(healthcheck.FindAllOptions{ServiceName: "list"}))
}

func checkPages(t *testing.T, s *suite) {
	// 2,500 rows, of which many share a created_at, as after one statement, and
	// some have none.
	var rows []map[string]any
	for i := range 2500 {
		row := map[string]any{"service_name": "pages", "status": "healthy", "latency_ms": i, "created_at": noon.Add(time.Duration(i/300) * time.Microsecond)}
		if i%10 == 0 {
			row["created_at"] = nil
		}
		rows = append(rows, row)
	}
	s.store(t, checksTable, rows...)
	for _, limit := range []int{1000, 1001, 2250, 2251, 2500, 9999} {
		found, err := s.checks.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: limit, ServiceName: "pages"})
		require.NoError(t, err)
		require.Len(t, found, min(limit, 2500))
		seen := map[int]bool{}
		for i, check := range found {
			require.False(t, seen[*check.LatencyMS], "no row twice")
			seen[*check.LatencyMS] = true
			require.Equal(t, i >= 2250, check.CreatedAt.IsZero())
			if i > 0 {
				before := found[i-1]
				require.False(t, check.CreatedAt.After(before.CreatedAt))
				require.True(t, !check.CreatedAt.Equal(before.CreatedAt) || strings.Compare(check.ID, before.ID) < 0, "by id where created_at is the same")
			}
		}
	}
}

func checkRetention(t *testing.T, s *suite) {
	now := time.Now()
	var rows []map[string]any
	for i := range 1500 { // more than a read returns: deletes are not cut
		rows = append(rows, map[string]any{"service_name": "old", "status": "down", "created_at": now.AddDate(0, 0, -8-i%400)})
	}
	rows = append(rows,
		map[string]any{"service_name": "young", "status": "down", "created_at": now.AddDate(0, 0, -7).Add(time.Minute)},
		map[string]any{"service_name": "undated", "status": "down", "created_at": nil},
	)
	s.store(t, checksTable, rows...)
	deleted, err := s.checks.DeleteOlderThan(t.Context(), 36500)
	require.NoError(t, err)
	require.Zero(t, deleted)
	deleted, err = s.checks.DeleteOlderThan(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, int64(1500), deleted)
	left, err := s.checks.FindAll(t.Context(), healthcheck.FindAllOptions{})
	require.NoError(t, err)
	require.Len(t, left, 2)
}
