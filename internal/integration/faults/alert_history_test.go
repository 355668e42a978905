package faults_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
)

// told is a change of an alert's status that a caller was told to have made.
type told struct {
	alert, by string
	to        alertevent.Status
}

// verify compares what callers were told with the histories, and returns how many
// transitions were refused, and how many alerts and transitions there are.
func (l *alertLedger) verify(t *testing.T) (refused, alerts, transitions int) {
	t.Helper()
	made := map[told][]span{}
	openers := map[string]span{}
	for i, e := range l.entries {
		require.NoError(t, e.errs[0])
		require.NoError(t, e.errs[2])
		require.Equal(t, e.opened, e.raised.ID == e.id, "told opened of another's alert, or not of its own")
		require.Equal(t, keyService(e.key), e.raised.ServiceName)
		if e.opened {
			openers[e.id] = e.spans[0]
		}
		if e.errs[1] != nil {
			require.ErrorIs(t, e.errs[1], supabase.ErrConflict)
			refused++
		}
		if e.changed {
			change := told{e.moved.ID, message(i), e.moved.To}
			made[change] = append(made[change], e.spans[1])
		}
		require.LessOrEqual(t, len(e.resolved), 1)
		for _, alert := range e.resolved {
			change := told{alert.ID, message(i), alertevent.StatusResolved}
			made[change] = append(made[change], e.spans[2])
		}
	}
	for _, alert := range all[alertevent.AlertEvent](t, l.config, alertsTable, func(a alertevent.AlertEvent) string { return a.ID }) {
		history, err := l.good.History(t.Context(), alert.ID)
		require.NoError(t, err)
		alerts++
		transitions += len(history)
		opener, found := openers[alert.ID]
		require.True(t, found, "nobody was told to have opened %+v", alert)
		delete(openers, alert.ID)
		inOrder(t, alert, opener, history, made)
	}
	require.Empty(t, openers, "told opened, but not there")
	require.Empty(t, made, "told to have been changed, but not in a history")
	return refused, alerts, transitions
}

// inOrder wants the history of an alert to be one of changes that somebody was told of,
// each once, one after the other, and takes them out of made. A change never stands
// before one that had ended when its call began.
func inOrder(t *testing.T, alert alertevent.AlertEvent, opener span, history []alertevent.Transition, made map[told][]span) {
	t.Helper()
	require.NotEmpty(t, history)
	require.Empty(t, history[0].From)
	require.Equal(t, alertevent.StatusActive, history[0].To)
	require.Equal(t, alert.Status, history[len(history)-1].To)
	latest := opener.began
	for i := 1; i < len(history); i++ {
		before, change := history[i-1], history[i]
		require.Equal(t, before.To, change.From)
		require.NotEqual(t, change.From, change.To)
		require.Greater(t, numeric(t, change.ID), numeric(t, before.ID))
		require.NotNil(t, change.By)
		key := told{alert.ID, *change.By, change.To}
		require.NotEmpty(t, made[key], "nobody was told of %+v", change)
		call := made[key][0]
		if made[key] = made[key][1:]; len(made[key]) == 0 {
			delete(made, key)
		}
		require.False(t, call.ended.Before(latest), "%+v ended before a call began that had come first", change)
		if call.began.After(latest) {
			latest = call.began
		}
	}
	end := alert.ResolvedAt
	require.Equal(t, alert.Status == alertevent.StatusResolved, end != nil)
	if end != nil {
		require.WithinDuration(t, history[len(history)-1].At, *end, time.Minute)
	}
}

func numeric(t *testing.T, id string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(id, 10, 64)
	require.NoError(t, err)
	return n
}
