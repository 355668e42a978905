package conformance_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// TestOperationsAgreeWithTheReference does random operations on the double and
// on the reference at once: the results are equal, always.
func TestOperationsAgreeWithTheReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		server := supabasetest.NewServer()
		defer server.Close()
		server.SetMaxRows(rapid.SampledFrom([]int{1, 3, 1000}).Draw(rt, "max rows"))
		compare(t, rt, open(t, double, server.Config()), 0)
	})
}

// TestRealServersAgreeWithTheReference does the same on PostgreSQL, in fewer
// rounds. It keeps to names that every server tells apart.
func TestRealServersAgreeWithTheReference(t *testing.T) {
	t.Parallel()
	for _, kind := range []realserver.Kind{realserver.LitePostgres, realserver.PostgREST} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server, err := realserver.Start(context.Background(), kind, realserver.Options{
				Migrations: migrations.FS, Postgres: realserver.SharedPostgres(t), MaxRows: 7,
			})
			realserver.Need(t, err)
			t.Cleanup(func() { require.NoError(t, server.Stop()) })
			s := open(t, kind, server.Config())
			const rounds = 5
			var done atomic.Int64
			rapid.Check(t, func(rt *rapid.T) {
				if done.Add(1) > rounds {
					return
				}
				s.empty(t)
				compare(t, rt, s, 40)
			})
		})
	}
}

// world draws what operations are about.
type world struct {
	*rapid.T
	suite     *suite
	reference reference
	services  *rapid.Generator[string]
}

func compare(t *testing.T, rt *rapid.T, s *suite, steps int) {
	t.Helper()
	services := []string{"api", "api2", "a,status.eq.down", `q"(`}
	if s.kind == double {
		services = append(services, rapid.SliceOfN(serviceNames(), 1, 3).Draw(rt, "services")...)
	}
	w := &world{T: rt, suite: s, services: rapid.SampledFrom(services)}
	actions := map[string]func(*rapid.T){}
	for name, action := range map[string]func(*world){
		"create a check": (*world).createCheck, "store an old check": (*world).storeCheck, "latest": (*world).latest, "list": (*world).list, "forget checks": (*world).deleteChecks,
		"create checks": (*world).createChecks, "latest of all": (*world).latestOfAll, "list alerts": (*world).listAlerts,
		"create an alert": (*world).createAlert, "store an old alert": (*world).storeAlert, "settle": (*world).settle, "active": (*world).active, "recent": (*world).recent,
	} {
		actions[name] = func(rt *rapid.T) {
			w.T = rt
			action(w)
		}
	}
	if steps == 0 {
		rt.Repeat(actions)
		return
	}
	names := rapid.SampledFrom(slices.Sorted(maps.Keys(actions)))
	for range steps {
		actions[names.Draw(rt, "action")](rt)
	}
}

// serviceNames are all that the column takes.
func serviceNames() *rapid.Generator[string] {
	return rapid.StringN(1, 100, -1).Filter(func(name string) bool {
		return !strings.ContainsRune(name, 0) && strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsSpace(r) })
	})
}

func (w *world) service() string { return w.services.Draw(w.T, "service") }

// createdAt is in whole days and minutes, so that no cutoff falls between the clocks of
// the test and of the library.
func (w *world) createdAt(name string) any {
	if rapid.IntRange(0, 5).Draw(w.T, name+" is NULL") == 0 {
		return nil
	}
	days := rapid.IntRange(0, 40).Draw(w.T, name+", days ago")
	return time.Now().UTC().AddDate(0, 0, -days).Add(-30 * time.Minute).Truncate(time.Minute)
}

func asTime(value any) time.Time {
	at, _ := value.(time.Time)
	return at
}

func (w *world) createCheck() {
	data := healthcheck.CreateHealthCheckData{
		ServiceName: w.service(),
		Status:      w.status(),
		LatencyMS:   rapid.Ptr(rapid.IntRange(0, 2147483647), true).Draw(w.T, "latency"),
	}
	if text := rapid.String().Draw(w.T, "error"); !strings.ContainsRune(text, 0) {
		data.ErrorMessage = &text
		data.ProbeDetails = map[string]any{"text": text, "number": rapid.Float64Range(-1e15, 1e15).Draw(w.T, "number")}
	}
	check, err := w.suite.checks.Create(w.Context(), data)
	require.NoError(w, err)
	require.Equal(w, &healthcheck.ServiceHealthCheck{
		ID: check.ID, ServiceName: data.ServiceName, Status: data.Status, LatencyMS: data.LatencyMS, ErrorMessage: data.ErrorMessage,
		ProbeDetails: data.ProbeDetails, CheckedAt: check.CheckedAt, CreatedAt: check.CreatedAt,
	}, check)
	w.reference.checks = append(w.reference.checks, *check)
}

func (w *world) storeCheck() {
	id, service, createdAt, checkedAt := uuid.NewString(), w.service(), w.createdAt("created_at"), w.createdAt("checked_at")
	w.store(checksTable, map[string]any{"id": id, "service_name": service, "status": "down", "created_at": createdAt, "checked_at": checkedAt})
	w.reference.checks = append(w.reference.checks, healthcheck.ServiceHealthCheck{
		ID: id, ServiceName: service, Status: healthcheck.StatusDown, CreatedAt: asTime(createdAt), CheckedAt: asTime(checkedAt),
	})
}

func (w *world) store(table string, row map[string]any) {
	_, _, err := w.suite.client.From(table).Insert(row, false, "", "minimal", "").ExecuteWithContext(w.Context())
	require.NoError(w, err)
}

func (w *world) latest() {
	service := w.service()
	got, err := w.suite.checks.FindLatestByService(w.Context(), service)
	require.NoError(w, err)
	require.Equal(w, w.reference.latest(service), got)
}

func (w *world) latestOfAll() {
	got, err := w.suite.checks.FindLatest(w.Context())
	require.NoError(w, err)
	require.Equal(w, w.reference.latestOfAll(), got)
}

// maybe draws a value half of the time.
func maybe[V any](w *world, name string, draw func() V) (value V) {
	if rapid.Bool().Draw(w.T, name) {
		value = draw()
	}
	return value
}

func (w *world) bound() time.Time {
	return time.Now().UTC().AddDate(0, 0, -rapid.IntRange(0, 41).Draw(w.T, "days ago")).Truncate(time.Minute)
}

func (w *world) list() {
	options := healthcheck.FindAllOptions{
		Limit:       rapid.IntRange(0, 30).Draw(w.T, "limit"),
		ServiceName: maybe(w, "of one service", w.service),
		Status:      maybe(w, "of one status", w.status),
		Since:       maybe(w, "since", w.bound),
		Until:       maybe(w, "until", w.bound),
	}
	if !options.Since.IsZero() && !options.Until.After(options.Since) {
		options.Until = time.Time{}
	}
	want := w.reference.list(options)
	all := []healthcheck.ServiceHealthCheck{}
	for check, err := range w.suite.checks.All(w.Context(), options) {
		require.NoError(w, err)
		all = append(all, check)
	}
	if options.Limit == 0 {
		require.Equal(w, want, all)
		options.Limit = 100
	}
	got, err := w.suite.checks.FindAll(w.Context(), options)
	require.NoError(w, err)
	require.Equal(w, want[:min(options.Limit, len(want))], got)
}

func (w *world) listAlerts() {
	options := alertevent.FindAllOptions{
		Limit:       rapid.IntRange(0, 30).Draw(w.T, "limit"),
		ServiceName: maybe(w, "of one service", w.service),
		AlertType:   maybe(w, "of one type", w.alertType),
		Status:      maybe(w, "of one status", func() alertevent.Status { return w.alertStatus("active") }),
		Since:       maybe(w, "since", w.bound),
	}
	want := w.reference.alertList(options)
	all := []alertevent.AlertEvent{}
	for alert, err := range w.suite.alerts.All(w.Context(), options) {
		require.NoError(w, err)
		all = append(all, alert)
	}
	if options.Limit > 0 {
		want = want[:min(options.Limit, len(want))]
	}
	require.Equal(w, want, all)
}

func (w *world) status() healthcheck.Status {
	return rapid.SampledFrom([]healthcheck.Status{"healthy", "degraded", "down"}).Draw(w.T, "status")
}

func (w *world) alertType() alertevent.AlertType {
	return rapid.SampledFrom([]alertevent.AlertType{"service_down", "service_degraded", "recovery"}).Draw(w.T, "type")
}

func (w *world) alertStatus(first alertevent.Status) alertevent.Status {
	return rapid.SampledFrom([]alertevent.Status{first, "acknowledged", "resolved"}).Draw(w.T, "status")
}

// createChecks stores many at once, and reads back what the database filled in.
func (w *world) createChecks() {
	data := make([]healthcheck.CreateHealthCheckData, rapid.IntRange(0, 12).Draw(w.T, "checks"))
	for i := range data {
		data[i] = healthcheck.CreateHealthCheckData{
			ID: uuid.NewString(), ServiceName: w.service(), Status: w.status(),
			CheckedAt: maybe(w, "checked_at", w.bound),
		}
	}
	stored, err := w.suite.checks.CreateMany(w.Context(), data)
	require.NoError(w, err)
	require.Equal(w, int64(len(data)), stored)
	for check, err := range w.suite.checks.All(w.Context(), healthcheck.FindAllOptions{}) {
		require.NoError(w, err)
		i := slices.IndexFunc(data, func(d healthcheck.CreateHealthCheckData) bool { return d.ID == check.ID })
		if i < 0 {
			continue
		}
		want := healthcheck.ServiceHealthCheck{ID: check.ID, ServiceName: data[i].ServiceName, Status: data[i].Status, CheckedAt: data[i].CheckedAt, CreatedAt: check.CreatedAt}
		if want.CheckedAt.IsZero() {
			want.CheckedAt = check.CreatedAt
		}
		require.Equal(w, want, check)
		w.reference.checks = append(w.reference.checks, check)
		stored--
	}
	require.Zero(w, stored)
}

func (w *world) deleteChecks() {
	days := rapid.IntRange(1, 41).Draw(w.T, "days")
	got, err := w.suite.checks.DeleteOlderThan(w.Context(), days)
	require.NoError(w, err)
	require.Equal(w, w.reference.deleteChecks(time.Now().UTC().AddDate(0, 0, -days)), got)
}

func (w *world) createAlert() {
	alert, err := w.suite.alerts.Create(w.Context(), alertevent.CreateAlertEventData{
		ServiceName: w.service(),
		AlertType:   w.alertType(),
		Status:      w.alertStatus(""),
	})
	require.NoError(w, err)
	w.reference.alerts = append(w.reference.alerts, *alert)
}

func (w *world) storeAlert() {
	id, service, createdAt := uuid.NewString(), w.service(), w.createdAt("created_at")
	w.store(alertsTable, map[string]any{"id": id, "service_name": service, "alert_type": "recovery", "status": "active", "created_at": createdAt})
	w.reference.alerts = append(w.reference.alerts, alertevent.AlertEvent{
		ID: id, ServiceName: service, AlertType: alertevent.AlertTypeRecovery, Status: alertevent.StatusActive, CreatedAt: asTime(createdAt),
	})
}

func (w *world) settle() {
	if len(w.reference.alerts) == 0 {
		return
	}
	want := w.reference.alert(rapid.SampledFrom(w.reference.alerts).Draw(w.T, "alert").ID)
	resolve := rapid.Bool().Draw(w.T, "resolve")
	settle := w.suite.alerts.Acknowledge
	if resolve {
		settle = w.suite.alerts.Resolve
	}
	got, err := settle(w.Context(), want.ID)
	require.NoError(w, err)
	switch {
	case resolve && want.Status != alertevent.StatusResolved:
		require.WithinDuration(w, time.Now(), *got.ResolvedAt, time.Minute)
		want.Status, want.ResolvedAt = alertevent.StatusResolved, got.ResolvedAt
	case !resolve && want.Status == alertevent.StatusActive:
		require.WithinDuration(w, time.Now(), *got.AcknowledgedAt, time.Minute)
		want.Status, want.AcknowledgedAt = alertevent.StatusAcknowledged, got.AcknowledgedAt
	}
	require.Equal(w, want, got)
}

func (w *world) active() {
	service := ""
	if rapid.Bool().Draw(w.T, "of one service") {
		service = w.service()
	}
	got, err := w.suite.alerts.FindActive(w.Context(), service)
	require.NoError(w, err)
	require.Equal(w, w.reference.active(service), got)
}

func (w *world) recent() {
	service, minutes := w.service(), rapid.SampledFrom([]int{1, 60, 24 * 60, 10 * 24 * 60, 52560000}).Draw(w.T, "minutes")
	alertType := rapid.SampledFrom([]alertevent.AlertType{"service_down", "recovery"}).Draw(w.T, "type")
	got, err := w.suite.alerts.FindRecentByService(w.Context(), service, alertType, minutes)
	require.NoError(w, err)
	require.Equal(w, w.reference.recent(service, alertType, time.Now().Add(-time.Duration(minutes)*time.Minute)), got)
}
