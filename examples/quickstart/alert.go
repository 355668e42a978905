package main

import (
	"context"
	"time"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
)

// raise returns the alerts that it raised. To look for a recent one first is for one
// program alone: two that look at once both raise, and a second outage within
// quietMinutes is not raised.
func (t tour) raise(ctx context.Context, down []*healthcheck.ServiceHealthCheck) (raised []*alertevent.AlertEvent, err error) {
	if len(down) == 0 {
		t.say("nothing is down")
	}
	for _, check := range down {
		recent, err := t.alerts.FindRecentByService(ctx, check.ServiceName, alertevent.AlertTypeServiceDown, quietMinutes)
		if err != nil {
			return nil, err
		}
		if recent != nil {
			t.called("AlertEventModel.FindRecentByService", "%s: raised at %s, now %s; not again", check.ServiceName, recent.CreatedAt.Format(clock), recent.Status)
			continue
		}
		t.called("AlertEventModel.FindRecentByService", "%s: none", check.ServiceName)
		alert, err := t.alerts.Create(ctx, alertevent.CreateAlertEventData{
			ServiceName: check.ServiceName,
			AlertType:   alertevent.AlertTypeServiceDown,
			Message:     check.ErrorMessage,
			Details:     map[string]any{"check_id": check.ID},
		})
		if err != nil {
			return nil, err
		}
		t.called("AlertEventModel.Create", "%s: %s, %s", alert.ServiceName, alert.AlertType, alert.Status)
		raised = append(raised, alert)
	}
	return raised, nil
}

// settle takes the alerts of this run to their end. Others, of a run that was
// interrupted or of another program, are not its own to settle.
func (t tour) settle(ctx context.Context, raised []*alertevent.AlertEvent) error {
	if len(raised) == 0 {
		t.say("this run raised none")
	} else if err := t.list(ctx); err != nil {
		return err
	}
	for _, alert := range raised {
		acknowledged, err := t.alerts.Acknowledge(ctx, alert.ID)
		if err != nil {
			return err
		}
		t.called("AlertEventModel.Acknowledge", "%s: %s", acknowledged.ServiceName, acknowledged.Status)
		resolved, err := t.alerts.Resolve(ctx, alert.ID)
		if err != nil {
			return err
		}
		t.called("AlertEventModel.Resolve", "%s: %s", resolved.ServiceName, resolved.Status)
	}
	if err := t.list(ctx); err != nil {
		return err
	}
	return t.count(ctx)
}

// count goes through the alerts of a day, a page at a time.
func (t tour) count(ctx context.Context) error {
	alerts := 0
	for _, err := range t.alerts.All(ctx, alertevent.FindAllOptions{Since: time.Now().Add(-24 * time.Hour)}) {
		if err != nil {
			return err
		}
		alerts++
	}
	t.called("AlertEventModel.All", "%d raised within 24 hours", alerts)
	return nil
}

// list shows the newest of all services' active alerts.
func (t tour) list(ctx context.Context) error {
	active, err := t.alerts.FindActive(ctx, "")
	if err != nil {
		return err
	}
	if len(active) == 0 {
		t.called("AlertEventModel.FindActive", "none")
	}
	for i, alert := range active {
		if i == shownAlerts {
			t.called("", "and %d more", len(active)-shownAlerts)
			break
		}
		t.called("AlertEventModel.FindActive", "%s: %s since %s", alert.ServiceName, alert.AlertType, alert.CreatedAt.Format(day))
	}
	return nil
}
