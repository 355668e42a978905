package conformance_test

import (
	"slices"
	"strings"
	"time"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
)

// reference is what both tables should hold, and the operations on it in the
// plainest way.
type reference struct {
	checks []healthcheck.ServiceHealthCheck
	alerts []alertevent.AlertEvent
}

// newer orders by time and id, the newest first and NULL last.
func newer(a, b time.Time, idA, idB string) int {
	if order := b.Compare(a); order != 0 {
		return order
	}
	return strings.Compare(idB, idA)
}

func (r *reference) latest(service string) *healthcheck.ServiceHealthCheck {
	var latest *healthcheck.ServiceHealthCheck
	for i := range r.checks {
		check := &r.checks[i]
		if check.ServiceName == service && !check.CheckedAt.IsZero() &&
			(latest == nil || newer(check.CheckedAt, latest.CheckedAt, check.ID, latest.ID) < 0) {
			latest = check
		}
	}
	return latest
}

func (r *reference) latestOfAll() []healthcheck.ServiceHealthCheck {
	found := []healthcheck.ServiceHealthCheck{}
	seen := map[string]bool{}
	for _, check := range r.checks {
		if latest := r.latest(check.ServiceName); latest != nil && !seen[check.ServiceName] {
			seen[check.ServiceName] = true
			found = append(found, *latest)
		}
	}
	slices.SortFunc(found, func(a, b healthcheck.ServiceHealthCheck) int { return strings.Compare(a.ServiceName, b.ServiceName) })
	return found
}

// within says whether created_at is in [since, until).
func within(createdAt, since, until time.Time) bool {
	if since.IsZero() && until.IsZero() {
		return true
	}
	return !createdAt.IsZero() && !createdAt.Before(since) && (until.IsZero() || createdAt.Before(until))
}

func (r *reference) list(options healthcheck.FindAllOptions) []healthcheck.ServiceHealthCheck {
	found := []healthcheck.ServiceHealthCheck{}
	for _, check := range r.checks {
		if (options.ServiceName == "" || check.ServiceName == options.ServiceName) &&
			(options.Status == "" || check.Status == options.Status) &&
			within(check.CreatedAt, options.Since, options.Until) {
			found = append(found, check)
		}
	}
	slices.SortFunc(found, func(a, b healthcheck.ServiceHealthCheck) int { return newer(a.CreatedAt, b.CreatedAt, a.ID, b.ID) })
	return found
}

func (r *reference) alertList(options alertevent.FindAllOptions) []alertevent.AlertEvent {
	found := []alertevent.AlertEvent{}
	for _, alert := range r.alerts {
		if (options.ServiceName == "" || alert.ServiceName == options.ServiceName) &&
			(options.AlertType == "" || alert.AlertType == options.AlertType) &&
			(options.Status == "" || alert.Status == options.Status) &&
			within(alert.CreatedAt, options.Since, options.Until) {
			found = append(found, alert)
		}
	}
	slices.SortFunc(found, func(a, b alertevent.AlertEvent) int { return newer(a.CreatedAt, b.CreatedAt, a.ID, b.ID) })
	return found
}

func (r *reference) deleteChecks(before time.Time) (deleted int64) {
	r.checks = slices.DeleteFunc(r.checks, func(check healthcheck.ServiceHealthCheck) bool {
		old := !check.CreatedAt.IsZero() && check.CreatedAt.Before(before)
		if old {
			deleted++
		}
		return old
	})
	return deleted
}

func (r *reference) alert(id string) *alertevent.AlertEvent {
	for i := range r.alerts {
		if r.alerts[i].ID == id {
			return &r.alerts[i]
		}
	}
	return nil
}

func (r *reference) active(service string) []alertevent.AlertEvent {
	return r.alertList(alertevent.FindAllOptions{ServiceName: service, Status: alertevent.StatusActive})
}

func (r *reference) recent(service string, alertType alertevent.AlertType, since time.Time) *alertevent.AlertEvent {
	var recent *alertevent.AlertEvent
	for i := range r.alerts {
		alert := &r.alerts[i]
		if alert.ServiceName == service && alert.AlertType == alertType && !alert.CreatedAt.Before(since) &&
			(recent == nil || newer(alert.CreatedAt, recent.CreatedAt, alert.ID, recent.ID) < 0) {
			recent = alert
		}
	}
	return recent
}
