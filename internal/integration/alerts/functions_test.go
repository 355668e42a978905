package alerts

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stand returns the owner's session and the service role's in a new database.
func stand(t *testing.T) (owner, service session) {
	t.Helper()
	made := newDatabase(t, all)
	return open(t, made.URL), open(t, made.URL, asService)
}

func down(service string, more ...any) args {
	return with(args{"service_name": service, "alert_type": "service_down"}, more...)
}

func raise(t *testing.T, s session, data args) answer {
	t.Helper()
	return must[answer](t, s, "raise_alert", data)
}

func resolve(t *testing.T, s session, data args) []alert {
	t.Helper()
	return must[[]alert](t, s, "resolve_open_alerts", data)
}

func move(t *testing.T, s session, id, to string, more ...any) answer {
	t.Helper()
	return must[answer](t, s, "transition_alert", with(args{"request_id": newID(), "id": id, "to_status": to}, more...))
}

func history(t *testing.T, s session, id string) (steps []string) {
	t.Helper()
	for _, step := range must[[]transition](t, s, "alert_history", args{"alert_id": id}) {
		words := []string{"created", step.To}
		if step.From != nil {
			words[0] = *step.From
		}
		for _, word := range []*string{step.By, step.Reason} {
			if word != nil {
				words = append(words, *word)
			}
		}
		steps = append(steps, strings.Join(words, " "))
	}
	return steps
}

func TestRaise(t *testing.T) {
	t.Parallel()
	owner, s := stand(t)
	first, second := newID(), newID()
	opened := raise(t, s, down("api", "id", first, "message", "no answer", "details", `{"n": 1}`))
	require.True(t, opened.Opened)
	require.Equal(t, first, opened.Alert.ID)
	require.Equal(t, "active", opened.Alert.Status)
	require.Equal(t, "service_down", *opened.Alert.DedupKey)
	require.Equal(t, map[string]any{"n": 1.0}, opened.Alert.Details)
	require.Equal(t, opened, raise(t, s, down("api", "id", first)), "a repeat says the same, and changes nothing")

	found := raise(t, s, down("api", "id", second, "message", "still none"))
	require.False(t, found.Opened)
	require.Equal(t, opened.Alert, found.Alert)
	require.True(t, raise(t, s, down("api", "id", newID(), "dedup_key", "disk")).Opened, "another key is another alert")
	require.True(t, raise(t, s, down("web", "id", newID())).Opened)
	require.True(t, raise(t, s, args{"id": newID(), "service_name": "api", "alert_type": "service_degraded"}).Opened)
	require.False(t, raise(t, s, args{"id": newID(), "service_name": "api", "alert_type": "service_degraded", "dedup_key": "disk"}).Opened, "the key decides, not the type")

	for name, other := range map[string]args{
		"service": down("web", "id", first),
		"type":    {"id": first, "service_name": "api", "alert_type": "recovery"},
		"key":     down("api", "id", first, "dedup_key", "disk"),
	} {
		require.Equal(t, conflict, refused(t, s, "raise_alert", other), name)
	}

	require.Len(t, resolve(t, s, down("api", "request_id", newID())), 1)
	late := raise(t, s, down("api", "id", first))
	require.True(t, late.Opened)
	require.Equal(t, "resolved", late.Alert.Status, "a late repeat of what opened it opens nothing")
	late = raise(t, s, down("api", "id", second))
	require.False(t, late.Opened, "nor one of what found it")
	require.Equal(t, first, late.Alert.ID)
	third := newID()
	again := raise(t, s, down("api", "id", third))
	require.True(t, again.Opened)
	require.Equal(t, third, again.Alert.ID)
	require.Equal(t, []string{"created active"}, history(t, s, third))

	require.Equal(t, "22001", refused(t, s, "raise_alert", down("api", "id", newID(), "dedup_key", strings.Repeat("k", 201))))
	require.Equal(t, "23514", refused(t, s, "raise_alert", args{"id": newID(), "service_name": "api", "alert_type": "nonsense"}))

	// What another program's index forbids is said, not tried for ever.
	owner.exec(t, "CREATE UNIQUE INDEX ON alert_events (message) WHERE message = 'once'")
	require.True(t, raise(t, s, down("a", "id", newID(), "message", "once")).Opened)
	require.Equal(t, conflict, refused(t, s, "raise_alert", down("b", "id", newID(), "message", "once")))
}

func TestRaiseTakesOver(t *testing.T) {
	t.Parallel()
	owner, s := stand(t)
	old, newest := newID(), newID()
	insert := "INSERT INTO alert_events (id, service_name, alert_type, status, created_at) VALUES ($1, 'api', $2, $3, $4)"
	s.exec(t, insert, newID(), "service_down", "active", nil)
	s.exec(t, insert, old, "service_down", "active", time.Now().Add(-time.Hour))
	s.exec(t, insert, newest, "service_down", "acknowledged", time.Now())
	s.exec(t, insert, newID(), "service_down", "resolved", time.Now().Add(time.Hour))
	s.exec(t, insert, newID(), "recovery", "active", time.Now())
	require.Empty(t, claim(t, s), "alerts that were only created are not told")

	require.True(t, raise(t, s, down("api", "id", newID(), "dedup_key", "disk")).Opened, "with a key of its own it takes nothing over")
	taken := raise(t, s, down("api", "id", newID()))
	require.False(t, taken.Opened)
	require.Equal(t, newest, taken.Alert.ID)
	require.Equal(t, "acknowledged", taken.Alert.Status)
	require.Equal(t, taken, raise(t, s, down("api", "id", newID())), "it is raised from then on")
	require.Equal(t, taken.Alert.ID, raise(t, s, down("api", "id", newest)).Alert.ID)
	require.Equal(t, conflict, refused(t, s, "raise_alert", down("api", "id", old)), "without a key it is not that of this raise")
	require.Equal(t, 1, owner.count(t, "SELECT count(*) FROM alert_events WHERE dedup_key = 'service_down'"))
	require.Len(t, claim(t, s), 2)
	require.Equal(t, []string{"created acknowledged"}, history(t, s, newest))

	require.Len(t, resolve(t, s, down("api", "request_id", newID())), 3, "with those of the type that have no key")
	require.Equal(t, 2, owner.count(t, "SELECT count(*) FROM alert_events WHERE status <> 'resolved'"), "the recovery and the one with another key stay")
}

func TestResolveOpen(t *testing.T) {
	t.Parallel()
	_, s := stand(t)
	require.Empty(t, resolve(t, s, down("api", "request_id", newID())))
	id, request := newID(), newID()
	raise(t, s, down("api", "id", id))
	s.exec(t, "INSERT INTO alert_events (service_name, alert_type, status) VALUES ('api', 'service_down', 'active'), ('web', 'service_down', 'active')")
	raise(t, s, down("api", "id", newID(), "dedup_key", "disk"))
	data := down("api", "request_id", request, "by", "ann", "reason", "rebooted")
	resolved := resolve(t, s, data)
	require.Len(t, resolved, 2)
	require.Equal(t, resolved, resolve(t, s, data))
	require.Empty(t, resolve(t, s, with(data, "request_id", newID())), "nothing was open any more")
	require.Equal(t, []string{"created active", "active resolved ann rebooted"}, history(t, s, id))

	move(t, s, id, "active")
	repeated := resolve(t, s, data)
	require.Len(t, repeated, 2, "it says what it did, not what is")
	require.Equal(t, conflict, refused(t, s, "resolve_open_alerts", with(data, "service_name", "web")), "one id for two calls")
	require.Equal(t, conflict, refused(t, s, "transition_alert", args{"request_id": request, "id": id, "to_status": "resolved"}))
	require.Equal(t, conflict, refused(t, s, "claim_alert_notifications", args{"request_id": request}))

	require.Len(t, resolve(t, s, down("api", "request_id", newID(), "dedup_key", "disk")), 1)
}

func TestTransition(t *testing.T) {
	t.Parallel()
	owner, s := stand(t)
	id := newID()
	created := raise(t, s, down("api", "id", id)).Alert
	for _, step := range []struct {
		to      string
		changed bool
	}{
		{"active", false},
		{"acknowledged", true},
		{"acknowledged", false},
		{"active", true},
		{"acknowledged", true},
		{"resolved", true},
		{"resolved", false},
		{"active", true},
		{"resolved", true},
	} {
		request := newID()
		got := move(t, s, id, step.to, "request_id", request, "by", "ann")
		require.Equal(t, step.changed, got.Changed, step.to)
		require.Equal(t, step.to, got.Alert.Status)
		require.Equal(t, step.to == "acknowledged" || got.Alert.Acked != nil, got.Alert.Acked != nil)
		if step.to == "active" {
			require.Nil(t, got.Alert.Acked)
			require.Nil(t, got.Alert.Resolved)
		}
		require.Equal(t, got, move(t, s, id, step.to, "request_id", request, "by", "ann"))
		require.True(t, created.CreatedAt.Equal(got.Alert.CreatedAt))
	}
	require.Equal(t, conflict, refused(t, s, "transition_alert", args{"request_id": newID(), "id": id, "to_status": "acknowledged"}))
	require.Equal(t, []string{
		"created active", "active acknowledged ann", "acknowledged active ann", "active acknowledged ann",
		"acknowledged resolved ann", "resolved active ann", "active resolved ann",
	}, history(t, s, id))

	unknown, request := newID(), newID()
	data := args{"request_id": request, "id": unknown, "to_status": "resolved"}
	require.Nil(t, must[*answer](t, s, "transition_alert", data), "an unknown id is null")
	raise(t, s, down("web", "id", unknown))
	require.True(t, must[answer](t, s, "transition_alert", data).Changed, "of an alert that was not there nothing was said")

	require.True(t, raise(t, s, down("api", "id", newID())).Opened)
	require.Equal(t, "23505", refused(t, s, "transition_alert", args{"request_id": newID(), "id": id, "to_status": "active"}), "beside another open one")
	require.Equal(t, "23514", refused(t, s, "transition_alert", args{"request_id": newID(), "id": id, "to_status": "closed"}))

	// The plain way of before is history too, and nobody's name sticks to it.
	s.exec(t, "BEGIN")
	move(t, s, unknown, "active", "by", "ann", "reason", "why")
	s.exec(t, "UPDATE alert_events SET status = 'acknowledged' WHERE id = $1", unknown)
	s.exec(t, "UPDATE alert_events SET message = 'hello' WHERE id = $1", unknown)
	s.exec(t, "COMMIT")
	require.Equal(t, []string{"created active", "active resolved", "resolved active ann why", "active acknowledged"}, history(t, s, unknown))
	require.Empty(t, history(t, s, newID()))

	s.exec(t, "DELETE FROM alert_events WHERE id = $1", unknown)
	require.Empty(t, history(t, s, unknown), "it goes with its alert")
	require.Equal(t, 0, owner.count(t, "SELECT count(*) FROM alert_notifications WHERE alert_id = $1", unknown))
}

func claim(t *testing.T, s session, more ...any) []notification {
	t.Helper()
	return must[[]notification](t, s, "claim_alert_notifications", with(args{"request_id": newID()}, more...))
}

func confirm(t *testing.T, s session, id, kind, token string) string {
	t.Helper()
	said, err := s.call(t.Context(), "confirm_alert_notification", args{"alert_id": id, "kind": kind, "token": token})
	if err != nil {
		return code(err)
	}
	return string(said)
}

// kinds are what a claim with this token got.
func kinds(notifications []notification) (got []string) {
	for _, n := range notifications {
		got = append(got, n.Kind+" "+n.Alert.Service)
	}
	return got
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	owner, s := stand(t)
	id := newID()
	tokens := []string{newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID()}
	told := func(token int, more ...any) []string {
		t.Helper()
		return kinds(claim(t, s, append([]any{"request_id", tokens[token]}, more...)...))
	}
	later := func(interval string) {
		t.Helper()
		owner.exec(t, "UPDATE alert_notifications SET since = since - $1::interval, leased_until = leased_until - $1::interval", interval)
	}

	require.Empty(t, told(0))
	require.Equal(t, 0, owner.count(t, "SELECT count(*) FROM alert_requests"), "nothing to tell, nothing written")
	raise(t, s, down("api", "id", id))
	require.Equal(t, []string{"opened api"}, told(0))
	require.Equal(t, []string{"opened api"}, told(0), "a repeat")
	require.Empty(t, told(1), "it is leased")
	require.Equal(t, conflict, confirm(t, s, id, "opened", tokens[1]))
	later("61 seconds")
	require.Equal(t, []string{"opened api"}, told(1), "the lease is over")
	require.Empty(t, told(0), "another one has it")
	require.Equal(t, conflict, confirm(t, s, id, "opened", tokens[0]))
	move(t, s, id, "resolved")
	later("61 seconds")
	require.Equal(t, "true", confirm(t, s, id, "opened", tokens[1]), "late, but nobody else's")
	require.Equal(t, "true", confirm(t, s, id, "opened", tokens[1]), "repeated")
	require.Equal(t, []string{"resolved api"}, told(2), "now that opened was told")
	require.Equal(t, "true", confirm(t, s, id, "opened", tokens[1]), "it was told, whatever came after")
	require.Equal(t, "true", confirm(t, s, id, "resolved", tokens[2]))
	require.Empty(t, told(2), "it holds nothing any more")
	require.Empty(t, told(3, "remind_every_ms", 1000))

	move(t, s, id, "active")
	require.Equal(t, []string{"opened api"}, told(3), "reopened, it starts anew")
	move(t, s, id, "acknowledged")
	require.Equal(t, "true", confirm(t, s, id, "opened", tokens[3]))
	later("1 hour")
	require.Empty(t, told(4, "remind_every_ms", 60_000), "acknowledged")
	move(t, s, id, "active")
	require.Empty(t, told(4), "no reminders")
	require.Empty(t, told(4, "remind_every_ms", 3_700_000))
	require.Equal(t, []string{"reminder api"}, told(4, "remind_every_ms", 3_500_000))
	require.Equal(t, "true", confirm(t, s, id, "reminder", tokens[4]))
	require.Empty(t, told(5, "remind_every_ms", 60_000))
	later("1 hour")
	require.Equal(t, []string{"reminder api"}, told(5, "remind_every_ms", 60_000))
	move(t, s, id, "resolved")
	require.Empty(t, told(5), "not wanted any more")
	require.Empty(t, told(6), "not beside a reminder that may be on its way")
	require.Equal(t, "true", confirm(t, s, id, "reminder", tokens[5]))
	require.Equal(t, []string{"resolved api"}, told(6))
	move(t, s, id, "active")
	require.Equal(t, "true", confirm(t, s, id, "resolved", tokens[6]), "it was told, of before")
	require.Equal(t, []string{"opened api"}, told(7))
	s.exec(t, "DELETE FROM alert_events WHERE id = $1", id)
	require.Empty(t, confirm(t, s, id, "opened", tokens[7]), "null: it is gone")
}

func TestNotificationsInOrder(t *testing.T) {
	t.Parallel()
	owner, s := stand(t)
	token := newID()
	for _, service := range []string{"reminded", "reminded-later", "resolved", "resolved-later"} {
		raise(t, s, down(service, "id", newID()))
	}
	for _, n := range claim(t, s, "request_id", token) {
		require.Equal(t, "true", confirm(t, s, n.Alert.ID, "opened", token))
	}
	for _, service := range []string{"resolved", "resolved-later"} {
		require.Len(t, resolve(t, s, down(service, "request_id", newID())), 1)
	}
	owner.exec(t, "UPDATE alert_notifications SET since = since - INTERVAL '1 hour'")
	raise(t, s, down("opened", "id", newID()))
	raise(t, s, down("opened-later", "id", newID()))
	raised := raise(t, s, down("gone", "id", newID()))
	require.Len(t, resolve(t, s, down("gone", "request_id", newID())), 1)

	reminders := []any{"remind_every_ms", 60_000}
	first := claim(t, s, append(reminders, "max_rows", 4)...)
	require.Equal(t, []string{"opened opened", "opened opened-later", "opened gone", "resolved resolved"}, kinds(first))
	require.Equal(t, raised.Alert.ID, first[2].Alert.ID)
	require.Equal(t, "resolved", first[2].Alert.Status, "opened is told of what is resolved meanwhile too")
	require.Equal(t, []string{"resolved resolved-later", "reminder reminded", "reminder reminded-later"}, kinds(claim(t, s, reminders...)))
	require.Empty(t, claim(t, s, reminders...))
}

func TestRequestsAreForgotten(t *testing.T) {
	t.Parallel()
	owner, s := stand(t)
	owner.exec(t, "INSERT INTO alert_requests SELECT gen_random_uuid(), '[]', now() - INTERVAL '25 hours' FROM generate_series(1, 25)")
	owner.exec(t, "UPDATE alert_requests SET called_at = now() - INTERVAL '25 hours'")
	fresh := newID()
	resolve(t, s, down("api", "request_id", fresh))
	for range 3 {
		resolve(t, s, down("api", "request_id", newID()))
	}
	require.Equal(t, 4, owner.count(t, "SELECT count(*) FROM alert_requests"))
	require.Equal(t, 1, owner.count(t, "SELECT count(*) FROM alert_requests WHERE id = $1", fresh))
}

func TestResponseTimes(t *testing.T) {
	t.Parallel()
	owner, s := stand(t)
	times := func(data args) (text string) {
		t.Helper()
		return string(must[json.RawMessage](t, s, "alert_response_times", data))
	}
	none := `{"mean_us" : 0, "max_us" : 0, "p50_us" : 0, "p90_us" : 0}`
	require.JSONEq(t, `{"raised": 0, "acknowledged": 0, "resolved": 0, "to_acknowledge": `+none+`, "to_resolve": `+none+`}`, times(nil))
	owner.exec(t, `INSERT INTO alert_events (service_name, alert_type, status, created_at, acknowledged_at, resolved_at) VALUES
		('api', 'service_down', 'active', '2026-01-01', NULL, NULL),
		('api', 'service_down', 'active', '2026-01-02', '2026-01-02 00:00:01', '2026-01-02 00:00:10'),
		('api', 'service_degraded', 'active', '2026-01-03', '2026-01-03 00:00:03', NULL),
		('api', 'service_down', 'active', '2026-01-04', '2026-01-03', '2026-01-04 01:00:00.000001'),
		('web', 'service_down', 'active', '2026-01-05', 'infinity', '-infinity'),
		('api', 'recovery', 'resolved', '2026-01-03', '2026-01-09', '2026-01-09'),
		('api', 'service_down', 'resolved', NULL, '2026-01-09', '2026-01-09')`)
	require.JSONEq(t, `{"raised": 6, "acknowledged": 5, "resolved": 4,
		"to_acknowledge": {"mean_us": 1333333, "max_us": 3000000, "p50_us": 1000000, "p90_us": 3000000},
		"to_resolve": {"mean_us": 1805000001, "max_us": 3600000001, "p50_us": 10000000, "p90_us": 3600000001}}`, times(nil))
	require.JSONEq(t, `{"raised": 1, "acknowledged": 1, "resolved": 1,
		"to_acknowledge": {"mean_us": 1000000, "max_us": 1000000, "p50_us": 1000000, "p90_us": 1000000},
		"to_resolve": {"mean_us": 10000000, "max_us": 10000000, "p50_us": 10000000, "p90_us": 10000000}}`,
		times(args{"service_name": "api", "alert_type": "service_down", "since": "2026-01-02", "until": "2026-01-04"}))
	require.Contains(t, times(args{"alert_type": "recovery"}), `"raised" : 0`)
}

func TestDeleteResolved(t *testing.T) {
	t.Parallel()
	owner, s := stand(t)
	owner.exec(t, `INSERT INTO alert_events (service_name, alert_type, status, created_at, resolved_at)
		SELECT name, type, status, now() - a * INTERVAL '1 day', now() - r * INTERVAL '1 day' FROM (VALUES ('old', 'service_down', 'resolved', 20, 11), ('older', 'service_down', 'resolved', 20, 12),
			('without', 'service_down', 'resolved', 13, NULL), ('recent', 'service_down', 'resolved', 20, 9), ('firing', 'service_down', 'active', 20, 15),
			('taken', 'service_down', 'acknowledged', 20, NULL), ('never', 'service_down', 'resolved', NULL, NULL)) AS v (name, type, status, a, r)`)
	left := func() (names string) {
		t.Helper()
		require.NoError(t, owner.QueryRow(t.Context(), "SELECT string_agg(service_name, ' ' ORDER BY service_name) FROM alert_events").Scan(&names))
		return names
	}
	deleted := func(days, rows int) int {
		t.Helper()
		return must[map[string]int](t, s, "delete_resolved_alerts", args{"older_than_days": days, "max_rows": rows})["deleted"]
	}
	require.Equal(t, 2, deleted(10, 2))
	require.Equal(t, "firing never old recent taken", left(), "the longest resolved first")
	require.Equal(t, 1, deleted(10, 2))
	require.Equal(t, 0, deleted(10, 2))
	require.Equal(t, 0, deleted(36500, 2))
	require.Equal(t, "firing never recent taken", left())
	require.Equal(t, 4, owner.count(t, "SELECT count(*) FROM alert_transitions"))
}
