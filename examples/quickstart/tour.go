package main

import (
	"context"
	"fmt"
	"io"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
)

const (
	quietMinutes  = 30 // one alert of a kind in that time
	keepCheckDays = 30
	keepAlertDays = 90
	clock         = "15:04:05 MST"
)

// tour calls each operation once and says so.
type tour struct {
	out    io.Writer
	checks healthcheck.HealthCheckModel
	alerts alertevent.AlertEventModel
	raised map[string]bool // ids of this run's alerts: others are not ours to settle
}

func newTour(out io.Writer, connect supabase.Connector) tour {
	return tour{
		out:    out,
		checks: healthcheck.HealthCheckModel{Connect: connect},
		alerts: alertevent.AlertEventModel{Connect: connect},
		raised: map[string]bool{},
	}
}

func (t tour) take(ctx context.Context, services []service) error {
	for _, step := range []func(context.Context, []service) error{t.record, t.latest, t.raise, t.settle, t.list, t.retain} {
		if err := step(ctx, services); err != nil {
			return err
		}
	}
	return nil
}

func (t tour) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

func (t tour) record(ctx context.Context, services []service) error {
	t.say("\nProbe, and record what was seen: HealthCheckModel.Create")
	for _, s := range services {
		data := probe(ctx, s)
		if err := ctx.Err(); err != nil {
			return err // the probe was interrupted; it says nothing of the service
		}
		check, err := t.checks.Create(ctx, data)
		if err != nil {
			return err
		}
		t.say("  %-9s %s, %d ms", check.Status, check.ServiceName, *check.LatencyMS)
	}
	return nil
}

func (t tour) latest(ctx context.Context, services []service) error {
	t.say("\nThe latest check of each service: HealthCheckModel.FindLatestByService")
	for _, s := range services {
		check, err := t.checks.FindLatestByService(ctx, s.name)
		if err != nil {
			return err
		}
		if check == nil {
			t.say("  %s has none", s.name)
			continue
		}
		reason := ""
		if check.ErrorMessage != nil {
			reason = " (" + *check.ErrorMessage + ")"
		}
		t.say("  %s was %s at %s%s", s.name, check.Status, check.CheckedAt.Format(clock), reason)
	}
	return nil
}

func (t tour) raise(ctx context.Context, services []service) error {
	t.say("\nRaise an alert for what is down, once in %d minutes: AlertEventModel.FindRecentByService, Create", quietMinutes)
	for _, s := range services {
		check, err := t.checks.FindLatestByService(ctx, s.name)
		if err != nil {
			return err
		}
		if check == nil || check.Status != healthcheck.StatusDown {
			continue
		}
		recent, err := t.alerts.FindRecentByService(ctx, s.name, alertevent.AlertTypeServiceDown, quietMinutes)
		if err != nil {
			return err
		}
		if recent != nil {
			t.say("  %s: raised at %s already, now %s", s.name, recent.CreatedAt.Format(clock), recent.Status)
			continue
		}
		alert, err := t.alerts.Create(ctx, alertevent.CreateAlertEventData{
			ServiceName: s.name,
			AlertType:   alertevent.AlertTypeServiceDown,
			Message:     check.ErrorMessage,
			Details:     map[string]any{"check_id": check.ID},
		})
		if err != nil {
			return err
		}
		t.raised[alert.ID] = true
		t.say("  %s: %s, %s", s.name, alert.AlertType, alert.Status)
	}
	return nil
}

func (t tour) settle(ctx context.Context, services []service) error {
	t.say("\nAcknowledge and resolve the alerts of this run: AlertEventModel.FindActive, Acknowledge, Resolve")
	if len(t.raised) == 0 {
		t.say("  none was raised")
	}
	for _, s := range services {
		active, err := t.alerts.FindActive(ctx, s.name)
		if err != nil {
			return err
		}
		for _, alert := range active {
			if !t.raised[alert.ID] {
				t.say("  %s: left active, raised at %s", s.name, alert.CreatedAt.Format(clock))
				continue
			}
			acknowledged, err := t.alerts.Acknowledge(ctx, alert.ID)
			if err != nil {
				return err
			}
			resolved, err := t.alerts.Resolve(ctx, alert.ID)
			if err != nil {
				return err
			}
			t.say("  %s: %s, then %s", s.name, acknowledged.Status, resolved.Status)
		}
	}
	return nil
}

func (t tour) list(ctx context.Context, _ []service) error {
	t.say("\nThe newest five checks of all services: HealthCheckModel.FindAll")
	checks, err := t.checks.FindAll(ctx, healthcheck.FindAllOptions{Limit: 5})
	for _, check := range checks {
		t.say("  %s %-9s %s", check.CreatedAt.Format(clock), check.Status, check.ServiceName)
	}
	return err
}

func (t tour) retain(ctx context.Context, _ []service) error {
	t.say("\nForget checks after %d days and alerts after %d: DeleteOlderThan of both", keepCheckDays, keepAlertDays)
	checks, err := t.checks.DeleteOlderThan(ctx, keepCheckDays)
	if err != nil {
		return err
	}
	alerts, err := t.alerts.DeleteOlderThan(ctx, keepAlertDays)
	if err != nil {
		return err
	}
	t.say("  deleted %d checks and %d alerts", checks, alerts)
	return nil
}
