package healthcheck_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
)

func TestFindLatestByService(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	check, err := model.FindLatestByService(t.Context(), "api")
	require.NoError(t, err, "no row is no error")
	require.Nil(t, check)

	store(t, server,
		map[string]any{"service_name": "api", "status": "healthy", "checked_at": noon, "created_at": noon.Add(time.Hour)},
		map[string]any{"service_name": "api", "status": "down", "checked_at": noon.Add(time.Microsecond), "created_at": noon},
		map[string]any{"service_name": "api", "status": "healthy", "checked_at": nil, "created_at": nil},
		map[string]any{"service_name": "api2", "status": "healthy", "checked_at": noon.Add(time.Hour), "created_at": noon},
		map[string]any{"service_name": "untimed", "status": "healthy", "checked_at": nil, "created_at": noon},
	)
	check, err = model.FindLatestByService(t.Context(), "api")
	require.NoError(t, err)
	require.Equal(t, healthcheck.StatusDown, check.Status, "by checked_at, not by created_at; NULL is not the newest")
	check, err = model.FindLatestByService(t.Context(), "untimed")
	require.NoError(t, err)
	require.Nil(t, check)

	for _, name := range []string{"", " ", "\xff", "a\x00b"} {
		server, model := start(t)
		_, err := model.FindLatestByService(t.Context(), name)
		require.ErrorIs(t, err, supabase.ErrInvalid)
		require.Empty(t, server.Requests())
	}
}

func TestFindLatestByServiceTellsNoRowFromMany(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	answerNext(server, http.StatusNotAcceptable, nil, `{"code":"PGRST116","details":"Results contain 0 rows, application/vnd.pgrst.object+json requires 1 row","message":"m"}`)
	check, err := model.FindLatestByService(t.Context(), "api")
	require.NoError(t, err)
	require.Nil(t, check)
	answerNext(server, http.StatusNotAcceptable, nil, `{"code":"PGRST116","details":"The result contains 10 rows","message":"m"}`)
	_, err = model.FindLatestByService(t.Context(), "api")
	require.Error(t, err)
	require.NotErrorIs(t, err, supabase.ErrNotFound)
}

func TestFindAll(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	checks, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{})
	require.NoError(t, err)
	require.NotNil(t, checks)
	require.Empty(t, checks)

	// Many rows share a created_at, as they do after one bulk insert, and two
	// have none.
	var rows []map[string]any
	for i := range 2498 {
		rows = append(rows, map[string]any{
			"id": fmt.Sprintf("00000000-0000-4000-8000-%012d", i*7919%2498), "service_name": "many", "status": "healthy",
			"latency_ms": i, "created_at": noon.Add(time.Duration(i/400) * time.Microsecond),
		})
	}
	for i := range 2 {
		rows = append(rows, map[string]any{"id": fmt.Sprintf("ffffffff-0000-4000-8000-%012d", i), "service_name": "many", "status": "healthy", "latency_ms": -1, "created_at": nil})
	}
	rows = append(rows, map[string]any{"id": id, "service_name": special, "status": "healthy", "latency_ms": 0, "created_at": noon.Add(time.Hour)})
	store(t, server, rows...)

	t.Run("the default limit", func(t *testing.T) {
		t.Parallel()
		checks, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{})
		require.NoError(t, err)
		require.Len(t, checks, 100)
		require.Equal(t, special, checks[0].ServiceName)
	})
	for _, limit := range []int{1, 999, 1000, 1001, 2498, 2499, 2500, 2501, 10000} {
		t.Run(fmt.Sprintf("limit %d", limit), func(t *testing.T) {
			t.Parallel()
			checks, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: limit, ServiceName: "many"})
			require.NoError(t, err)
			require.Len(t, checks, min(limit, 2500))
			seen := map[string]bool{}
			for i, check := range checks {
				require.False(t, seen[check.ID], "no row twice")
				seen[check.ID] = true
				require.Equal(t, "many", check.ServiceName)
				require.Equal(t, i >= 2498, check.CreatedAt.IsZero(), "those without created_at come last")
				if i > 0 {
					before := checks[i-1]
					require.False(t, check.CreatedAt.After(before.CreatedAt))
					if check.CreatedAt.Equal(before.CreatedAt) {
						require.Less(t, check.ID, before.ID)
					}
				}
			}
		})
	}
	t.Run("one service", func(t *testing.T) {
		t.Parallel()
		checks, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{ServiceName: special, Limit: 10})
		require.NoError(t, err)
		require.Len(t, checks, 1)
	})
}

func TestFindAllBehindASmallServerLimit(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	server.SetMaxRows(7)
	var rows []map[string]any
	for i := range 50 {
		rows = append(rows, map[string]any{"service_name": "api", "status": "healthy", "created_at": noon.Add(time.Duration(i/20) * time.Second)})
	}
	store(t, server, rows...)
	checks, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{})
	require.NoError(t, err)
	require.Len(t, checks, 50)
}

func TestFindAllRefusesBadOptions(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	_, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: -1, ServiceName: " "})
	requireInvalid(t, server, err, "limit must not be negative (0: the default), not -1; service_name must not be blank")
}

func TestFindAllEndsWhereAServerIgnoresTheQuery(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	for range 2 {
		answerNext(server, http.StatusOK, nil, `[{"id":"`+id+`","created_at":"2026-01-02T03:04:05+00:00"}]`)
	}
	_, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{})
	require.ErrorContains(t, err, "the answer repeats rows")
}

func TestRowsDecode(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	answerNext(server, http.StatusOK, nil, `{"id":"`+id+`","service_name":"api","status":"melting","latency_ms":null,"checked_at":"2026-01-02 03:04:05.123+00","created_at":null,"error_message":null,"probe_details":null,"new_column":[1]}`)
	check, err := model.FindLatestByService(t.Context(), "api")
	require.NoError(t, err)
	require.Equal(t, &healthcheck.ServiceHealthCheck{
		ID: id, ServiceName: "api", Status: "melting", CheckedAt: time.Date(2026, 1, 2, 3, 4, 5, 123000000, time.UTC),
	}, check)

	data, err := json.Marshal(check)
	require.NoError(t, err)
	var again healthcheck.ServiceHealthCheck
	require.NoError(t, json.Unmarshal(data, &again))
	require.Equal(t, *check, again, "what is marshalled can be read")

	for body, message := range map[string]string{
		``:                                       "the answer cannot be decoded",
		`<html>`:                                 "the answer cannot be decoded",
		`{"id":"` + id + `"`:                     "the answer cannot be decoded",
		`null`:                                   "the answer cannot be decoded: a row has no id",
		`{}`:                                     "the answer cannot be decoded: a row has no id",
		`[]`:                                     "the answer cannot be decoded",
		`{"id":"x","latency_ms":"confidential"}`: "the answer cannot be decoded: latency_ms cannot hold a JSON string",
		`{"id":"x","latency_ms":1.5}`:            "the answer cannot be decoded: latency_ms cannot hold a JSON number",
		`{"id":"x","probe_details":[1]}`:         "the answer cannot be decoded: probe_details cannot hold a JSON array",
		`{"id":"x","checked_at":"infinity"}`:     "the answer cannot be decoded: a timestamp is not one that time.Time holds",
		`{"id":"x","checked_at":5}`:              "the answer cannot be decoded: a timestamp is not one that time.Time holds",
	} {
		answerNext(server, http.StatusOK, nil, body)
		_, err := model.FindLatestByService(t.Context(), "api")
		var e *supabase.Error
		require.ErrorAs(t, err, &e, body)
		require.Equal(t, message, e.Message[:min(len(message), len(e.Message))], body)
		require.NotContains(t, e.Error(), "confidential")
		require.Equal(t, http.StatusOK, e.Status)
		require.Equal(t, 1, e.Attempts)
		for _, class := range []error{supabase.ErrInvalid, supabase.ErrNotFound, supabase.ErrConflict, supabase.ErrPermission, supabase.ErrUnavailable} {
			require.NotErrorIs(t, err, class)
		}
	}
	for _, body := range []string{`null`, `{}`, `[{}]`, `[null]`, `[{"id":"x"},{}]`} {
		answerNext(server, http.StatusOK, nil, body)
		_, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{})
		require.ErrorContains(t, err, "the answer cannot be decoded", body)
	}
}

func TestDeleteOlderThan(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	now := time.Now()
	store(t, server,
		map[string]any{"service_name": "old", "status": "down", "created_at": now.AddDate(0, 0, -30).Add(-time.Minute)},
		map[string]any{"service_name": "older", "status": "down", "created_at": now.AddDate(-20, 0, 0)},
		map[string]any{"service_name": "young", "status": "down", "created_at": now.AddDate(0, 0, -30).Add(time.Minute)},
		map[string]any{"service_name": "undated", "status": "down", "created_at": nil},
	)
	deleted, err := model.DeleteOlderThan(t.Context(), 30)
	require.NoError(t, err)
	require.Equal(t, int64(2), deleted)
	deleted, err = model.DeleteOlderThan(t.Context(), 36500)
	require.NoError(t, err)
	require.Zero(t, deleted)
	requests := server.Requests()[1:]
	require.Len(t, requests, 2+1, "two for a slice, one to see that there is nothing")
	for i, method := range []string{http.MethodGet, http.MethodDelete, http.MethodGet} {
		require.Equal(t, method, requests[i].Method)
	}
	require.Equal(t, "return=minimal,count=exact", requests[1].Header.Get("Prefer"), "no row travels back")
	checks, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{})
	require.NoError(t, err)
	require.Len(t, checks, 2)
	require.Equal(t, "young", checks[0].ServiceName)
}

func TestDeleteOlderThanNeedsACount(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	for _, header := range []map[string]string{nil, {"Content-Range": "*/*"}, {"Content-Range": "*/many"}} {
		answerNext(server, http.StatusOK, nil, `[{"created_at":"2000-01-02T03:04:05Z"},{"created_at":"2100-01-02T03:04:05Z"}]`)
		answerNext(server, http.StatusNoContent, header, "")
		deleted, err := model.DeleteOlderThan(t.Context(), 1)
		require.ErrorContains(t, err, "the answer does not say how many rows it counted")
		var e *supabase.Error
		require.ErrorAs(t, err, &e)
		require.True(t, e.Uncertain)
		require.Zero(t, deleted)
	}
}

func TestDeleteOlderThanAfterALostAnswer(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	store(t, server, map[string]any{"service_name": "old", "status": "down", "created_at": noon.AddDate(-10, 0, 0)})
	answerNext(server, http.StatusOK, nil, `[{"created_at":"2000-01-02T03:04:05Z"},{"created_at":"2100-01-02T03:04:05Z"}]`)
	loseAnswer(server)
	deleted, err := model.DeleteOlderThan(t.Context(), 1000)
	require.NoError(t, err)
	require.Zero(t, deleted, "a lower bound")
}

func TestDeleteOlderThanRefusesDays(t *testing.T) {
	t.Parallel()
	for _, days := range []int{0, -1, 36501, 106752, math.MaxInt, math.MinInt} {
		server, model := start(t)
		_, err := model.DeleteOlderThan(t.Context(), days)
		requireInvalid(t, server, err, fmt.Sprintf("days must be within 1…36500, not %d", days))
	}
}

func TestFindAllReturnsNoMoreThanAsked(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	answerNext(server, http.StatusOK, nil, `[{"id":"b","created_at":"2026-01-02T03:04:05Z"},{"id":"a","created_at":"2026-01-02T03:04:05Z"}]`)
	checks, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: 1})
	require.NoError(t, err)
	require.Len(t, checks, 1)
}
