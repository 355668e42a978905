package conformance_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
)

func init() {
	cases["alert: everything comes back as stored"] = alertRoundTrip
	cases["alert: all active ones"] = alertActive
	cases["alert: acknowledge and resolve"] = alertSettle
	cases["alert: recent by service and type"] = alertRecent
	cases["alert: retention"] = alertRetention
}

func alertRoundTrip(t *testing.T, s *suite) {
	for _, alertType := range []alertevent.AlertType{alertevent.AlertTypeServiceDown, alertevent.AlertTypeServiceDegraded, alertevent.AlertTypeRecovery} {
		for _, status := range []alertevent.Status{"", alertevent.StatusActive, alertevent.StatusAcknowledged, alertevent.StatusResolved} {
			data := alertevent.CreateAlertEventData{ServiceName: "round trip", AlertType: alertType, Status: status, Message: new("é☃"), Details: map[string]any{"a": 1.0}}
			stored, err := s.alerts.Create(t.Context(), data)
			require.NoError(t, err)
			if status == "" {
				status = alertevent.StatusActive
			}
			require.WithinDuration(t, time.Now(), stored.CreatedAt, time.Minute)
			require.Equal(t, &alertevent.AlertEvent{
				ID: stored.ID, ServiceName: data.ServiceName, AlertType: alertType, Status: status, Message: data.Message, Details: data.Details, CreatedAt: stored.CreatedAt,
			}, stored)
			recent, err := s.alerts.FindRecentByService(t.Context(), data.ServiceName, alertType, 5)
			require.NoError(t, err)
			require.Equal(t, stored, recent)
		}
	}
	bare, err := s.alerts.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "bare", AlertType: alertevent.AlertTypeRecovery})
	require.NoError(t, err)
	require.Nil(t, bare.Message)
	require.Nil(t, bare.Details)
}

func alertActive(t *testing.T, s *suite) {
	none, err := s.alerts.FindActive(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, none)
	var rows []map[string]any
	for i := range 2100 {
		rows = append(rows, map[string]any{"service_name": "many", "alert_type": "recovery", "status": "active", "created_at": noon.Add(time.Duration(i/50) * time.Second)})
	}
	for _, status := range []string{"active", "acknowledged", "resolved"} {
		rows = append(rows,
			map[string]any{"service_name": "few", "alert_type": "service_down", "status": status, "created_at": noon.AddDate(0, 0, 1)},
			map[string]any{"service_name": "few", "alert_type": "service_down", "status": status, "created_at": nil})
	}
	s.store(t, alertsTable, rows...)
	all, err := s.alerts.FindActive(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, all, 2102)
	require.Equal(t, "few", all[0].ServiceName)
	require.True(t, all[2101].CreatedAt.IsZero())
	few, err := s.alerts.FindActive(t.Context(), "few")
	require.NoError(t, err)
	require.Equal(t, []alertevent.AlertEvent{all[0], all[2101]}, few)
}

func alertSettle(t *testing.T, s *suite) {
	create := func() *alertevent.AlertEvent {
		alert, err := s.alerts.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "settle", AlertType: alertevent.AlertTypeServiceDown, Details: map[string]any{"a": 1.0}})
		require.NoError(t, err)
		return alert
	}
	do := func(settle func(context.Context, string) (*alertevent.AlertEvent, error), id string) *alertevent.AlertEvent {
		alert, err := settle(t.Context(), id)
		require.NoError(t, err)
		return alert
	}
	first, bystander := create(), create()
	acknowledged := do(s.alerts.Acknowledge, first.ID)
	require.WithinDuration(t, time.Now(), *acknowledged.AcknowledgedAt, time.Minute)
	want := *first
	want.Status, want.AcknowledgedAt = alertevent.StatusAcknowledged, acknowledged.AcknowledgedAt
	require.Equal(t, &want, acknowledged)
	require.Equal(t, acknowledged, do(s.alerts.Acknowledge, strings.ToUpper(first.ID)), "a repeat changes nothing")

	resolved := do(s.alerts.Resolve, first.ID)
	want.Status, want.ResolvedAt = alertevent.StatusResolved, resolved.ResolvedAt
	require.Equal(t, &want, resolved)
	require.Equal(t, resolved, do(s.alerts.Acknowledge, first.ID), "nor does a late caller")
	require.Equal(t, resolved, do(s.alerts.Resolve, first.ID))

	second := create()
	require.Nil(t, do(s.alerts.Resolve, second.ID).AcknowledgedAt)

	for name, settle := range map[string]func(context.Context, string) (*alertevent.AlertEvent, error){"acknowledge an unknown id": s.alerts.Acknowledge, "resolve an unknown id": s.alerts.Resolve} {
		_, err := settle(t.Context(), id)
		s.expect(t, name, err, outcome{status: 406, code: "PGRST116", class: supabase.ErrNotFound})
	}
	active, err := s.alerts.FindActive(t.Context(), "settle")
	require.NoError(t, err)
	require.Equal(t, []alertevent.AlertEvent{*bystander}, active, "untouched")
}

func alertRecent(t *testing.T, s *suite) {
	now := time.Now()
	row := func(service, alertType, message string, createdAt any) map[string]any {
		return map[string]any{"service_name": service, "alert_type": alertType, "status": "resolved", "message": message, "created_at": createdAt}
	}
	s.store(t, alertsTable,
		row("recent", "service_down", "old", now.Add(-62*time.Minute)),
		row("recent", "service_down", "new", now.Add(-58*time.Minute)),
		row("recent", "service_down", "undated", nil),
		row("recent", "recovery", "another type", now),
		row("recent2", "service_down", "another service", now),
	)
	for minutes, want := range map[int]string{60: "new", 65: "new", 52560000: "new"} {
		found, err := s.alerts.FindRecentByService(t.Context(), "recent", alertevent.AlertTypeServiceDown, minutes)
		require.NoError(t, err)
		require.Equal(t, want, *found.Message)
	}
	for alertType, minutes := range map[alertevent.AlertType]int{alertevent.AlertTypeServiceDown: 56, alertevent.AlertTypeServiceDegraded: 60} {
		found, err := s.alerts.FindRecentByService(t.Context(), "recent", alertType, minutes)
		require.NoError(t, err)
		require.Nil(t, found)
	}
}

func alertRetention(t *testing.T, s *suite) {
	now := time.Now()
	for _, age := range []int{1, 30, 91, 400} {
		s.store(t, alertsTable, map[string]any{"service_name": "old", "alert_type": "recovery", "status": "active", "created_at": now.AddDate(0, 0, -age)})
	}
	deleted, err := s.alerts.DeleteOlderThan(t.Context(), 90)
	require.NoError(t, err)
	require.Equal(t, int64(2), deleted)
	left, err := s.alerts.FindActive(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, left, 2)
}
