package healthcheck_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
)

const (
	id      = "0198c0de-0000-7000-8000-00000000000a"
	special = `a+b,(c)."d"\%&=?#☃ eq.x*`
)

func TestCreateReturnsTheRowAsStored(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	data := healthcheck.CreateHealthCheckData{
		ID: id, ServiceName: special, Status: healthcheck.StatusDegraded, LatencyMS: new(0), ErrorMessage: new(""),
		ProbeDetails: map[string]any{"code": 200, "nested": map[string]any{"a": []any{1.5, nil, true, "é"}}},
		CheckedAt:    time.Date(2026, 1, 2, 8, 34, 5, 123456789, time.FixedZone("IST", 19800)),
	}
	check, err := model.Create(t.Context(), data)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), check.CreatedAt, time.Minute)
	require.Equal(t, &healthcheck.ServiceHealthCheck{
		ID: id, ServiceName: special, Status: healthcheck.StatusDegraded, LatencyMS: new(0), ErrorMessage: new(""),
		ProbeDetails: map[string]any{"code": 200.0, "nested": map[string]any{"a": []any{1.5, nil, true, "é"}}},
		CheckedAt:    time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC), CreatedAt: check.CreatedAt,
	}, check)
	found, err := model.FindLatestByService(t.Context(), special)
	require.NoError(t, err)
	require.Equal(t, check, found)
}

func TestCreateLeavesTheRestToTheDatabase(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	check, err := model.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusHealthy})
	require.NoError(t, err)
	version, err := uuid.Parse(check.ID)
	require.NoError(t, err)
	require.Equal(t, uuid.Version(7), version.Version(), "the id is made here")
	require.Nil(t, check.LatencyMS)
	require.Nil(t, check.ErrorMessage)
	require.Nil(t, check.ProbeDetails)
	require.Equal(t, check.CreatedAt, check.CheckedAt, "both by the database's clock")
	requests := server.Requests()
	require.Len(t, requests, 1)
	require.NotContains(t, string(requests[0].Body), "checked_at")
	require.NotContains(t, string(requests[0].Body), "created_at")
}

func TestCreateRefusesWhatTheTableCannotHold(t *testing.T) {
	t.Parallel()
	type data = healthcheck.CreateHealthCheckData
	tests := map[string]struct {
		change  func(*data)
		message string
	}{
		"id":            {func(d *data) { d.ID = "x" }, `id must be a UUID in its 36 characters, not "x"`},
		"service_name":  {func(d *data) { d.ServiceName = " " }, "service_name must not be blank"},
		"its length":    {func(d *data) { d.ServiceName = strings.Repeat("☃", 101) }, "service_name must have at most 100 characters, not 101"},
		"status":        {func(d *data) { d.Status = "up" }, `status must be healthy, degraded or down, not "up"`},
		"no status":     {func(d *data) { d.Status = "" }, "status must be healthy, degraded or down, not empty"},
		"latency_ms":    {func(d *data) { d.LatencyMS = new(-1) }, "latency_ms must be within 0…2147483647 milliseconds, not -1"},
		"error_message": {func(d *data) { d.ErrorMessage = new("\x00") }, "error_message must not hold NUL (U+0000), which PostgreSQL cannot store"},
		"probe_details": {func(d *data) { d.ProbeDetails = map[string]any{"a": "\xff"} }, "probe_details: every string must be valid UTF-8 without NUL (U+0000), which PostgreSQL cannot store"},
		"checked_at":    {func(d *data) { d.CheckedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "checked_at must be within the years 1…9999 (UTC), not 10000"},
		"all at once": {
			func(d *data) { *d = data{Status: "up", LatencyMS: new(-1)} },
			`service_name must not be blank; status must be healthy, degraded or down, not "up"; latency_ms must be within 0…2147483647 milliseconds, not -1`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, model := start(t)
			d := data{ServiceName: "api", Status: healthcheck.StatusHealthy}
			test.change(&d)
			check, err := model.Create(t.Context(), d)
			require.Nil(t, check)
			requireInvalid(t, server, err, test.message)
		})
	}
}

func TestCreateStoresErrorsAsTheirTexts(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	cause := errors.New("connection refused")
	details := map[string]any{"err": cause, "tries": []any{cause, nil}}
	check, err := model.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusDown, ProbeDetails: details})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"err": "connection refused", "tries": []any{"connection refused", nil}}, check.ProbeDetails)
	require.Equal(t, map[string]any{"err": cause, "tries": []any{cause, nil}}, details, "the caller's map stays")
}

func TestNewIDLetsACallBeRepeated(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	data := healthcheck.CreateHealthCheckData{ID: healthcheck.NewID(), ServiceName: "api", Status: healthcheck.StatusDown}
	parsed, err := uuid.Parse(data.ID)
	require.NoError(t, err)
	require.Equal(t, uuid.Version(7), parsed.Version())
	require.NotEqual(t, data.ID, healthcheck.NewID())
	check, err := model.Create(t.Context(), data)
	require.NoError(t, err)
	require.Equal(t, data.ID, check.ID)
	_, err = model.Create(t.Context(), data)
	require.ErrorIs(t, err, supabase.ErrConflict)
}

func TestCreateStoresOnceThoughAnswersAreLost(t *testing.T) {
	t.Parallel()
	for name, chosen := range map[string]string{"with an id of its own": "", "with the caller's": id} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, model := start(t)
			loseAnswer(server)
			check, err := model.Create(t.Context(), healthcheck.CreateHealthCheckData{ID: chosen, ServiceName: "api", Status: healthcheck.StatusDown})
			require.NoError(t, err)
			require.Equal(t, healthcheck.StatusDown, check.Status)
			stored, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{})
			require.NoError(t, err)
			require.Equal(t, []healthcheck.ServiceHealthCheck{*check}, stored)
		})
	}
}

func TestCreateReportsAConflict(t *testing.T) {
	t.Parallel()
	data := healthcheck.CreateHealthCheckData{ID: id, ServiceName: "api", Status: healthcheck.StatusDown}
	t.Run("with a row that was there", func(t *testing.T) {
		t.Parallel()
		_, model := start(t)
		_, err := model.Create(t.Context(), data)
		require.NoError(t, err)
		check, err := model.Create(t.Context(), data)
		require.Nil(t, check)
		require.ErrorIs(t, err, supabase.ErrConflict)
		var e *supabase.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, "23505", e.Code)
		require.Equal(t, "insert", e.Op)
	})
	t.Run("also after a try that never ran", func(t *testing.T) {
		t.Parallel()
		server, model := start(t)
		_, err := model.Create(t.Context(), data)
		require.NoError(t, err)
		answerNext(server, http.StatusServiceUnavailable, nil, `{"code":"PGRST002","message":"no schema cache"}`)
		_, err = model.Create(t.Context(), data)
		require.ErrorIs(t, err, supabase.ErrConflict, "no answer was lost, so the row is not this call's")
	})
	t.Run("not when a gateway repeated a request with an id made here", func(t *testing.T) {
		t.Parallel()
		server, model := start(t)
		server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			server.ServeHTTP(httptest.NewRecorder(), r)
			return false
		})
		check, err := model.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusDown})
		require.NoError(t, err)
		require.Equal(t, "api", check.ServiceName)
	})
	t.Run("with something other than the id", func(t *testing.T) {
		t.Parallel()
		server, model := start(t)
		answerNext(server, http.StatusBadGateway, nil, "")
		answerNext(server, http.StatusConflict, nil, `{"code":"23505","message":"duplicate key value violates unique constraint \"one_a_minute\""}`)
		_, err := model.Create(t.Context(), data)
		require.ErrorIs(t, err, supabase.ErrConflict)
		require.ErrorContains(t, err, "one_a_minute")
	})
	t.Run("that cannot be read back", func(t *testing.T) {
		t.Parallel()
		server, model := start(t)
		loseAnswer(server)
		answerNext(server, http.StatusConflict, nil, `{"code":"23505","message":"duplicate"}`)
		answerNext(server, http.StatusForbidden, nil, `{"code":"42501","message":"permission denied"}`)
		_, err := model.Create(t.Context(), data)
		require.ErrorIs(t, err, supabase.ErrPermission)
		var e *supabase.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, "insert", e.Op, "the error is the operation's")
		require.Equal(t, 3, e.Attempts)
	})
}

func TestCreateOpensOneClient(t *testing.T) {
	t.Parallel()
	server, _ := start(t)
	opened := 0
	model := healthcheck.HealthCheckModel{Connect: func() (*supabase.Client, error) {
		opened++
		return server.Config().ServiceClient()
	}}
	loseAnswer(server)
	_, err := model.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusDown})
	require.NoError(t, err)
	require.Equal(t, 1, opened)
	_, err = model.Create(t.Context(), healthcheck.CreateHealthCheckData{})
	require.ErrorIs(t, err, supabase.ErrInvalid)
	require.Equal(t, 1, opened, "none for data that is refused")
}

func TestConnectThatFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("no vault")
	model := healthcheck.HealthCheckModel{Connect: func() (*supabase.Client, error) { return nil, broken }}
	_, err := model.FindLatestByService(t.Context(), "api")
	require.ErrorIs(t, err, broken)
	var e *supabase.Error
	require.ErrorAs(t, err, &e)

	model.Connect = func() (*supabase.Client, error) { return nil, nil } //nolint:nilnil // the fault under test
	_, err = model.FindLatestByService(t.Context(), "api")
	require.ErrorIs(t, err, supabase.ErrInvalid)
}

func TestZeroModelReadsTheEnvironmentEachTime(t *testing.T) {
	var model healthcheck.HealthCheckModel
	for _, name := range []string{"SUPABASE_URL", "SUPABASE_REST_URL", "SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY", "SUPABASE_SCHEMA"} {
		t.Setenv(name, "")
	}
	_, err := model.FindLatestByService(t.Context(), "api")
	require.ErrorIs(t, err, supabase.ErrInvalid)
	require.ErrorContains(t, err, "SUPABASE_URL")
	for range 2 {
		server, _ := start(t)
		t.Setenv("SUPABASE_URL", server.URL)
		t.Setenv("SUPABASE_SERVICE_KEY", string(server.Key))
		_, err := model.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusDown})
		require.NoError(t, err)
		require.Len(t, server.Requests(), 1)
	}
}

func TestManyCallersShareOneModel(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			if _, err := model.Create(context.Background(), healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusDown}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	checks, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{})
	require.NoError(t, err)
	require.Len(t, checks, 64)
}

func TestLogHasOneEventPerOperation(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	data := healthcheck.CreateHealthCheckData{ID: id, ServiceName: "api", Status: healthcheck.StatusDown, ProbeDetails: map[string]any{"word": "confidential"}}
	require.Empty(t, logged(t, zerolog.InfoLevel, func(ctx context.Context) { _, _ = model.FindLatestByService(ctx, "api") }), "reads are debug")
	events := logged(t, zerolog.DebugLevel, func(ctx context.Context) {
		_, _ = model.Create(ctx, data)
		_, _ = model.FindLatestByService(ctx, "api")
		_, _ = model.FindAll(ctx, healthcheck.FindAllOptions{})
		_, _ = model.DeleteOlderThan(ctx, 1)
		_, _ = model.Create(ctx, data)
		_, _ = model.Create(ctx, healthcheck.CreateHealthCheckData{})
		answerNext(server, http.StatusBadGateway, nil, "")
		_, _ = model.FindLatestByService(ctx, "api")
	})
	require.Len(t, events, 7)
	for i, want := range []map[string]any{
		{"level": "info", "message": "insert", "table": "service_health_checks", "service_name": "api", "status": 201.0, "requests": 1.0, "retries": 0.0, "rows": 1.0},
		{"level": "debug", "message": "select", "table": "service_health_checks", "service_name": "api", "status": 200.0, "requests": 1.0, "retries": 0.0, "rows": 1.0},
		{"level": "debug", "message": "select", "table": "service_health_checks", "status": 200.0, "requests": 2.0, "retries": 0.0, "rows": 1.0},
		{"level": "info", "message": "delete", "table": "service_health_checks", "status": 200.0, "requests": 1.0, "retries": 0.0, "rows": 0.0},
		{"level": "error", "message": "insert", "table": "service_health_checks", "service_name": "api", "status": 409.0, "code": "23505", "requests": 1.0, "retries": 0.0, "error": `supabase: insert service_health_checks: 409 23505: duplicate key value violates unique constraint "service_health_checks_pkey"`},
		{"level": "error", "message": "insert", "table": "service_health_checks", "status": 0.0, "requests": 0.0, "retries": 0.0, "error": "supabase: insert service_health_checks: service_name must not be blank; status must be healthy, degraded or down, not empty"},
		{"level": "debug", "message": "select", "table": "service_health_checks", "service_name": "api", "status": 200.0, "requests": 1.0, "retries": 1.0, "rows": 1.0},
	} {
		require.Contains(t, events[i], "duration_ms")
		delete(events[i], "duration_ms")
		require.Equal(t, want, events[i])
	}
	for _, event := range events {
		for _, value := range event {
			if text, ok := value.(string); ok {
				require.NotContains(t, text, "confidential")
				require.NotContains(t, text, string(server.Key))
			}
		}
	}
}
