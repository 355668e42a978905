package alertevent_test

import (
	"net/http"
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
	answerNext(server, http.StatusForbidden, `{"code":"42501","message":"permission denied"}`)
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
