package alertevent_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
)

// What each method costs in requests, beside one alert that is open and raised now.
func TestRequestsOfEachMethod(t *testing.T) {
	t.Parallel()
	const service, serviceDown = "api", alertevent.AlertTypeServiceDown
	for method, test := range map[string]struct {
		requests int
		call     func(context.Context, alertevent.AlertEventModel, *alertevent.AlertEvent) error
	}{
		"Create": {1, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, err := m.Create(ctx, alertevent.CreateAlertEventData{ServiceName: service, AlertType: serviceDown})
			return err
		}},
		"Acknowledge": {1, func(ctx context.Context, m alertevent.AlertEventModel, open *alertevent.AlertEvent) error {
			_, err := m.Acknowledge(ctx, open.ID)
			return err
		}},
		"Resolve": {1, func(ctx context.Context, m alertevent.AlertEventModel, open *alertevent.AlertEvent) error {
			_, err := m.Resolve(ctx, open.ID)
			return err
		}},
		"FindActive": {2, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, err := m.FindActive(ctx, "")
			return err
		}},
		"FindRecentByService": {1, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, err := m.FindRecentByService(ctx, service, serviceDown, 60)
			return err
		}},
		"FindAll, limit reached": {1, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, err := m.FindAll(ctx, alertevent.FindAllOptions{Limit: 1})
			return err
		}},
		"FindAll, ends before": {2, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, err := m.FindAll(ctx, alertevent.FindAllOptions{})
			return err
		}},
		"All": {2, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			for _, err := range m.All(ctx, alertevent.FindAllOptions{}) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		"Raise, open already": {1, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, _, err := m.Raise(ctx, alertevent.RaiseData{ServiceName: service, AlertType: serviceDown})
			return err
		}},
		"Raise, opens": {1, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, _, err := m.Raise(ctx, alertevent.RaiseData{ServiceName: service, AlertType: serviceDown, DedupKey: "another"})
			return err
		}},
		"Transition": {1, func(ctx context.Context, m alertevent.AlertEventModel, open *alertevent.AlertEvent) error {
			_, _, err := m.Transition(ctx, alertevent.TransitionData{ID: open.ID, To: alertevent.StatusAcknowledged})
			return err
		}},
		"ResolveOpen": {1, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, err := m.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: service, AlertType: serviceDown})
			return err
		}},
		"FindOpen": {1, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, err := m.FindOpen(ctx, "")
			return err
		}},
		"FindOpen of a service": {1, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, err := m.FindOpen(ctx, service)
			return err
		}},
		"History": {1, func(ctx context.Context, m alertevent.AlertEventModel, open *alertevent.AlertEvent) error {
			_, err := m.History(ctx, open.ID)
			return err
		}},
		"ResponseTimes": {1, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, err := m.ResponseTimes(ctx, alertevent.ResponseTimesOptions{})
			return err
		}},
		"ClaimNotifications and ConfirmNotification": {2, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			claimed, err := m.ClaimNotifications(ctx, alertevent.ClaimOptions{})
			if err != nil {
				return err
			}
			return m.ConfirmNotification(ctx, claimed[0])
		}},
		"DeleteOlderThan, nothing to delete": {1, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, err := m.DeleteOlderThan(ctx, 1)
			return err
		}},
		"DeleteResolvedOlderThan, nothing to delete": {1, func(ctx context.Context, m alertevent.AlertEventModel, _ *alertevent.AlertEvent) error {
			_, err := m.DeleteResolvedOlderThan(ctx, 1)
			return err
		}},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			server, model := start(t)
			open, _, err := model.Raise(t.Context(), alertevent.RaiseData{ServiceName: service, AlertType: serviceDown})
			require.NoError(t, err)
			before := len(server.Requests())
			require.NoError(t, test.call(t.Context(), model, open))
			require.Len(t, server.Requests()[before:], test.requests)
		})
	}
}
