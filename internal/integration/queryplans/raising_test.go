package queryplans_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
)

// raising are the operations of migration 016. What they fetch is not a multiple of
// what they return: it must not grow with the table.
func raising(t *testing.T, session *pgx.Conn) []operation {
	t.Helper()
	one := func(where string) (id string) {
		require.NoError(t, session.QueryRow(t.Context(), "SELECT id::text FROM alert_events WHERE dedup_key = "+where).Scan(&id))
		return id
	}
	active, resolved := one("'key-1'"), one("'key-1000'")
	raise := func(service string, key string) func(context.Context, models) (int, error) {
		return func(ctx context.Context, m models) (int, error) {
			alert, _, err := m.alerts.Raise(ctx, alertevent.RaiseData{ServiceName: service, AlertType: alertevent.AlertTypeServiceDown, DedupKey: key})
			return rowOf(alert, err)
		}
	}
	transition := func(id string, to alertevent.Status) func(context.Context, models) (int, error) {
		return func(ctx context.Context, m models) (int, error) {
			alert, _, err := m.alerts.Transition(ctx, alertevent.TransitionData{ID: id, To: to})
			return rowOf(alert, err)
		}
	}
	resolveOpen := func(key string) func(context.Context, models) (int, error) {
		return func(ctx context.Context, m models) (int, error) {
			return rowsOf(m.alerts.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: "svc-2", AlertType: alertevent.AlertTypeServiceDown, DedupKey: key}))
		}
	}
	findOpen := func(service string) func(context.Context, models) (int, error) {
		return func(ctx context.Context, m models) (int, error) { return rowsOf(m.alerts.FindOpen(ctx, service)) }
	}
	const openByKey = "idx_alert_events_one_open_per_key"
	return []operation{
		{"raise what is open", alertTables, openByKey, raise("svc-1", "key-1"), 0, true},
		{"raise, which opens", alertTables, openByKey, raise("svc-1", "another"), 0, true},
		{"raise without a key", alertTables, openByKey, raise(service, ""), 60, false}, // takes over the newest of the 40 of the service that are open without one
		{"acknowledge by a transition", alertTables, "alert_events_pkey", transition(active, alertevent.StatusAcknowledged), 0, false},
		{"reopen by a transition", alertTables, "alert_events_pkey", transition(resolved, alertevent.StatusActive), 0, false},
		{"resolve what is open", alertTables, openByKey, resolveOpen("key-2"), 0, false},
		{"resolve where nothing is open", alertTables, openByKey, resolveOpen("none"), 0, true},
		{"open alerts", alertTables, openByKey, findOpen(""), 7, true}, // each of three pages reads and counts them all
		{"open alerts of a service", alertTables, openByKey, findOpen(service), 0, true},
		{"history of an alert", alertTables, "idx_alert_transitions_alert", func(ctx context.Context, m models) (int, error) {
			return rowsOf(m.alerts.History(ctx, resolved))
		}, 0, true},
		{"claim notifications", alertTables, "idx_alert_notifications_next", func(ctx context.Context, m models) (int, error) {
			return rowsOf(m.alerts.ClaimNotifications(ctx, alertevent.ClaimOptions{RemindEvery: time.Second}))
		}, 8, true},
		{"claim where nothing is due", alertTables, "idx_alert_notifications_next", func(ctx context.Context, m models) (int, error) {
			return rowsOf(m.alerts.ClaimNotifications(ctx, alertevent.ClaimOptions{}))
		}, 0, true},
		{"forget resolved alerts", alertTables, "idx_alert_events_resolved", func(ctx context.Context, m models) (int, error) {
			deleted, err := m.alerts.DeleteResolvedOlderThan(ctx, 298)
			return int(deleted), err
		}, 8, false},
	}
}
