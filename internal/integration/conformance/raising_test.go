package conformance_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
)

func init() {
	cases["alert: raised, notified and resolved"] = alertRaised
	cases["alert: raised again, taken over and reopened"] = alertRaisedAgain
	cases["alert: raised and resolved by many at once"] = alertReplicas
	cases["alert: resolved, reopened and raised anew"] = alertReopened
	cases["alert: found open by a call that is repeated"] = alertFound
	cases["alert: conflicts and unknown ids"] = alertConflicts
	cases["alert: response times"] = alertResponseTimes
	cases["alert: retention of resolved ones"] = alertResolvedRetention
}

const (
	down    = alertevent.AlertTypeServiceDown
	unknown = "0190c0de-0000-7000-8000-00000000000b"
)

// claim claims what is due and tells it apart by kind and alert.
func (s *suite) claim(t *testing.T, options alertevent.ClaimOptions) (claimed []alertevent.Notification, kinds []alertevent.NotificationKind) {
	t.Helper()
	claimed, err := s.alerts.ClaimNotifications(t.Context(), options)
	require.NoError(t, err)
	for _, n := range claimed {
		kinds = append(kinds, n.Kind)
	}
	return claimed, kinds
}

func (s *suite) raise(t *testing.T, data alertevent.RaiseData) (*alertevent.AlertEvent, bool) {
	t.Helper()
	alert, opened, err := s.alerts.Raise(t.Context(), data)
	require.NoError(t, err)
	return alert, opened
}

// An attempt that comes late, as one that was held up on its way, opens nothing that its
// call has not told.
func alertFound(t *testing.T, s *suite) {
	for _, key := range []string{"", "probe 1"} {
		data := alertevent.RaiseData{ServiceName: "api " + key, AlertType: down, DedupKey: key}
		alert, opened := s.raise(t, data)
		require.True(t, opened)
		data.ID = uuid.NewString()
		for range 2 {
			found, opened := s.raise(t, data)
			require.False(t, opened)
			require.Equal(t, alert, found)
		}
		resolved, err := s.alerts.ResolveOpen(t.Context(), alertevent.ResolveOpenData{ServiceName: data.ServiceName, AlertType: down, DedupKey: key})
		require.NoError(t, err)
		found, opened := s.raise(t, data)
		require.False(t, opened)
		require.Equal(t, &resolved[0], found)
		data.ID = uuid.NewString()
		found, opened = s.raise(t, data)
		require.True(t, opened)
		require.Equal(t, data.ID, found.ID)
	}
	// One that was taken over is found as well.
	created, err := s.alerts.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "keyless", AlertType: down})
	require.NoError(t, err)
	data := alertevent.RaiseData{ID: uuid.NewString(), ServiceName: "keyless", AlertType: down}
	for range 2 {
		found, opened := s.raise(t, data)
		require.False(t, opened)
		require.Equal(t, created.ID, found.ID)
		_, err = s.alerts.ResolveOpen(t.Context(), alertevent.ResolveOpenData{ServiceName: "keyless", AlertType: down})
		require.NoError(t, err)
	}
}

func alertRaised(t *testing.T, s *suite) {
	ctx := t.Context()
	details := map[string]any{"a": "é\"☃", "n": []any{1.5, nil, true}}
	data := alertevent.RaiseData{ID: uuid.NewString(), ServiceName: "api", AlertType: down, DedupKey: "probe 1", Message: new("é☃"), Details: details}
	alert, opened := s.raise(t, data)
	require.True(t, opened)
	require.WithinDuration(t, time.Now(), alert.CreatedAt, time.Minute)
	require.Equal(t, &alertevent.AlertEvent{
		ID: data.ID, ServiceName: "api", AlertType: down, Status: alertevent.StatusActive, Message: data.Message, Details: details,
		CreatedAt: alert.CreatedAt, DedupKey: new("probe 1"),
	}, alert)
	again, opened := s.raise(t, data)
	require.True(t, opened)
	require.Equal(t, alert, again)
	data.ID = ""
	again, opened = s.raise(t, data)
	require.False(t, opened)
	require.Equal(t, alert, again)
	open, err := s.alerts.FindOpen(ctx, "api")
	require.NoError(t, err)
	require.Equal(t, []alertevent.AlertEvent{*alert}, open)

	request := alertevent.ClaimOptions{RequestID: uuid.NewString()}
	for range 2 {
		claimed, _ := s.claim(t, request)
		require.Equal(t, []alertevent.Notification{{Kind: alertevent.KindOpened, Alert: *alert, Token: request.RequestID}}, claimed)
	}
	none, _ := s.claim(t, alertevent.ClaimOptions{})
	require.Empty(t, none)
	claimed, _ := s.claim(t, request)
	for range 2 {
		require.NoError(t, s.alerts.ConfirmNotification(ctx, claimed[0]))
	}

	move := alertevent.TransitionData{ID: alert.ID, To: alertevent.StatusAcknowledged, By: "ann", Reason: "on it", RequestID: uuid.NewString()}
	for range 2 {
		moved, changed, err := s.alerts.Transition(ctx, move)
		require.NoError(t, err)
		require.True(t, changed)
		require.Equal(t, alertevent.StatusAcknowledged, moved.Status)
	}
	move.RequestID = ""
	_, changed, err := s.alerts.Transition(ctx, move)
	require.NoError(t, err)
	require.False(t, changed)

	over := alertevent.ResolveOpenData{ServiceName: "api", AlertType: down, DedupKey: "probe 1", By: "bob", RequestID: uuid.NewString()}
	for range 2 {
		resolved, err := s.alerts.ResolveOpen(ctx, over)
		require.NoError(t, err)
		require.Len(t, resolved, 1)
		require.Equal(t, alertevent.StatusResolved, resolved[0].Status)
		require.NotNil(t, resolved[0].ResolvedAt)
	}
	history, err := s.alerts.History(ctx, strings.ToUpper(alert.ID))
	require.NoError(t, err)
	require.Len(t, history, 3)
	for i, want := range []alertevent.Transition{
		{To: alertevent.StatusActive},
		{From: alertevent.StatusActive, To: alertevent.StatusAcknowledged, By: new("ann"), Reason: new("on it")},
		{From: alertevent.StatusAcknowledged, To: alertevent.StatusResolved, By: new("bob")},
	} {
		want.ID, want.AlertID, want.At = history[i].ID, alert.ID, history[i].At
		require.Equal(t, want, history[i])
		require.NotEmpty(t, want.ID)
	}
	claimed, kinds := s.claim(t, alertevent.ClaimOptions{})
	require.Equal(t, []alertevent.NotificationKind{alertevent.KindResolved}, kinds)
	require.NoError(t, s.alerts.ConfirmNotification(ctx, claimed[0]))
	none, _ = s.claim(t, alertevent.ClaimOptions{RemindEvery: time.Second})
	require.Empty(t, none)
}

func alertRaisedAgain(t *testing.T, s *suite) {
	ctx := t.Context()
	created, err := s.alerts.Create(ctx, alertevent.CreateAlertEventData{ServiceName: "api", AlertType: down})
	require.NoError(t, err)
	none, _ := s.claim(t, alertevent.ClaimOptions{})
	require.Empty(t, none)
	taken, opened := s.raise(t, alertevent.RaiseData{ServiceName: "api", AlertType: down})
	require.False(t, opened)
	require.Equal(t, created.ID, taken.ID)
	require.Equal(t, new("service_down"), taken.DedupKey)
	other, err := s.alerts.Create(ctx, alertevent.CreateAlertEventData{ServiceName: "api", AlertType: down})
	require.NoError(t, err)
	keyed, opened := s.raise(t, alertevent.RaiseData{ServiceName: "api", AlertType: down, DedupKey: "own"})
	require.True(t, opened)
	resolved, err := s.alerts.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: "api", AlertType: down})
	require.NoError(t, err)
	ids := make([]string, len(resolved))
	for i, alert := range resolved {
		ids[i] = alert.ID
	}
	require.ElementsMatch(t, []string{created.ID, other.ID}, ids)
	open, err := s.alerts.FindOpen(ctx, "")
	require.NoError(t, err)
	require.Equal(t, []alertevent.AlertEvent{*keyed}, open)

	reopened, changed, err := s.alerts.Transition(ctx, alertevent.TransitionData{ID: created.ID, To: alertevent.StatusActive})
	require.NoError(t, err)
	require.True(t, changed)
	require.Nil(t, reopened.ResolvedAt)
	claimed, kinds := s.claim(t, alertevent.ClaimOptions{})
	require.Equal(t, []alertevent.NotificationKind{alertevent.KindOpened, alertevent.KindOpened}, kinds, "the one created beside it was never raised")
	require.True(t, slices.ContainsFunc(claimed, func(n alertevent.Notification) bool { return n.Alert.ID == created.ID }))
}

func alertConflicts(t *testing.T, s *suite) {
	ctx := t.Context()
	alert, _ := s.raise(t, alertevent.RaiseData{ServiceName: "api", AlertType: down})
	_, _, err := s.alerts.Raise(ctx, alertevent.RaiseData{ID: alert.ID, ServiceName: "other", AlertType: down})
	require.ErrorIs(t, err, supabase.ErrConflict)
	claimed, _ := s.claim(t, alertevent.ClaimOptions{})
	require.Len(t, claimed, 1)
	stolen := claimed[0]
	stolen.Token = unknown
	require.ErrorIs(t, s.alerts.ConfirmNotification(ctx, stolen), supabase.ErrConflict)
	stolen.Alert.ID = unknown
	require.ErrorIs(t, s.alerts.ConfirmNotification(ctx, stolen), supabase.ErrNotFound)
	_, _, err = s.alerts.Transition(ctx, alertevent.TransitionData{ID: unknown, To: alertevent.StatusResolved})
	require.ErrorIs(t, err, supabase.ErrNotFound)
	history, err := s.alerts.History(ctx, unknown)
	require.NoError(t, err)
	require.Equal(t, []alertevent.Transition{}, history)
	_, err = s.alerts.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: "api", AlertType: down, RequestID: claimed[0].Token})
	require.ErrorIs(t, err, supabase.ErrConflict)
	resolved, err := s.alerts.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: "api", AlertType: down})
	require.NoError(t, err)
	require.Len(t, resolved, 1)
	_, _, err = s.alerts.Transition(ctx, alertevent.TransitionData{ID: alert.ID, To: alertevent.StatusAcknowledged})
	require.ErrorIs(t, err, supabase.ErrConflict)
	_, opened := s.raise(t, alertevent.RaiseData{ServiceName: "api", AlertType: down})
	require.True(t, opened)
	_, _, err = s.alerts.Transition(ctx, alertevent.TransitionData{ID: alert.ID, To: alertevent.StatusActive})
	require.ErrorIs(t, err, supabase.ErrConflict)
}

func alertResponseTimes(t *testing.T, s *suite) {
	none, err := s.alerts.ResponseTimes(t.Context(), alertevent.ResponseTimesOptions{})
	require.NoError(t, err)
	require.Zero(t, none)
	row := func(alertType string, acknowledged, resolved any) map[string]any {
		return map[string]any{"service_name": "api", "alert_type": alertType, "status": "resolved", "created_at": noon, "acknowledged_at": acknowledged, "resolved_at": resolved}
	}
	s.store(t, alertsTable,
		row("service_down", noon.Add(time.Second), noon.Add(3*time.Second)), row("service_down", nil, noon.Add(time.Second)),
		row("service_degraded", noon.Add(-time.Second), nil), row("recovery", noon, noon))
	times, err := s.alerts.ResponseTimes(t.Context(), alertevent.ResponseTimesOptions{Since: noon, Until: noon.Add(time.Nanosecond)})
	require.NoError(t, err)
	require.Equal(t, alertevent.ResponseTimes{
		Raised: 3, Acknowledged: 2, Resolved: 2,
		ToAcknowledge: alertevent.Durations{Mean: time.Second / 2, P90: time.Second, Max: time.Second},
		ToResolve:     alertevent.Durations{Mean: 2 * time.Second, P50: time.Second, P90: 3 * time.Second, Max: 3 * time.Second},
	}, times)
	times, err = s.alerts.ResponseTimes(t.Context(), alertevent.ResponseTimesOptions{ServiceName: "api", AlertType: down, Since: noon.Add(time.Nanosecond)})
	require.NoError(t, err)
	require.Zero(t, times)
}

func alertResolvedRetention(t *testing.T, s *suite) {
	old, now := time.Now().AddDate(0, 0, -10), time.Now()
	row := func(status string, resolved any) map[string]any {
		return map[string]any{"service_name": "api", "alert_type": "recovery", "status": status, "created_at": old, "acknowledged_at": nil, "resolved_at": resolved}
	}
	var rows []map[string]any
	for range 600 {
		rows = append(rows, row("resolved", old), row("resolved", nil))
	}
	s.store(t, alertsTable, append(rows, row("resolved", now), row("active", nil), row("acknowledged", old))...)
	deleted, err := s.alerts.DeleteResolvedOlderThan(t.Context(), 9)
	require.NoError(t, err)
	require.EqualValues(t, 1200, deleted)
	left, err := s.alerts.FindAll(t.Context(), alertevent.FindAllOptions{})
	require.NoError(t, err)
	require.Len(t, left, 3)
}

// Many raise the same at once, and resolve it: each time there is one alert, one is
// told that it opened it, and one that it resolved it. Processes do so in
// internal/integration/alerts.
func alertReplicas(t *testing.T, s *suite) {
	const replicas, rounds = 16, 5
	seen := map[string]bool{}
	for range rounds {
		raised, opened, resolved := make([]string, replicas), make([]bool, replicas), make([][]alertevent.AlertEvent, replicas)
		failures := make([]error, replicas)
		each := func(do func(i int) error) {
			var probing sync.WaitGroup
			for i := range replicas {
				probing.Go(func() { failures[i] = do(i) })
			}
			probing.Wait()
			require.NoError(t, errors.Join(failures...))
		}
		each(func(i int) error {
			alert, mine, err := s.alerts.Raise(t.Context(), alertevent.RaiseData{ServiceName: "api", AlertType: down})
			if err == nil {
				raised[i], opened[i] = alert.ID, mine
			}
			return err
		})
		each(func(i int) (err error) {
			resolved[i], err = s.alerts.ResolveOpen(t.Context(), alertevent.ResolveOpenData{ServiceName: "api", AlertType: down})
			return err
		})
		require.Len(t, slices.Compact(raised), 1, "alerts of one trouble")
		require.False(t, seen[raised[0]], "raised before")
		seen[raised[0]] = true
		require.Len(t, slices.DeleteFunc(opened, func(mine bool) bool { return !mine }), 1, "told that they opened it")
		told := slices.Concat(resolved...)
		require.Len(t, told, 1, "told that they resolved it")
		require.Equal(t, raised[0], told[0].ID)
	}
}

func alertReopened(t *testing.T, s *suite) {
	ctx := t.Context()
	data := alertevent.RaiseData{ServiceName: "api", AlertType: down}
	resolve := func() {
		t.Helper()
		resolved, err := s.alerts.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: "api", AlertType: down})
		require.NoError(t, err)
		require.Len(t, resolved, 1)
	}
	reopen := func(id string) (*alertevent.AlertEvent, error) {
		alert, changed, err := s.alerts.Transition(ctx, alertevent.TransitionData{ID: id, To: alertevent.StatusActive, By: "ann"})
		require.Equal(t, err == nil, changed)
		return alert, err
	}
	// tell claims one notification, and confirms it.
	tell := func(kind alertevent.NotificationKind, id string) (told alertevent.Notification) {
		t.Helper()
		claimed, kinds := s.claim(t, alertevent.ClaimOptions{})
		require.Equal(t, []alertevent.NotificationKind{kind}, kinds)
		require.Equal(t, id, claimed[0].Alert.ID)
		require.NoError(t, s.alerts.ConfirmNotification(ctx, claimed[0]))
		return claimed[0]
	}

	first, _ := s.raise(t, data)
	tell(alertevent.KindOpened, first.ID)
	resolve()
	over := tell(alertevent.KindResolved, first.ID)
	second, opened := s.raise(t, data)
	require.True(t, opened)
	require.NotEqual(t, first.ID, second.ID, "raised again, it is a new alert")
	tell(alertevent.KindOpened, second.ID)
	_, err := reopen(first.ID)
	require.ErrorIs(t, err, supabase.ErrConflict, "beside another open one")
	resolve()
	tell(alertevent.KindResolved, second.ID)

	again, err := reopen(first.ID)
	require.NoError(t, err)
	require.Equal(t, first, again, "it is the old one, as it was")
	require.NoError(t, s.alerts.ConfirmNotification(ctx, over), "which was told, and says nothing of what is to be")
	tell(alertevent.KindOpened, first.ID)
	found, opened := s.raise(t, data)
	require.False(t, opened)
	require.Equal(t, first, found)
	resolve()
	tell(alertevent.KindResolved, first.ID)
}
