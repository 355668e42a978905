package alertevent_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

const down = alertevent.AlertTypeServiceDown

// é, of two bytes: lengths are counted in characters.
func characters(n int) string { return strings.Repeat("é", n) }

func TestInvalidInputIsNotSent(t *testing.T) {
	t.Parallel()
	raise := func(change func(*alertevent.RaiseData)) func(*testing.T, alertevent.AlertEventModel) error {
		return func(t *testing.T, m alertevent.AlertEventModel) error {
			data := alertevent.RaiseData{ServiceName: "api", AlertType: down}
			change(&data)
			_, _, err := m.Raise(t.Context(), data)
			return err
		}
	}
	resolve := func(change func(*alertevent.ResolveOpenData)) func(*testing.T, alertevent.AlertEventModel) error {
		return func(t *testing.T, m alertevent.AlertEventModel) error {
			data := alertevent.ResolveOpenData{ServiceName: "api", AlertType: down}
			change(&data)
			_, err := m.ResolveOpen(t.Context(), data)
			return err
		}
	}
	move := func(change func(*alertevent.TransitionData)) func(*testing.T, alertevent.AlertEventModel) error {
		return func(t *testing.T, m alertevent.AlertEventModel) error {
			data := alertevent.TransitionData{ID: id, To: alertevent.StatusResolved}
			change(&data)
			_, _, err := m.Transition(t.Context(), data)
			return err
		}
	}
	claim := func(options alertevent.ClaimOptions) func(*testing.T, alertevent.AlertEventModel) error {
		return func(t *testing.T, m alertevent.AlertEventModel) error {
			_, err := m.ClaimNotifications(t.Context(), options)
			return err
		}
	}
	confirm := func(kind alertevent.NotificationKind, alertID, token string) func(*testing.T, alertevent.AlertEventModel) error {
		return func(t *testing.T, m alertevent.AlertEventModel) error {
			return m.ConfirmNotification(t.Context(), alertevent.Notification{Kind: kind, Alert: alertevent.AlertEvent{ID: alertID}, Token: token})
		}
	}
	times := func(options alertevent.ResponseTimesOptions) func(*testing.T, alertevent.AlertEventModel) error {
		return func(t *testing.T, m alertevent.AlertEventModel) error {
			_, err := m.ResponseTimes(t.Context(), options)
			return err
		}
	}
	const (
		nul     = " must not hold NUL (U+0000), which PostgreSQL cannot store"
		utf8    = " must be valid UTF-8"
		uuid    = " must be a UUID in its 36 characters, not "
		types   = "alert_type must be service_down, service_degraded or recovery, not "
		states  = "to_status must be active, acknowledged or resolved, not "
		kinds   = "kind must be opened, resolved or reminder, not "
		lease   = "lease must be within 1 s…30 days (0: 1 minute), not "
		remind  = "remindEvery must be within 1 s…30 days (0: no reminders), not "
		limit   = "limit must be within 1…1000 (0: the default), not "
		tooLong = 30*24*time.Hour + time.Millisecond
	)
	type (
		raiseData   = alertevent.RaiseData
		resolveData = alertevent.ResolveOpenData
		moveData    = alertevent.TransitionData
		claimData   = alertevent.ClaimOptions
		timesData   = alertevent.ResponseTimesOptions
	)
	for i, test := range []struct {
		message string
		call    func(*testing.T, alertevent.AlertEventModel) error
	}{
		{`id` + uuid + `"x"`, raise(func(d *raiseData) { d.ID = "x" })},
		{`service_name must not be blank`, raise(func(d *raiseData) { d.ServiceName = " \t" })},
		{`service_name must have at most 100 characters, not 101`, raise(func(d *raiseData) { d.ServiceName = characters(101) })},
		{types + `"down"`, raise(func(d *raiseData) { d.AlertType = "down" })},
		{`dedup_key must have at most 200 characters, not 201`, raise(func(d *raiseData) { d.DedupKey = characters(201) })},
		{`dedup_key must not be blank ("": the alert's type)`, raise(func(d *raiseData) { d.DedupKey = " " })},
		{`dedup_key` + nul, raise(func(d *raiseData) { d.DedupKey = "a\x00" })},
		{`message` + utf8, raise(func(d *raiseData) { d.Message = new("\xff") })},
		{`details: every string must be valid UTF-8 without NUL (U+0000), which PostgreSQL cannot store`, raise(func(d *raiseData) { d.Details = map[string]any{"a": "\x00"} })},
		{
			`id` + uuid + `"x"; service_name must not be blank; ` + types + `empty; dedup_key` + utf8 + `; message` + nul +
				`; details must marshal to JSON: json: unsupported type: chan int`,
			raise(func(d *raiseData) {
				*d = raiseData{ID: "x", DedupKey: "\xff", Message: new("\x00"), Details: map[string]any{"a": make(chan int)}}
			}),
		},

		{`service_name` + utf8, resolve(func(d *resolveData) { d.ServiceName = "\xff" })},
		{`alert_type must not be blank`, resolve(func(d *resolveData) { d.AlertType = "" })},
		{`dedup_key must have at most 200 characters, not 201`, resolve(func(d *resolveData) { d.DedupKey = characters(201) })},
		{`by must have at most 200 characters, not 201`, resolve(func(d *resolveData) { d.By = characters(201) })},
		{`reason must have at most 2000 characters, not 2001`, resolve(func(d *resolveData) { d.Reason = characters(2001) })},
		{
			`service_name must not be blank; alert_type must not be blank; dedup_key` + nul + `; by` + nul + `; reason` + utf8 + `; request_id` + uuid + `"x"`,
			resolve(func(d *resolveData) {
				*d = resolveData{DedupKey: "\x00", By: "\x00", Reason: "\xff", RequestID: "x"}
			}),
		},

		{`id` + uuid + `empty`, move(func(d *moveData) { d.ID = "" })},
		{`id must be a UUID in its 36 characters`, move(func(d *moveData) { d.ID = id + "&status=eq.active" })},
		{states + `empty`, move(func(d *moveData) { d.To = "" })},
		{states + `"open"`, move(func(d *moveData) { d.To = "open" })},
		{`by must have at most 200 characters, not 201`, move(func(d *moveData) { d.By = characters(201) })},
		{`reason must have at most 2000 characters, not 2001`, move(func(d *moveData) { d.Reason = characters(2001) })},
		{
			`id` + uuid + `"x"; ` + states + `empty; by` + utf8 + `; reason` + nul + `; request_id` + uuid + `"y"`,
			move(func(d *moveData) { *d = moveData{ID: "x", By: "\xff", Reason: "\x00", RequestID: "y"} }),
		},

		{lease + `999ms`, claim(claimData{Lease: 999 * time.Millisecond})},
		{lease + `-1s`, claim(claimData{Lease: -time.Second})},
		{lease + `720h0m0.001s`, claim(claimData{Lease: tooLong})},
		{remind + `1ns`, claim(claimData{RemindEvery: 1})},
		{remind + `720h0m0.001s`, claim(claimData{RemindEvery: tooLong})},
		{limit + `1001`, claim(claimData{Limit: 1001})},
		{lease + `1ns; ` + remind + `-1ns; ` + limit + `-1; request_id` + uuid + `"x"`, claim(claimData{Lease: 1, RemindEvery: -1, Limit: -1, RequestID: "x"})},

		{`id` + uuid + `"x"; ` + kinds + `"sent"; token` + uuid + `empty`, confirm("sent", "x", "")},
		{kinds + `empty`, confirm("", id, id)},

		{`service_name must have at most 100 characters, not 101; alert_type` + utf8, times(timesData{ServiceName: characters(101), AlertType: "\xff"})},
		{`until must be after since`, times(timesData{Since: noon, Until: noon})},
		{
			`since must be within the years 1…9999 (UTC), not 10000; until must be within the years 1…9999 (UTC), not 0`,
			times(timesData{Since: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)}),
		},

		{`id` + uuid + `"\xff"`, func(t *testing.T, m alertevent.AlertEventModel) error {
			_, err := m.History(t.Context(), "\xff")
			return err
		}},
		{`service_name` + nul, func(t *testing.T, m alertevent.AlertEventModel) error {
			_, err := m.FindOpen(t.Context(), "\x00")
			return err
		}},
		{`days must be within 1…36500, not 0`, func(t *testing.T, m alertevent.AlertEventModel) error {
			_, err := m.DeleteResolvedOlderThan(t.Context(), 0)
			return err
		}},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			server, model := start(t)
			requireInvalid(t, server, test.call(t, model), test.message)
		})
	}
}

func TestTheLongestInputIsStored(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	key := characters(200)
	alert, opened, err := model.Raise(t.Context(), alertevent.RaiseData{ServiceName: characters(100), AlertType: down, DedupKey: key})
	require.NoError(t, err)
	require.True(t, opened)
	require.Equal(t, &key, alert.DedupKey)
	for _, options := range []alertevent.ClaimOptions{
		{Lease: time.Second, RemindEvery: time.Second, Limit: 1},
		{Lease: 30 * 24 * time.Hour, RemindEvery: 30 * 24 * time.Hour, Limit: 1000},
	} {
		_, err := model.ClaimNotifications(t.Context(), options)
		require.NoError(t, err)
	}
	by, reason := characters(200), characters(2000)
	_, err = model.ResolveOpen(t.Context(), alertevent.ResolveOpenData{ServiceName: characters(100), AlertType: down, DedupKey: key, By: by, Reason: reason})
	require.NoError(t, err)
	history, err := model.History(t.Context(), alert.ID)
	require.NoError(t, err)
	require.Equal(t, []*string{&by, &reason}, []*string{history[1].By, history[1].Reason})
}

// functions are those of migration 016, and the methods that call them.
func functions(t *testing.T, m alertevent.AlertEventModel) map[string]func() error {
	t.Helper()
	return map[string]func() error{
		"raise_alert": func() error {
			_, _, err := m.Raise(t.Context(), alertevent.RaiseData{ServiceName: "api", AlertType: down})
			return err
		},
		"resolve_open_alerts": func() error {
			_, err := m.ResolveOpen(t.Context(), alertevent.ResolveOpenData{ServiceName: "api", AlertType: down})
			return err
		},
		"transition_alert": func() error {
			_, _, err := m.Transition(t.Context(), alertevent.TransitionData{ID: id, To: alertevent.StatusResolved})
			return err
		},
		"alert_history": func() error {
			_, err := m.History(t.Context(), id)
			return err
		},
		"alert_response_times": func() error {
			_, err := m.ResponseTimes(t.Context(), alertevent.ResponseTimesOptions{})
			return err
		},
		"claim_alert_notifications": func() error {
			_, err := m.ClaimNotifications(t.Context(), alertevent.ClaimOptions{})
			return err
		},
		"confirm_alert_notification": func() error {
			return m.ConfirmNotification(t.Context(), alertevent.Notification{Kind: alertevent.KindOpened, Alert: alertevent.AlertEvent{ID: id}, Token: id})
		},
		"delete_resolved_alerts": func() error {
			_, err := m.DeleteResolvedOlderThan(t.Context(), 1)
			return err
		},
	}
}

// without016 is a double whose database has only the files before 016.
func without016(t *testing.T) (*supabasetest.Server, alertevent.AlertEventModel) {
	t.Helper()
	server, model := start(t)
	for function := range functions(t, model) {
		server.HandleRPC(function, func(json.RawMessage) (any, error) {
			return nil, &supabase.Error{
				Status: 404, Code: "PGRST202",
				Message: "Could not find the function public." + function + "(alert_id, dedup_key) in the schema cache",
			}
		})
	}
	return server, model
}

func TestMissingFunctionsNameTheirMigration(t *testing.T) {
	t.Parallel()
	_, model := without016(t)
	for function, call := range functions(t, model) {
		err := call()
		require.ErrorIs(t, err, supabase.ErrSchema, function)
		require.ErrorContains(t, err, "; migration 016 makes "+function)
	}
}

// They send nothing that 016 made, and TestRowsDecode reads rows without its column.
func TestOtherMethodsDoWithoutMigration016(t *testing.T) {
	t.Parallel()
	server, model := without016(t)
	ctx := t.Context()
	alert, err := model.Create(ctx, alertevent.CreateAlertEventData{ServiceName: "api", AlertType: down})
	require.NoError(t, err)
	recent, err := model.FindRecentByService(ctx, "api", down, 1)
	require.NoError(t, err)
	require.Equal(t, alert, recent)
	for name, find := range map[string]func() ([]alertevent.AlertEvent, error){
		"FindAll":    func() ([]alertevent.AlertEvent, error) { return model.FindAll(ctx, alertevent.FindAllOptions{}) },
		"FindActive": func() ([]alertevent.AlertEvent, error) { return model.FindActive(ctx, "api") },
		"FindOpen":   func() ([]alertevent.AlertEvent, error) { return model.FindOpen(ctx, "") },
		"All": func() (found []alertevent.AlertEvent, err error) {
			for alert, err := range model.All(ctx, alertevent.FindAllOptions{}) {
				if err != nil {
					return nil, err
				}
				found = append(found, alert)
			}
			return found, nil
		},
	} {
		found, err := find()
		require.NoError(t, err, name)
		require.Equal(t, []alertevent.AlertEvent{*alert}, found, name)
	}
	_, err = model.Acknowledge(ctx, alert.ID)
	require.NoError(t, err)
	_, err = model.Resolve(ctx, alert.ID)
	require.NoError(t, err)
	_, err = model.DeleteOlderThan(ctx, 1)
	require.NoError(t, err)
	for _, request := range server.Requests() {
		require.NotContains(t, request.Path, "/rpc/")
		require.NotContains(t, request.Query.Encode()+string(request.Body), "dedup_key")
	}
}
