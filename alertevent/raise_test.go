package alertevent_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
)

func TestOneOfManyOpensAnAlert(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	for range 5 {
		var all sync.WaitGroup
		var mu sync.Mutex
		opened := map[string]int{}
		for range 16 {
			all.Go(func() {
				alert, isNew, err := model.Raise(t.Context(), alertevent.RaiseData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if opened[alert.ID] += 0; isNew {
					opened[alert.ID]++
				}
			})
		}
		all.Wait()
		require.Len(t, opened, 1)
		for _, times := range opened {
			require.Equal(t, 1, times)
		}
		resolved, err := model.ResolveOpen(t.Context(), alertevent.ResolveOpenData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
		require.NoError(t, err)
		require.Len(t, resolved, 1)
	}
}

// Every method says the same again when its first answer was lost.
func TestLostAnswersOfAlerts(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	ctx := t.Context()
	loseAnswer(server)
	alert, opened, err := model.Raise(ctx, alertevent.RaiseData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown, Message: new("down"), Details: map[string]any{"n": 1.0}})
	require.NoError(t, err)
	require.True(t, opened)
	require.Equal(t, new("service_down"), alert.DedupKey)
	require.Equal(t, map[string]any{"n": 1.0}, alert.Details)

	loseAnswer(server)
	claimed, err := model.ClaimNotifications(ctx, alertevent.ClaimOptions{})
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	require.Equal(t, alertevent.Notification{alertevent.KindOpened, *alert, claimed[0].Token}, claimed[0])
	loseAnswer(server)
	require.NoError(t, model.ConfirmNotification(ctx, claimed[0]))

	loseAnswer(server)
	moved, changed, err := model.Transition(ctx, alertevent.TransitionData{ID: strings.ToUpper(alert.ID), To: alertevent.StatusAcknowledged, By: "ann", Reason: "on it"})
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, alertevent.StatusAcknowledged, moved.Status)
	require.NotNil(t, moved.AcknowledgedAt)

	before := len(server.Requests())
	found, err := model.FindOpen(ctx, "api")
	require.NoError(t, err)
	require.Equal(t, []alertevent.AlertEvent{*moved}, found)
	require.Len(t, server.Requests(), before+1)

	loseAnswer(server)
	data := alertevent.ResolveOpenData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown, By: "bob", RequestID: "0190c0de-0000-7000-8000-00000000000a"}
	for range 2 {
		resolved, err := model.ResolveOpen(ctx, data)
		require.NoError(t, err)
		require.Len(t, resolved, 1)
		require.Equal(t, alertevent.StatusResolved, resolved[0].Status)
	}
	data.RequestID = ""
	none, err := model.ResolveOpen(ctx, data)
	require.NoError(t, err)
	require.Equal(t, []alertevent.AlertEvent{}, none)

	loseAnswer(server)
	history, err := model.History(ctx, alert.ID)
	require.NoError(t, err)
	require.Len(t, history, 3)
	require.Equal(t, []alertevent.Status{"", alertevent.StatusActive, alertevent.StatusAcknowledged}, []alertevent.Status{history[0].From, history[1].From, history[2].From})
	require.Equal(t, []*string{nil, new("ann"), new("bob")}, []*string{history[0].By, history[1].By, history[2].By})
	require.Equal(t, []*string{nil, new("on it"), nil}, []*string{history[0].Reason, history[1].Reason, history[2].Reason})

	times, err := model.ResponseTimes(ctx, alertevent.ResponseTimesOptions{ServiceName: "api"})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 1, 1}, []int64{times.Raised, times.Acknowledged, times.Resolved})
	require.Equal(t, moved.AcknowledgedAt.Sub(moved.CreatedAt), times.ToAcknowledge.P50)

	claimed, err = model.ClaimNotifications(ctx, alertevent.ClaimOptions{})
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	require.Equal(t, alertevent.KindResolved, claimed[0].Kind)
	require.NoError(t, model.ConfirmNotification(ctx, claimed[0]))
	claimed, err = model.ClaimNotifications(ctx, alertevent.ClaimOptions{})
	require.NoError(t, err)
	require.Equal(t, []alertevent.Notification{}, claimed)

	reopened, changed, err := model.Transition(ctx, alertevent.TransitionData{ID: alert.ID, To: alertevent.StatusActive})
	require.NoError(t, err)
	require.True(t, changed)
	require.Nil(t, reopened.ResolvedAt)
}

func TestConflictsOfAlerts(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	ctx := t.Context()
	unknown := "0190c0de-0000-7000-8000-00000000000b"
	_, _, err := model.Transition(ctx, alertevent.TransitionData{ID: unknown, To: alertevent.StatusResolved})
	require.ErrorIs(t, err, supabase.ErrNotFound)
	require.ErrorIs(t, model.ConfirmNotification(ctx, alertevent.Notification{alertevent.KindOpened, alertevent.AlertEvent{ID: unknown}, unknown}), supabase.ErrNotFound)
	history, err := model.History(ctx, unknown)
	require.NoError(t, err)
	require.Equal(t, []alertevent.Transition{}, history)

	alert, _, err := model.Raise(ctx, alertevent.RaiseData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown, DedupKey: "probe"})
	require.NoError(t, err)
	_, _, err = model.Raise(ctx, alertevent.RaiseData{ID: alert.ID, ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.ErrorIs(t, err, supabase.ErrConflict)
	first, err := model.ClaimNotifications(ctx, alertevent.ClaimOptions{})
	require.NoError(t, err)
	require.Len(t, first, 1)
	other := first[0]
	other.Token = unknown
	require.ErrorIs(t, model.ConfirmNotification(ctx, other), supabase.ErrConflict)
	_, _, err = model.Transition(ctx, alertevent.TransitionData{ID: alert.ID, To: alertevent.StatusResolved, RequestID: first[0].Token})
	require.ErrorIs(t, err, supabase.ErrConflict, "the request was another call")
	_, _, err = model.Transition(ctx, alertevent.TransitionData{ID: alert.ID, To: alertevent.StatusResolved})
	require.NoError(t, err)
	_, _, err = model.Transition(ctx, alertevent.TransitionData{ID: alert.ID, To: alertevent.StatusAcknowledged})
	require.ErrorIs(t, err, supabase.ErrConflict)
	_, opened, err := model.Raise(ctx, alertevent.RaiseData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown, DedupKey: "probe"})
	require.NoError(t, err)
	require.True(t, opened)
	_, _, err = model.Transition(ctx, alertevent.TransitionData{ID: alert.ID, To: alertevent.StatusActive})
	require.ErrorIs(t, err, supabase.ErrConflict)
}

func TestRaiseTakesOverAnAlertThatWasCreated(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	created, err := model.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.NoError(t, err)
	claimed, err := model.ClaimNotifications(t.Context(), alertevent.ClaimOptions{})
	require.NoError(t, err)
	require.Empty(t, claimed)
	raised, opened, err := model.Raise(t.Context(), alertevent.RaiseData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.NoError(t, err)
	require.False(t, opened)
	require.Equal(t, created.ID, raised.ID)
	claimed, err = model.ClaimNotifications(t.Context(), alertevent.ClaimOptions{})
	require.NoError(t, err)
	require.Len(t, claimed, 1)
}

func TestResolvedAlertsAreDeletedInSlices(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	old := time.Now().AddDate(0, 0, -10)
	for i := range 1500 {
		row := map[string]any{"service_name": "api", "alert_type": "recovery", "status": "resolved", "created_at": old, "resolved_at": old}
		switch i % 3 {
		case 1:
			row["resolved_at"] = nil // created_at counts
		case 2:
			row["status"] = "active"
		}
		require.NoError(t, server.Insert("alert_events", row))
	}
	require.NoError(t, server.Insert("alert_events", map[string]any{"service_name": "api", "alert_type": "recovery", "status": "resolved", "created_at": old, "resolved_at": time.Now()}))
	deleted, err := model.DeleteResolvedOlderThan(t.Context(), 5)
	require.NoError(t, err)
	require.EqualValues(t, 1000, deleted)
	require.Len(t, server.Requests(), 2)
	require.Len(t, server.Rows("alert_events"), 501)
}
