package healthcheck_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func stockPages(t *testing.T, server *supabasetest.Server, n int) {
	t.Helper()
	rows := make([]map[string]any, n)
	for i := range rows {
		rows[i] = map[string]any{"service_name": "api", "status": "healthy", "latency_ms": i, "created_at": noon.Add(time.Duration(i) * time.Microsecond)}
	}
	store(t, server, rows...)
}

func TestAllStopsWhenTheCallerBreaks(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	stockPages(t, server, 2500)
	n := 0
	events := logged(t, zerolog.DebugLevel, func(ctx context.Context) {
		for _, err := range model.All(ctx, healthcheck.FindAllOptions{}) {
			require.NoError(t, err)
			if n++; n == 1500 {
				break
			}
		}
	})
	require.Len(t, server.Requests(), 1+2, "no page that is not needed")
	require.Len(t, events, 1, "one operation")
	require.Equal(t, "debug", events[0]["level"])
	require.EqualValues(t, 2, events[0]["requests"])
}

func TestAllYieldsOneErrorLast(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	stockPages(t, server, 2500)
	skipOne(server, http.MethodGet)
	answerNext(server, http.StatusForbidden, nil, `{"code":"42501","message":"permission denied"}`)
	rows, errs := 0, 0
	for check, err := range model.All(t.Context(), healthcheck.FindAllOptions{}) {
		require.Zero(t, errs, "nothing after the error")
		if err != nil {
			require.ErrorIs(t, err, supabase.ErrPermission)
			require.Zero(t, check)
			errs++
			continue
		}
		rows++
	}
	require.Equal(t, 1000, rows)
	require.Equal(t, 1, errs)
}

func TestAllCanBeRangedOverAgain(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	stockPages(t, server, 3)
	all := model.All(t.Context(), healthcheck.FindAllOptions{})
	require.Len(t, server.Requests(), 1, "nothing is sent before the loop")
	for range 2 {
		n := 0
		for _, err := range all {
			require.NoError(t, err)
			n++
		}
		require.Equal(t, 3, n)
	}
}

func TestAllHasNoLimitOfItsOwn(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	stockPages(t, server, 150)
	for limit, want := range map[int]int{0: 150, 120: 120, 1000: 150} {
		n := 0
		for _, err := range model.All(t.Context(), healthcheck.FindAllOptions{Limit: limit}) {
			require.NoError(t, err)
			n++
		}
		require.Equal(t, want, n)
	}
}

func TestListsRefuseBadOptions(t *testing.T) {
	t.Parallel()
	for message, options := range map[string]healthcheck.FindAllOptions{
		"status must not be blank":                                                   {Status: " "},
		"status must be valid UTF-8":                                                 {Status: "\xff"},
		"status must not hold NUL (U+0000), which PostgreSQL cannot store":           {Status: "a\x00"},
		"status must have at most 100 characters, not 101":                           {Status: healthcheck.Status(long)},
		`by must be CreatedAt or CheckedAt, not "latency_ms"`:                        {By: "latency_ms"},
		`by must be CreatedAt or CheckedAt, not "created_at"`:                        {By: "created_at"},
		"until must be after since":                                                  {Since: noon, Until: noon},
		"since must be within the years 1…9999 (UTC), not 10000":                     {Since: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"until must be within the years 1…9999 (UTC), not 10000":                     {Until: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"limit must not be negative (0: the default), not -5":                        {Limit: -5},
		"service_name must have at most 100 characters, not 101":                     {ServiceName: long},
		"service_name must not be blank; until must be after since":                  {ServiceName: " ", Since: noon, Until: noon.Add(-1)},
		fmt.Sprint("limit must not be negative (0: the default), not ", math.MinInt): {Limit: math.MinInt},
	} {
		server, model := start(t)
		_, err := model.FindAll(t.Context(), options)
		requireInvalid(t, server, err, message)
		for _, err := range model.All(t.Context(), options) {
			requireInvalid(t, server, err, message)
		}
	}
}

func TestFindLatest(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	var rows []map[string]any
	for i := range 2500 {
		rows = append(rows, map[string]any{"service_name": "s" + string(rune(0x4e00+i)), "status": "healthy", "checked_at": noon})
	}
	store(t, server, rows...)
	found, err := model.FindLatest(t.Context())
	require.NoError(t, err)
	require.Len(t, found, 2500)
	require.Len(t, server.Requests(), 1+3, "one request for 1,000 services")
	for _, request := range server.Requests()[1:] {
		require.Equal(t, "/rest/v1/rpc/latest_service_health_checks", request.Path)
	}
}

func TestFindLatestIsRetried(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	stockPages(t, server, 3)
	loseAnswer(server)
	answerNext(server, http.StatusBadGateway, nil, "")
	found, err := model.FindLatest(t.Context())
	require.NoError(t, err)
	require.Len(t, found, 1)
}

func TestFindLatestWithoutTheFunction(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	answerNext(server, http.StatusNotFound, nil, `{"code":"PGRST202","message":"Could not find the function public.latest_service_health_checks(after_service, max_services) in the schema cache"}`)
	_, err := model.FindLatest(t.Context())
	var e *supabase.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, &supabase.Error{
		Op: "select", Table: "service_health_checks", Status: 404, Code: "PGRST202", Attempts: 1,
		Message: "Could not find the function public.latest_service_health_checks(after_service, max_services) in the schema cache",
	}, e)
	require.ErrorIs(t, err, supabase.ErrSchema)
	require.ErrorContains(t, err, "; migration 015 makes latest_service_health_checks")
}

func TestFindLatestEndsWhereAFunctionIgnoresItsArguments(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	var page []string
	for i := range 1000 {
		page = append(page, fmt.Sprintf(`{"id":"%s","service_name":"s%d"}`, id, i))
	}
	for range 2 {
		answerNext(server, http.StatusOK, nil, "["+strings.Join(page, ",")+"]")
	}
	_, err := model.FindLatest(t.Context())
	require.ErrorContains(t, err, "the function repeats services")
	answerNext(server, http.StatusOK, nil, `[{"id":"a","service_name":"api"},{"id":"b","service_name":"web"},{"id":"c","service_name":"api"}]`)
	_, err = model.FindLatest(t.Context())
	require.ErrorContains(t, err, "the function repeats services", "one service twice")
	for _, body := range []string{"null", "{}", `[{}]`, "5", ""} {
		answerNext(server, http.StatusOK, nil, body)
		_, err := model.FindLatest(t.Context())
		require.ErrorContains(t, err, "cannot be decoded", body)
	}
}
