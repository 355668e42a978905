package main

import (
	"context"
	"slices"
	"time"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
)

// raise returns the alerts that are open for what is down. They have a key of this
// program's own, so that those of others are not taken for them.
func (t tour) raise(ctx context.Context, down []*healthcheck.ServiceHealthCheck) (open []*alertevent.AlertEvent, err error) {
	if len(down) == 0 {
		t.say("nothing is down")
	}
	for _, check := range down {
		alert, opened, err := t.alerts.Raise(ctx, alertevent.RaiseData{
			ServiceName: check.ServiceName,
			AlertType:   alertevent.AlertTypeServiceDown,
			DedupKey:    program,
			Message:     check.ErrorMessage,
			Details:     map[string]any{"check_id": check.ID},
		})
		if err != nil {
			return nil, err
		}
		was := "opened"
		if !opened {
			was = "open since " + alert.CreatedAt.Format(day)
		}
		t.called("AlertEventModel.Raise", "%s: %s, %s", alert.ServiceName, alert.AlertType, was)
		open = append(open, alert)
	}
	return open, t.tell(ctx, open)
}

// tell claims what people are to be told, tells it of these alerts, and confirms. What
// other programs raised is left to their senders: it is due again after the lease.
func (t tour) tell(ctx context.Context, open []*alertevent.AlertEvent) error {
	if len(open) == 0 {
		return nil
	}
	claimed, err := t.alerts.ClaimNotifications(ctx, alertevent.ClaimOptions{Lease: 10 * time.Second, Limit: 1000})
	if err != nil {
		return err
	}
	for _, notification := range claimed {
		alert := notification.Alert
		if !slices.ContainsFunc(open, func(mine *alertevent.AlertEvent) bool { return mine.ID == alert.ID }) {
			continue
		}
		t.called("AlertEventModel.ClaimNotifications", "%s: %s %s", alert.ServiceName, alert.AlertType, notification.Kind)
		if err := t.alerts.ConfirmNotification(ctx, notification); err != nil {
			return err
		}
		t.called("AlertEventModel.ConfirmNotification", "%s: told", alert.ServiceName)
	}
	return nil
}

// settle takes these alerts to their end. Those of other programs are not its own to
// settle.
func (t tour) settle(ctx context.Context, open []*alertevent.AlertEvent) error {
	if len(open) == 0 {
		t.say("this run raised none")
	} else if err := t.list(ctx); err != nil {
		return err
	}
	for _, alert := range open {
		acknowledged, err := t.alerts.Acknowledge(ctx, alert.ID)
		if err != nil {
			return err
		}
		t.called("AlertEventModel.Acknowledge", "%s: %s", acknowledged.ServiceName, acknowledged.Status)
		resolved, err := t.alerts.ResolveOpen(ctx, alertevent.ResolveOpenData{
			ServiceName: alert.ServiceName, AlertType: alert.AlertType, DedupKey: program, By: program, Reason: "the tour is over",
		})
		if err != nil {
			return err
		}
		t.called("AlertEventModel.ResolveOpen", "%s: %d resolved", alert.ServiceName, len(resolved))
		history, err := t.alerts.History(ctx, alert.ID)
		if err != nil {
			return err
		}
		t.called("AlertEventModel.History", "%s: %d changes of status", alert.ServiceName, len(history))
	}
	if err := t.tell(ctx, open); err != nil {
		return err
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

// list shows the newest of all services' open alerts.
func (t tour) list(ctx context.Context) error {
	open, err := t.alerts.FindOpen(ctx, "")
	if err != nil {
		return err
	}
	if len(open) == 0 {
		t.called("AlertEventModel.FindOpen", "none")
	}
	for i, alert := range open {
		if i == shownAlerts {
			t.called("", "and %d more", len(open)-shownAlerts)
			break
		}
		t.called("AlertEventModel.FindOpen", "%s: %s since %s", alert.ServiceName, alert.AlertType, alert.CreatedAt.Format(day))
	}
	return nil
}
