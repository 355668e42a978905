package alertevent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
)

const (
	id      = "0198c0de-0000-7000-8000-00000000000a"
	special = `a+b,(c)."d"\%&=?#☃ eq.x*`
)

func TestCreateReturnsTheRowAsStored(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	alert, err := model.Create(t.Context(), alertevent.CreateAlertEventData{
		ID: id, ServiceName: special, AlertType: alertevent.AlertTypeServiceDegraded, Status: alertevent.StatusAcknowledged,
		Message: new("slow"), Details: map[string]any{"ms": 900, "path": []any{"a", nil}},
	})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), alert.CreatedAt, time.Minute)
	require.Equal(t, &alertevent.AlertEvent{
		ID: id, ServiceName: special, AlertType: alertevent.AlertTypeServiceDegraded, Status: alertevent.StatusAcknowledged,
		Message: new("slow"), Details: map[string]any{"ms": 900.0, "path": []any{"a", nil}}, CreatedAt: alert.CreatedAt,
	}, alert)
}

func TestCreateDefaults(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	alert, err := model.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "api", AlertType: alertevent.AlertTypeRecovery})
	require.NoError(t, err)
	require.Equal(t, alertevent.StatusActive, alert.Status)
	require.Nil(t, alert.Message)
	require.Nil(t, alert.Details)
	require.Nil(t, alert.AcknowledgedAt)
	require.Nil(t, alert.ResolvedAt)
	parsed, err := uuid.Parse(alert.ID)
	require.NoError(t, err)
	require.Equal(t, uuid.Version(7), parsed.Version())
}

func TestCreateRefusesWhatTheTableCannotHold(t *testing.T) {
	t.Parallel()
	type data = alertevent.CreateAlertEventData
	tests := map[string]struct {
		change  func(*data)
		message string
	}{
		"id":           {func(d *data) { d.ID = "x" }, `id must be a UUID in its 36 characters, not "x"`},
		"service_name": {func(d *data) { d.ServiceName = strings.Repeat("x", 101) }, "service_name must have at most 100 characters, not 101"},
		"alert_type":   {func(d *data) { d.AlertType = "down" }, `alert_type must be service_down, service_degraded or recovery, not "down"`},
		"status":       {func(d *data) { d.Status = "open" }, `status must be active, acknowledged or resolved, not "open"`},
		"message":      {func(d *data) { d.Message = new("\xff") }, "message must be valid UTF-8"},
		"details":      {func(d *data) { d.Details = map[string]any{"a": "\x00"} }, "details: every string must be valid UTF-8 without NUL (U+0000), which PostgreSQL cannot store"},
		"all at once": {
			func(d *data) { *d = data{} },
			"service_name must not be blank; alert_type must be service_down, service_degraded or recovery, not empty",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, model := start(t)
			d := data{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown}
			test.change(&d)
			alert, err := model.Create(t.Context(), d)
			require.Nil(t, alert)
			requireInvalid(t, server, err, test.message)
		})
	}
}

func TestCreateStoresOnceThoughAnAnswerIsLost(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	loseAnswer(server)
	alert, err := model.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.NoError(t, err)
	active, err := model.FindActive(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []alertevent.AlertEvent{*alert}, active)

	_, err = model.Create(t.Context(), alertevent.CreateAlertEventData{ID: alert.ID, ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.ErrorIs(t, err, supabase.ErrConflict, "no answer was lost this time")
}

// A row is not one's own because it has the id.
func TestCreateComparesWhatStandsInTheWay(t *testing.T) {
	t.Parallel()
	data := alertevent.CreateAlertEventData{ID: id, ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown, Details: map[string]any{"a": 1}}
	for name, test := range map[string]struct {
		change func(*alertevent.CreateAlertEventData)
		same   bool
	}{
		"the same":   {func(*alertevent.CreateAlertEventData) {}, true},
		"service":    {func(d *alertevent.CreateAlertEventData) { d.ServiceName = "API" }, false},
		"alert_type": {func(d *alertevent.CreateAlertEventData) { d.AlertType = alertevent.AlertTypeRecovery }, false},
		"status":     {func(d *alertevent.CreateAlertEventData) { d.Status = alertevent.StatusResolved }, false},
		"message":    {func(d *alertevent.CreateAlertEventData) { d.Message = new("") }, false},
		"details":    {func(d *alertevent.CreateAlertEventData) { d.Details = map[string]any{"a": 1, "b": nil} }, false},
	} {
		server, model := start(t)
		there := data
		test.change(&there)
		_, err := model.Create(t.Context(), there)
		require.NoError(t, err, name)
		answerNext(server, http.StatusBadGateway, nil, "")
		alert, err := model.Create(t.Context(), data)
		if test.same {
			require.NoError(t, err, name)
			require.Equal(t, id, alert.ID)
			continue
		}
		require.ErrorIs(t, err, supabase.ErrConflict, name)
		require.False(t, isUncertain(t, err), name)
	}
}

func TestFindActive(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	alerts, err := model.FindActive(t.Context(), "")
	require.NoError(t, err)
	require.NotNil(t, alerts)
	require.Empty(t, alerts)

	var rows []map[string]any
	for i := range 2500 {
		rows = append(rows, map[string]any{"service_name": "many", "alert_type": "service_down", "status": "active", "created_at": noon.Add(time.Duration(i/7) * time.Microsecond)})
	}
	for _, status := range []string{"active", "acknowledged", "resolved"} {
		rows = append(rows,
			map[string]any{"service_name": special, "alert_type": "service_down", "status": status, "created_at": noon.Add(time.Hour)},
			map[string]any{"service_name": special, "alert_type": "recovery", "status": status, "created_at": nil},
		)
	}
	store(t, server, rows...)

	alerts, err = model.FindActive(t.Context(), special)
	require.NoError(t, err)
	require.Len(t, alerts, 2)
	require.True(t, alerts[1].CreatedAt.IsZero(), "last, and not left out")

	alerts, err = model.FindActive(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, alerts, 2502, "all of them, from behind a limit of 1,000")
	require.Equal(t, special, alerts[0].ServiceName, "newest first")
	seen := map[string]bool{}
	for _, alert := range alerts {
		require.Equal(t, alertevent.StatusActive, alert.Status)
		require.False(t, seen[alert.ID])
		seen[alert.ID] = true
	}

	server, model = start(t)
	_, err = model.FindActive(t.Context(), " ")
	requireInvalid(t, server, err, "service_name must not be blank")
}

func TestAcknowledgeAndResolveMoveForwardOnly(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	created, err := model.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.NoError(t, err)

	acknowledged, err := model.Acknowledge(t.Context(), created.ID)
	require.NoError(t, err)
	require.Equal(t, alertevent.StatusAcknowledged, acknowledged.Status)
	require.WithinDuration(t, time.Now(), *acknowledged.AcknowledgedAt, time.Minute)
	require.Nil(t, acknowledged.ResolvedAt)

	again, err := model.Acknowledge(t.Context(), created.ID)
	require.NoError(t, err)
	require.Equal(t, acknowledged, again, "a repeat changes nothing")

	resolved, err := model.Resolve(t.Context(), strings.ToUpper(created.ID))
	require.NoError(t, err)
	require.Equal(t, alertevent.StatusResolved, resolved.Status)
	require.Equal(t, acknowledged.AcknowledgedAt, resolved.AcknowledgedAt)
	require.WithinDuration(t, time.Now(), *resolved.ResolvedAt, time.Minute)

	for _, late := range []func(context.Context, string) (*alertevent.AlertEvent, error){model.Acknowledge, model.Resolve} {
		again, err := late(t.Context(), created.ID)
		require.NoError(t, err)
		require.Equal(t, resolved, again, "a late caller undoes nothing")
	}

	other, err := model.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.NoError(t, err)
	resolved, err = model.Resolve(t.Context(), other.ID)
	require.NoError(t, err)
	require.Nil(t, resolved.AcknowledgedAt, "an active alert can be resolved at once")
}

func TestMovingAfterALostAnswer(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	created, err := model.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.NoError(t, err)
	loseAnswer(server)
	acknowledged, err := model.Acknowledge(t.Context(), created.ID)
	require.NoError(t, err)
	require.Equal(t, alertevent.StatusAcknowledged, acknowledged.Status)
	loseAnswer(server)
	resolved, err := model.Resolve(t.Context(), created.ID)
	require.NoError(t, err)
	require.Equal(t, alertevent.StatusResolved, resolved.Status)
	require.Equal(t, acknowledged.AcknowledgedAt, resolved.AcknowledgedAt)
}

func TestMovingWhatIsNotThere(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(alertevent.AlertEventModel) func(context.Context, string) (*alertevent.AlertEvent, error){
		"Acknowledge": func(m alertevent.AlertEventModel) func(context.Context, string) (*alertevent.AlertEvent, error) {
			return m.Acknowledge
		},
		"Resolve": func(m alertevent.AlertEventModel) func(context.Context, string) (*alertevent.AlertEvent, error) {
			return m.Resolve
		},
	} {
		server, model := start(t)
		alert, err := move(model)(t.Context(), id)
		require.Nil(t, alert)
		require.ErrorIs(t, err, supabase.ErrNotFound, name)
		var e *supabase.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, "update", e.Op)
		require.Equal(t, 2, e.Attempts)

		answerNext(server, http.StatusForbidden, nil, `{"code":"42501","message":"permission denied for table alert_events"}`)
		_, err = move(model)(t.Context(), id)
		require.ErrorIs(t, err, supabase.ErrPermission)

		for _, bad := range []string{"", "x", id + "&status=eq.active", "eq." + id[3:]} {
			server, model := start(t)
			_, err := move(model)(t.Context(), bad)
			require.ErrorIs(t, err, supabase.ErrInvalid)
			require.Empty(t, server.Requests())
		}
	}
}

func TestMovingAtOnceFromManyCallers(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	created, err := model.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.NoError(t, err)
	var group sync.WaitGroup
	results := make([]*alertevent.AlertEvent, 64)
	for i := range results {
		group.Go(func() {
			alert, err := model.Acknowledge(context.Background(), created.ID)
			if err != nil {
				t.Error(err)
				return
			}
			results[i] = alert
		})
	}
	group.Wait()
	for _, alert := range results {
		require.Equal(t, results[0], alert, "one of them moved it, all see that")
	}
}

func TestFindRecentByService(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	now := time.Now()
	store(t, server,
		map[string]any{"service_name": special, "alert_type": "service_down", "status": "active", "message": "old", "created_at": now.Add(-61 * time.Minute)},
		map[string]any{"service_name": special, "alert_type": "service_down", "status": "resolved", "message": "recent", "created_at": now.Add(-59 * time.Minute)},
		map[string]any{"service_name": special, "alert_type": "recovery", "status": "active", "message": "another type", "created_at": now},
		map[string]any{"service_name": "other", "alert_type": "service_down", "status": "active", "message": "another service", "created_at": now},
		map[string]any{"service_name": special, "alert_type": "service_down", "status": "active", "message": "undated", "created_at": nil},
	)
	for minutes, want := range map[int]string{60: "recent", 62: "recent", 52560000: "recent"} {
		alert, err := model.FindRecentByService(t.Context(), special, alertevent.AlertTypeServiceDown, minutes)
		require.NoError(t, err)
		require.Equal(t, want, *alert.Message)
	}
	alert, err := model.FindRecentByService(t.Context(), special, alertevent.AlertTypeServiceDown, 1)
	require.NoError(t, err)
	require.Nil(t, alert)
	alert, err = model.FindRecentByService(t.Context(), special, alertevent.AlertTypeServiceDegraded, 60)
	require.NoError(t, err)
	require.Nil(t, alert)

	server, model = start(t)
	_, err = model.FindRecentByService(t.Context(), "", "", 0)
	requireInvalid(t, server, err, "service_name must not be blank; alert_type must not be blank; withinMinutes must be within 1…52560000, not 0")
}

func TestDeleteOlderThan(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	now := time.Now()
	for i, age := range []time.Duration{time.Hour, 25 * time.Hour, 49 * time.Hour} {
		store(t, server, map[string]any{"service_name": strconv.Itoa(i), "alert_type": "recovery", "status": "active", "created_at": now.Add(-age)})
	}
	deleted, err := model.DeleteOlderThan(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, int64(2), deleted)
	left, err := model.FindActive(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, left, 1)

	answerNext(server, http.StatusOK, nil, `[{"created_at":"2000-01-02T03:04:05Z"},{"created_at":"2100-01-02T03:04:05Z"}]`)
	answerNext(server, http.StatusNoContent, nil, "")
	_, err = model.DeleteOlderThan(t.Context(), 1)
	require.ErrorContains(t, err, "the answer does not say how many rows it counted")

	server, model = start(t)
	_, err = model.DeleteOlderThan(t.Context(), 36501)
	requireInvalid(t, server, err, "days must be within 1…36500, not 36501")
}

func TestRowsDecode(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	answerNext(server, http.StatusOK, nil, `[{"id":"`+id+`","service_name":"api","alert_type":"flapping","status":"muted","message":null,"details":null,"created_at":"2026-01-02 03:04:05+00","acknowledged_at":"2026-01-02T03:04:06.5+00:00","resolved_at":null,"new_column":1}]`)
	alerts, err := model.FindAll(t.Context(), alertevent.FindAllOptions{})
	require.NoError(t, err)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	require.Equal(t, []alertevent.AlertEvent{{
		ID: id, ServiceName: "api", AlertType: "flapping", Status: "muted", CreatedAt: at, AcknowledgedAt: new(at.Add(1500 * time.Millisecond)),
	}}, alerts)
	data, err := json.Marshal(alerts)
	require.NoError(t, err)
	var again []alertevent.AlertEvent
	require.NoError(t, json.Unmarshal(data, &again))
	require.Equal(t, alerts, again, "what is marshalled can be read")

	answerNext(server, http.StatusOK, nil, `[{"id":"`+id+`","details":"confidential"}]`)
	_, err = model.Acknowledge(t.Context(), id)
	require.EqualError(t, err, "supabase: update alert_events: 200: the answer cannot be decoded: details cannot hold a JSON string")
}

func TestLogNamesTheAlert(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	events := logged(t, zerolog.DebugLevel, func(ctx context.Context) {
		_, _ = model.Create(ctx, alertevent.CreateAlertEventData{ID: id, ServiceName: "api", AlertType: alertevent.AlertTypeRecovery})
		_, _ = model.Acknowledge(ctx, id)
		_, _ = model.Resolve(ctx, id)
		_, _ = model.FindActive(ctx, "api")
		_, _ = model.FindRecentByService(ctx, "api", alertevent.AlertTypeRecovery, 1)
		_, _ = model.DeleteOlderThan(ctx, 1)
		_, _ = model.Resolve(ctx, "0198c0de-0000-7000-8000-00000000000b")
	})
	require.Len(t, events, 7)
	for i, want := range []string{"info insert api <nil>", "info update <nil> " + id, "info update <nil> " + id, "debug select api <nil>", "debug select api <nil>", "info delete <nil> <nil>", "error update <nil> 0198c0de-0000-7000-8000-00000000000b"} {
		require.Equal(t, want, fmt.Sprint(events[i]["level"], " ", events[i]["message"], " ", events[i]["service_name"], " ", events[i]["id"]))
	}
	require.Equal(t, "PGRST116", events[6]["code"])
	require.Empty(t, logged(t, zerolog.Disabled, func(ctx context.Context) { _, _ = model.FindActive(ctx, "") }))
}
