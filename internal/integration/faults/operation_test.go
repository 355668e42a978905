package faults_test

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
)

const (
	checksTable = "service_health_checks"
	alertsTable = "alert_events"
)

const (
	// subject is the id of the one row, of either table, that operations are about.
	subject = "00000000-0000-4000-8000-000000000001"
	// claimed is the id of an alert whose notification is claimed, and the claim's.
	claimed = "00000000-0000-4000-8000-000000000002"
)

// An operation is one method of one model, called on the tables as stock leaves
// them.
type operation struct {
	name string
	call func(context.Context, *stand) (string, error)
	// result is what the call returns when all is well.
	result string
	// change is what it does to the tables; nothing, for a read.
	change change
	// requests is how many it sends when all is well.
	requests int
	// probes says that the first of them looks where to write. Answers go wrong for
	// the write that follows; networks, for whatever comes first.
	probes bool
	// readsBack says that a repeat finds the write done, and reads the row with
	// one request more.
	readsBack bool
	// pages says that a request which takes too long is made for fewer rows.
	pages bool
	// again is what it returns when a repeat finds the write done; "": result.
	again string
	// bare answers have no body, so what breaks bodies spares them.
	bare bool
}

// oldRows is how many rows of each table retention takes.
const oldRows = 3

func operations() []operation {
	return []operation{
		{
			name: "check.Create", result: "created healthy", requests: 1, readsBack: true, change: change{added: 1},
			call: func(ctx context.Context, s *stand) (string, error) {
				return check(s.checks.Create(ctx, healthcheck.CreateHealthCheckData{
					ServiceName: "created", Status: healthcheck.StatusHealthy, LatencyMS: new(12), ProbeDetails: map[string]any{"a": 1},
				}))
			},
		},
		{
			name: "check.FindLatestByService", result: "subject healthy", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				return check(s.checks.FindLatestByService(ctx, "subject"))
			},
		},
		{
			// A page, and that it is the last.
			name: "check.FindAll", pages: true, result: "subject healthy", requests: 2,
			call: func(ctx context.Context, s *stand) (string, error) {
				found, err := s.checks.FindAll(ctx, healthcheck.FindAllOptions{ServiceName: "subject"})
				return check(only(found), err)
			},
		},
		{
			name: "check.DeleteOlderThan", result: "3", again: "0", requests: 2, probes: true, bare: true, change: change{removed: oldRows},
			call: func(ctx context.Context, s *stand) (string, error) {
				return number(s.checks.DeleteOlderThan(ctx, 90))
			},
		},
		{
			name: "check.CreateMany", result: "2", requests: 1, readsBack: true, bare: true, change: change{added: 2},
			call: func(ctx context.Context, s *stand) (string, error) {
				return number(s.checks.CreateMany(ctx, []healthcheck.CreateHealthCheckData{
					{ServiceName: "created", Status: healthcheck.StatusHealthy}, {ServiceName: "created too", Status: healthcheck.StatusDown, LatencyMS: new(12)},
				}))
			},
		},
		{
			name: "check.FindLatest", pages: true, result: "subject healthy", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				found, err := s.checks.FindLatest(ctx)
				if len(found) == 0 {
					return "", err
				}
				return check(&found[len(found)-1], err)
			},
		},
		{
			name: "check.All", pages: true, result: "subject healthy", requests: 2,
			call: func(ctx context.Context, s *stand) (string, error) {
				var found []healthcheck.ServiceHealthCheck
				for row, err := range s.checks.All(ctx, healthcheck.FindAllOptions{ServiceName: "subject"}) {
					if err != nil {
						return "", err
					}
					found = append(found, row)
				}
				return check(only(found), nil)
			},
		},
		{
			name: "check.FindStates", pages: true, result: "subject healthy", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				found, err := s.checks.FindStates(ctx, healthcheck.FindStatesOptions{SeenSince: time.Now().Add(-time.Hour)})
				if len(found) != 1 {
					return "", err
				}
				return check(&found[0].Latest, err)
			},
		},
		{
			// The check was in this hour or the one before. Twenty times, so that the answer
			// is too long for what cuts it.
			name: "check.FindHistory", pages: true, result: "subject 1m0s", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				hours := healthcheck.TimeRange{Start: time.Now().Add(-time.Hour), End: time.Now().Add(time.Hour)}
				found, err := s.checks.FindHistory(ctx, healthcheck.HistoryOptions{
					ServiceNames: []string{"subject"}, Periods: slices.Repeat([]healthcheck.TimeRange{hours}, 20), Quantiles: []float64{0.5},
				})
				if len(found) != 1 {
					return "", err
				}
				return found[0].ServiceName + " " + found[0].Periods[19].Healthy.String(), err
			},
		},
		{
			name: "check.RebuildHistory", pages: true, result: "rebuilt", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				if err := s.checks.RebuildHistory(ctx, time.Now().Add(-time.Hour), time.Now()); err != nil {
					return "", err
				}
				return "rebuilt", nil
			},
		},
		{
			name: "check.DeleteHistoryOlderThan", pages: true, result: "1", again: "0", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				return number(s.checks.DeleteHistoryOlderThan(ctx, 90))
			},
		},
		{
			name: "alert.Create", result: "created active", requests: 1, readsBack: true, change: change{added: 1},
			call: func(ctx context.Context, s *stand) (string, error) {
				return alert(s.alerts.Create(ctx, alertevent.CreateAlertEventData{
					ServiceName: "created", AlertType: alertevent.AlertTypeServiceDown, Message: new("down"), Details: map[string]any{"a": 1},
				}))
			},
		},
		{
			name: "alert.FindActive", pages: true, result: "subject active", requests: 2,
			call: func(ctx context.Context, s *stand) (string, error) {
				found, err := s.alerts.FindActive(ctx, "subject")
				return alert(only(found), err)
			},
		},
		{
			name: "alert.FindAll", pages: true, result: "subject active", requests: 2,
			call: func(ctx context.Context, s *stand) (string, error) {
				found, err := s.alerts.FindAll(ctx, alertevent.FindAllOptions{ServiceName: "subject"})
				return alert(only(found), err)
			},
		},
		{
			name: "alert.All", pages: true, result: "subject active", requests: 2,
			call: func(ctx context.Context, s *stand) (string, error) {
				var found []alertevent.AlertEvent
				for row, err := range s.alerts.All(ctx, alertevent.FindAllOptions{ServiceName: "subject"}) {
					if err != nil {
						return "", err
					}
					found = append(found, row)
				}
				return alert(only(found), nil)
			},
		},
		{
			name: "alert.Acknowledge", result: "subject acknowledged", requests: 1, readsBack: true, change: change{altered: 1},
			call: func(ctx context.Context, s *stand) (string, error) { return alert(s.alerts.Acknowledge(ctx, subject)) },
		},
		{
			name: "alert.Resolve", result: "subject resolved", requests: 1, readsBack: true, change: change{altered: 1},
			call: func(ctx context.Context, s *stand) (string, error) { return alert(s.alerts.Resolve(ctx, subject)) },
		},
		{
			name: "alert.FindRecentByService", result: "subject active", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				return alert(s.alerts.FindRecentByService(ctx, "subject", alertevent.AlertTypeServiceDown, 60))
			},
		},
		{
			name: "alert.DeleteOlderThan", result: "3", again: "0", requests: 2, probes: true, bare: true, change: change{removed: oldRows},
			call: func(ctx context.Context, s *stand) (string, error) {
				return number(s.alerts.DeleteOlderThan(ctx, 90))
			},
		},
		{
			name: "alert.Raise", result: "new active", requests: 1, change: change{added: 1},
			call: func(ctx context.Context, s *stand) (string, error) {
				return moved(s.alerts.Raise(ctx, alertevent.RaiseData{ServiceName: "new", AlertType: alertevent.AlertTypeServiceDown}))
			},
		},
		{
			name: "alert.ResolveOpen", result: "raised resolved", requests: 1, change: change{altered: 1},
			call: func(ctx context.Context, s *stand) (string, error) {
				found, err := s.alerts.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: "raised", AlertType: alertevent.AlertTypeServiceDown})
				return alert(only(found), err)
			},
		},
		{
			name: "alert.Transition", result: "claimed acknowledged", requests: 1, change: change{altered: 1},
			call: func(ctx context.Context, s *stand) (string, error) {
				return moved(s.alerts.Transition(ctx, alertevent.TransitionData{ID: claimed, To: alertevent.StatusAcknowledged}))
			},
		},
		{
			name: "alert.FindOpen", pages: true, result: "subject active", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				found, err := s.alerts.FindOpen(ctx, "subject")
				return alert(only(found), err)
			},
		},
		{
			name: "alert.History", result: "created active", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				history, err := s.alerts.History(ctx, subject)
				if len(history) != 1 {
					return "", err
				}
				return "created " + string(history[0].To), err
			},
		},
		{
			name: "alert.ResponseTimes", result: "1", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				times, err := s.alerts.ResponseTimes(ctx, alertevent.ResponseTimesOptions{ServiceName: "subject"})
				return number(times.Raised, err)
			},
		},
		{
			name: "alert.ClaimNotifications", result: "raised active", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				found, err := s.alerts.ClaimNotifications(ctx, alertevent.ClaimOptions{})
				if len(found) != 1 {
					return "", err
				}
				return alert(&found[0].Alert, err)
			},
		},
		{
			name: "alert.ConfirmNotification", result: "confirmed", requests: 1,
			call: func(ctx context.Context, s *stand) (string, error) {
				err := s.alerts.ConfirmNotification(ctx, alertevent.Notification{
					Kind: alertevent.KindOpened, Alert: alertevent.AlertEvent{ID: claimed}, Token: claimed,
				})
				if err != nil {
					return "", err
				}
				return "confirmed", nil
			},
		},
		{
			name: "alert.DeleteResolvedOlderThan", pages: true, result: "3", again: "0", requests: 1, change: change{removed: oldRows},
			call: func(ctx context.Context, s *stand) (string, error) {
				return number(s.alerts.DeleteResolvedOlderThan(ctx, 90))
			},
		},
	}
}

func check(found *healthcheck.ServiceHealthCheck, err error) (string, error) {
	if found == nil {
		return "", err
	}
	return found.ServiceName + " " + string(found.Status), err
}

func alert(found *alertevent.AlertEvent, err error) (string, error) {
	if found == nil {
		return "", err
	}
	return found.ServiceName + " " + string(found.Status), err
}

// moved is empty where the call was not the one that did it.
func moved(found *alertevent.AlertEvent, did bool, err error) (string, error) {
	if !did {
		return "", err
	}
	return alert(found, err)
}

// only returns the one row of a list; nil when there is another number.
func only[R any](rows []R) *R {
	if len(rows) != 1 {
		return nil
	}
	return &rows[0]
}

func number(n int64, err error) (string, error) {
	if err != nil && n == 0 {
		return "", err
	}
	return strconv.FormatInt(n, 10), err
}

// What is not called here fails in ways that nobody has seen.
func TestEveryOperationMeetsTheFaults(t *testing.T) {
	t.Parallel()
	var called []string
	for _, o := range operations() {
		called = append(called, o.name)
	}
	for prefix, model := range map[string]any{"check.": healthcheck.HealthCheckModel{}, "alert.": alertevent.AlertEventModel{}} {
		for method := range reflect.TypeOf(model).Methods() {
			require.Contains(t, called, prefix+method.Name)
		}
	}
}
