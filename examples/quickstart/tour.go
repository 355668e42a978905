package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
)

const (
	program       = "quickstart" // who raises and resolves, and the key of its alerts
	keepCheckDays = 30
	keepAlertDays = 90
	shownAlerts   = 3

	clock = "15:04:05 MST"
	day   = "2006-01-02 15:04:05 MST"
)

// tour calls the operations of both models, and says so.
type tour struct {
	out    io.Writer
	prober *http.Client
	checks healthcheck.HealthCheckModel
	alerts alertevent.AlertEventModel
}

func newTour(out io.Writer, connect supabase.Connector) tour {
	return tour{
		out:    out,
		prober: newProber(),
		checks: healthcheck.HealthCheckModel{Connect: connect},
		alerts: alertevent.AlertEventModel{Connect: connect},
	}
}

func (t tour) take(ctx context.Context, services []service) error {
	t.heading("Probe each service and record what was seen")
	if err := t.record(ctx, services); err != nil {
		return err
	}
	t.heading("Read the latest check of each service, and the newest of all")
	down, err := t.read(ctx, services)
	if err != nil {
		return err
	}
	t.heading("Raise an alert for what is down, and tell people once")
	open, err := t.raise(ctx, down)
	if err != nil {
		return err
	}
	t.heading("Settle the alerts of this run, and no others")
	if err := t.settle(ctx, open); err != nil {
		return err
	}
	t.heading("Delete checks older than %d days and alerts resolved %d days ago", keepCheckDays, keepAlertDays)
	return t.retain(ctx)
}

func (t tour) heading(format string, args ...any) { fmt.Fprintf(t.out, "\n"+format+"\n", args...) }

func (t tour) say(text string) { fmt.Fprintf(t.out, "  %s\n", text) }

// called says what came of a call; 39 is the width of the longest one's name.
func (t tour) called(call, format string, args ...any) {
	fmt.Fprintf(t.out, "  %-39s → %s\n", call, fmt.Sprintf(format, args...))
}

func (t tour) record(ctx context.Context, services []service) error {
	for _, s := range services {
		data := probe(ctx, t.prober, s)
		if err := ctx.Err(); err != nil {
			return err // interrupted, which says nothing of the service or the store
		}
		check, err := t.checks.Create(ctx, data)
		if err != nil {
			return err
		}
		t.called("HealthCheckModel.Create", "%s: %s", check.ServiceName, outcome(check))
	}
	return nil
}

func outcome(check *healthcheck.ServiceHealthCheck) string {
	switch {
	case check.ErrorMessage != nil:
		return fmt.Sprintf("%s, %s", check.Status, *check.ErrorMessage)
	case check.LatencyMS != nil:
		return fmt.Sprintf("%s in %d ms", check.Status, *check.LatencyMS)
	default:
		return string(check.Status)
	}
}

// read returns the checks of the services that are down.
func (t tour) read(ctx context.Context, services []service) (down []*healthcheck.ServiceHealthCheck, err error) {
	for _, s := range services {
		check, err := t.checks.FindLatestByService(ctx, s.name)
		if err != nil {
			return nil, err
		}
		if check == nil { // it was stored above; somebody has deleted it
			t.called("HealthCheckModel.FindLatestByService", "%s: none", s.name)
			continue
		}
		t.called("HealthCheckModel.FindLatestByService", "%s: %s at %s", s.name, check.Status, check.CheckedAt.Format(clock))
		if check.Status == healthcheck.StatusDown {
			down = append(down, check)
		}
	}
	newest, err := t.checks.FindAll(ctx, healthcheck.FindAllOptions{Limit: 10})
	if err != nil {
		return nil, err
	}
	t.called("HealthCheckModel.FindAll", "%d of the newest %d healthy", healthy(newest), len(newest))
	latest, err := t.checks.FindLatest(ctx)
	if err != nil {
		return nil, err
	}
	t.called("HealthCheckModel.FindLatest", "%d of all %d services healthy", healthy(latest), len(latest))
	return down, nil
}

func healthy(checks []healthcheck.ServiceHealthCheck) (n int) {
	for _, check := range checks {
		if check.Status == healthcheck.StatusHealthy {
			n++
		}
	}
	return n
}

func (t tour) retain(ctx context.Context) error {
	checks, err := t.checks.DeleteOlderThan(ctx, keepCheckDays)
	if err != nil {
		return err
	}
	t.called("HealthCheckModel.DeleteOlderThan", "%d deleted", checks)
	alerts, err := t.alerts.DeleteResolvedOlderThan(ctx, keepAlertDays)
	if err != nil {
		return err
	}
	t.called("AlertEventModel.DeleteResolvedOlderThan", "%d deleted", alerts)
	return nil
}
