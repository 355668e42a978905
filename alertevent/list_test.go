package alertevent_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
)

func TestFindAllAndAll(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	none, err := model.FindAll(t.Context(), alertevent.FindAllOptions{})
	require.NoError(t, err)
	require.Equal(t, []alertevent.AlertEvent{}, none)
	since := time.Now().UTC().Truncate(time.Microsecond).AddDate(0, 0, -10)
	var rows []map[string]any
	for i := range 1200 {
		rows = append(rows, map[string]any{
			"service_name": "api", "alert_type": []string{"service_down", "recovery"}[i%2], "status": []string{"active", "resolved"}[i/2%2],
			"created_at": since.Add(time.Duration(i) * time.Second),
		})
	}
	store(t, server, rows...)
	for want, options := range map[int]alertevent.FindAllOptions{
		1200: {},
		600:  {AlertType: alertevent.AlertTypeRecovery},
		300:  {AlertType: alertevent.AlertTypeRecovery, Status: alertevent.StatusActive, ServiceName: "api"},
		700:  {Since: since.Add(500 * time.Second)},
		500:  {Until: since.Add(500 * time.Second)},
		7:    {Limit: 7},
		0:    {ServiceName: "other"},
	} {
		n := 0
		for alert, err := range model.All(t.Context(), options) {
			require.NoError(t, err)
			require.NotEmpty(t, alert.ID)
			n++
		}
		require.Equal(t, want, n)
		found, err := model.FindAll(t.Context(), options)
		require.NoError(t, err)
		require.Len(t, found, min(want, 100))
	}
}

func TestAllStopsAtAnError(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	answerNext(server, http.StatusForbidden, nil, `{"code":"42501","message":"permission denied"}`)
	n := 0
	for alert, err := range model.All(t.Context(), alertevent.FindAllOptions{}) {
		require.ErrorIs(t, err, supabase.ErrPermission)
		require.Zero(t, alert)
		n++
	}
	require.Equal(t, 1, n)
}

func TestListsRefuseBadOptions(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for message, options := range map[string]alertevent.FindAllOptions{
		"alert_type must be valid UTF-8; status must not be blank":                                                       {AlertType: "\xff", Status: "\t"},
		"limit must not be negative (0: the default), not -1; service_name must not be blank; until must be after since": {Limit: -1, ServiceName: " ", Since: noon, Until: noon},
	} {
		server, model := start(t)
		_, err := model.FindAll(t.Context(), options)
		requireInvalid(t, server, err, message)
		for _, err := range model.All(t.Context(), options) {
			requireInvalid(t, server, err, message)
		}
	}
}

func TestListsTakeFewRequests(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	sent := func(list func() ([]alertevent.AlertEvent, error), rows int) int {
		before := len(server.Requests())
		found, err := list()
		require.NoError(t, err)
		require.Len(t, found, rows)
		return len(server.Requests()) - before
	}
	active := func(service string) func() ([]alertevent.AlertEvent, error) {
		return func() ([]alertevent.AlertEvent, error) { return model.FindActive(t.Context(), service) }
	}
	all := func(options alertevent.FindAllOptions) func() ([]alertevent.AlertEvent, error) {
		return func() ([]alertevent.AlertEvent, error) { return model.FindAll(t.Context(), options) }
	}
	require.Equal(t, 1, sent(active(""), 0))
	require.Equal(t, 1, sent(all(alertevent.FindAllOptions{}), 0))
	store(t, server,
		map[string]any{"service_name": "api", "alert_type": "service_down", "status": "active", "created_at": time.Now()},
		map[string]any{"service_name": "api", "alert_type": "recovery", "status": "active", "created_at": nil},
	)
	for _, maxRows := range []int{1000, 2} {
		server.SetMaxRows(maxRows)
		require.Equal(t, 2, sent(active(""), 2))
		require.Equal(t, 2, sent(active("api"), 2))
		require.Equal(t, 2, sent(all(alertevent.FindAllOptions{}), 2))
		require.Equal(t, 2, sent(all(alertevent.FindAllOptions{AlertType: alertevent.AlertTypeRecovery}), 1))
		require.Equal(t, 1, sent(all(alertevent.FindAllOptions{ServiceName: "api", Limit: 2}), 2))
	}
}

// Answers of servers that ignore a part of the query.
func TestRowsThatWereNotAskedForAreAnError(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Format(time.RFC3339)
	right := `{"id":"b","service_name":"api","alert_type":"recovery","status":"active","created_at":"` + now + `"}`
	for column, row := range map[string]string{
		"service_name": strings.Replace(right, "api", "secret", 1),
		"alert_type":   strings.Replace(right, "recovery", "secret", 1),
		"status":       strings.Replace(right, "active", "secret", 1),
		"created_at":   strings.Replace(right, now, "2001-01-01T00:00:00Z", 1),
	} {
		server, model := start(t)
		answerNext(server, http.StatusOK, nil, "["+row+"]")
		_, err := model.FindAll(t.Context(), alertevent.FindAllOptions{
			ServiceName: "api", AlertType: alertevent.AlertTypeRecovery, Status: alertevent.StatusActive, Since: time.Now().Add(-time.Hour),
		})
		requireAnother(t, err, column)
		if column != "status" {
			answerNext(server, http.StatusOK, nil, row)
			_, err := model.FindRecentByService(t.Context(), "api", alertevent.AlertTypeRecovery, 60)
			requireAnother(t, err, column)
		}
		if column == "status" || column == "service_name" {
			answerNext(server, http.StatusOK, nil, "["+row+"]")
			_, err := model.FindActive(t.Context(), "api")
			requireAnother(t, err, column)
		}
	}
}

func TestAnotherAlertIsAnError(t *testing.T) {
	t.Parallel()
	for _, move := range []func(alertevent.AlertEventModel, context.Context, string) (*alertevent.AlertEvent, error){
		alertevent.AlertEventModel.Acknowledge, alertevent.AlertEventModel.Resolve,
	} {
		server, model := start(t)
		other := `{"id":"` + strings.Replace(id, "0198", "0199", 1) + `","status":"active"}`
		for _, answers := range [][]string{{"[" + other + "]", other}, {"[]", other}} {
			for _, answer := range answers {
				answerNext(server, http.StatusOK, nil, answer)
			}
			_, err := move(model, t.Context(), id)
			require.ErrorContains(t, err, "the answer has a row of another id")
		}
		store(t, server, map[string]any{"id": id, "service_name": "api", "alert_type": "recovery", "status": "active"})
		_, err := move(model, t.Context(), strings.ToUpper(id))
		require.NoError(t, err, "PostgreSQL prints small letters")
	}
}

func requireAnother(t *testing.T, err error, column string) {
	t.Helper()
	require.EqualError(t, err, "supabase: select alert_events: 200: the answer has a row of another "+column)
	require.NotErrorIs(t, err, supabase.ErrUnavailable)
}

// Types and statuses that this version does not know are found, not stored.
func TestNewerTypesCanBeAskedFor(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	_, err := model.FindAll(t.Context(), alertevent.FindAllOptions{AlertType: "flapping", Status: "muted"})
	require.NoError(t, err)
	_, err = model.FindRecentByService(t.Context(), "api", "flapping", 60)
	require.NoError(t, err)
	for _, request := range server.Requests() {
		require.Equal(t, []string{"eq.flapping"}, request.Query["alert_type"])
	}
	_, err = model.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "api", AlertType: "flapping"})
	require.ErrorIs(t, err, supabase.ErrInvalid)
}
