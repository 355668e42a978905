package alerts

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/integration/queryplans"
	"github.com/supavigil/supavigil/internal/integration/realserver"
)

// What each call reads does not grow with the alerts: no table is read through,
// and few rows are fetched, with any plan that a session comes to.
func TestEverythingByIndex(t *testing.T) {
	t.Parallel()
	database := newDatabase(t, all)
	owner, s := open(t, database.URL), open(t, database.URL, asService)
	rows, opened := 20_000, 400
	if long() {
		rows, opened = 1_000_000, 2_000
	}
	require.NoError(t, queryplans.FillRaised(t.Context(), owner.Conn, rows, opened))
	some := func(status string) string {
		return column(t, owner, "SELECT id::text FROM alert_events WHERE status = '"+status+"' ORDER BY random() LIMIT 1")[0]
	}
	token := newID()
	for _, test := range []struct {
		function string
		args     func() args
		most     int // rows fetched
	}{
		{"raise_alert", func() args { return down("svc-1", "id", newID(), "dedup_key", "key-1") }, 5},
		{"raise_alert", func() args { return down("svc-7", "id", newID()) }, 60}, // looks for those of the service that are open and have no key
		{"raise_alert", func() args { return down("svc-7", "id", newID(), "dedup_key", newID()) }, 10},
		{"resolve_open_alerts", func() args {
			return down("svc-2", "request_id", newID(), "dedup_key", "key-2")
		}, 100},
		{"resolve_open_alerts", func() args { return down("svc-3", "request_id", newID()) }, 100},
		{"transition_alert", func() args { return args{"request_id": newID(), "id": some("active"), "to_status": "acknowledged"} }, 20},
		{"transition_alert", func() args { return args{"request_id": newID(), "id": some("resolved"), "to_status": "active"} }, 20},
		{"alert_history", func() args { return args{"alert_id": some("resolved")} }, 5},
		{"claim_alert_notifications", func() args {
			return args{"request_id": token, "remind_every_ms": 3_600_000, "max_rows": 20}
		}, 400},
		{"claim_alert_notifications", func() args { return args{"request_id": newID()} }, 5},
		{"confirm_alert_notification", func() args { return args{"alert_id": some("resolved"), "kind": "opened", "token": newID()} }, 5},
		{"delete_resolved_alerts", func() args { return args{"older_than_days": 1, "max_rows": 10} }, 200},
		{"alert_response_times", func() args { return args{"service_name": "svc-1", "since": "2026-01-01"} }, rows/500 + 5},
	} {
		for i := range 8 { // from the sixth on a plan may be for all arguments
			data := test.args()
			s.exec(t, "BEGIN")
			throughBefore, fetchedBefore := reads(t, s)
			_, err := s.call(t.Context(), test.function, data)
			if refusal := code(err); refusal != "" {
				require.Equal(t, conflict, refusal, "%v", err)
				s.exec(t, "ROLLBACK")
				continue
			}
			through, fetched := reads(t, s)
			through, fetched = through-throughBefore, fetched-fetchedBefore
			s.exec(t, "ROLLBACK")
			require.Zero(t, through, "%s %v, call %d: reads a table through", test.function, data, i)
			if i == 7 {
				t.Logf("%s: %d rows", test.function, fetched)
			}
			require.LessOrEqual(t, fetched, test.most, "%s %v, call %d", test.function, data, i)
		}
	}
}

// reads returns how many rows this session has read from tables and through
// indexes, but for what it has told the others already.
func reads(t *testing.T, s session) (through, fetched int) {
	t.Helper()
	require.NoError(t, s.QueryRow(t.Context(), `SELECT coalesce(sum(seq_tup_read), 0), coalesce(sum(idx_tup_fetch), 0)
		FROM pg_stat_xact_user_tables WHERE relname LIKE 'alert%'`).Scan(&through, &fetched))
	return through, fetched
}

// BenchmarkCost compares the functions with a plain insert of an alert.
func BenchmarkCost(b *testing.B) {
	made, err := realserver.SharedPostgres(b).NewDatabase(b.Context(), all)
	require.NoError(b, err)
	s, err := connect(b.Context(), made.URL, asService)
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Close(context.Background()) })
	run := func(name string, do func(i int) error) {
		b.Run(name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				if err := do(i); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
	call := func(function string, data args) error { _, err := s.call(b.Context(), function, data); return err }
	run("insert", func(int) error {
		var row []byte
		return s.QueryRow(b.Context(), "INSERT INTO alert_events AS a (id, service_name, alert_type, status) VALUES ($1, 'plain', 'service_down', 'active') RETURNING to_json(a)", newID()).Scan(&row)
	})
	run("raise, found", func(int) error { return call("raise_alert", down("api", "id", newID())) })
	run("raise, opened", func(int) error { return call("raise_alert", down("api", "id", newID(), "dedup_key", newID())) })
	id := newID()
	require.NoError(b, call("raise_alert", down("moved", "id", id)))
	run("transition", func(i int) error {
		return call("transition_alert", args{"request_id": newID(), "id": id, "to_status": []string{"acknowledged", "active"}[i%2]})
	})
	run("resolve, nothing open", func(int) error { return call("resolve_open_alerts", down("none", "request_id", newID())) })
	run("claim", func(int) error { return call("claim_alert_notifications", args{"request_id": newID(), "max_rows": 1}) })
}
