package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const (
	clients  = 32
	services = 5
	keys     = 10 // of a service; the first is the default one
)

// A caller is one client: a connection that is opened anew when it was killed.
type caller struct {
	url     string
	session session
	lost    *atomic.Int64
}

// call repeats a call until it is answered: with a row, or with a refusal of its own.
func (c *caller) call(ctx context.Context, function string, data args) (said json.RawMessage, err error) {
	err = c.repeat(ctx, func() (err error) {
		said, err = c.session.call(ctx, function, data)
		return err
	})
	return said, err
}

func (c *caller) repeat(ctx context.Context, do func() error) error {
	for {
		if c.session.Conn == nil || c.session.IsClosed() {
			made, err := connect(ctx, c.url, asService)
			if err != nil {
				return err
			}
			c.session = made
		}
		err := do()
		if err == nil || !c.session.IsClosed() || ctx.Err() != nil {
			return err
		}
		c.lost.Add(1)
	}
}

func (c *caller) close() {
	if c.session.Conn != nil {
		_ = c.session.Close(context.Background())
	}
}

// A call made is one call with all the answers that were told to it.
type made struct {
	function string
	data     args
	answers  []string // without what may change in a row meanwhile
	alerts   []string // resolved, opened or changed by it
	twins    bool     // two at once: their answers are in no order
}

// essence is what every repeat of a call must say again, and the alerts that it is about.
func essence(function string, data args, said json.RawMessage, err error) (text string, alerts []string, failure error) {
	switch refusal := code(err); refusal {
	case "":
	case conflict, "23505":
		return "conflict", nil, nil
	default:
		return "", nil, fmt.Errorf("%s %v: %w", function, data, err)
	}
	if function == "resolve_open_alerts" {
		resolved, err := decode[[]alert](said, nil)
		for _, a := range resolved {
			alerts = append(alerts, a.ID)
		}
		return fmt.Sprint(alerts), alerts, err
	}
	got, err := decode[*answer](said, nil)
	if err != nil || got == nil {
		return "none", nil, err
	}
	if got.Opened != (function == "raise_alert" && got.Alert.ID == data["id"]) {
		return "", nil, fmt.Errorf("%s %v: opened %v, %s", function, data, got.Opened, got.Alert.ID)
	}
	if got.Opened || got.Changed {
		alerts = []string{got.Alert.ID}
	}
	return fmt.Sprint(got.Opened, got.Changed), alerts, nil
}

// A stress is 32 callers on 50 keys.
type stress struct {
	url     string
	deletes bool
	seen    sync.Map // ids of alerts, for transitions
	lost    atomic.Int64
	calls   atomic.Int64
}

// next makes up a call.
func (s *stress) next(random *rand.Rand) (function string, data args) {
	data = args{"service_name": fmt.Sprintf("svc-%d", random.IntN(services)), "alert_type": "service_down"}
	if key := random.IntN(keys); key > 0 {
		data["dedup_key"] = fmt.Sprintf("key-%d", key)
	}
	switch pick := random.IntN(100); {
	case pick < 40:
		return "raise_alert", with(data, "id", newID())
	case pick < 60:
		return "resolve_open_alerts", with(data, "request_id", newID(), "by", "resolver")
	case pick < 65:
		return "create", with(data, "id", newID())
	case pick < 67 && s.deletes:
		return "delete_resolved_alerts", args{"older_than_days": 0, "max_rows": 5}
	}
	id, picked := newID(), random.IntN(20)
	s.seen.Range(func(key, _ any) bool {
		id = key.(string)
		picked--
		return picked > 0
	})
	return "transition_alert", args{
		"request_id": newID(), "id": id, "to_status": []string{"active", "acknowledged", "resolved"}[random.IntN(3)], "by": "mover",
	}
}

// run makes calls, and every third one again: at the same time on another
// connection, or afterwards as if its answer had been lost.
func (s *stress) run(ctx context.Context, seed uint64, calls int) (ledger []made, err error) {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // not a secret
	one, two := &caller{url: s.url, lost: &s.lost}, &caller{url: s.url, lost: &s.lost}
	defer one.close()
	defer two.close()
	for range calls {
		s.calls.Add(1)
		function, data := s.next(random)
		if function == "create" {
			// As a plain Create does; repeated, it may be there.
			if err := one.repeat(ctx, func() error {
				_, err := one.session.Exec(ctx, "INSERT INTO alert_events (id, service_name, alert_type, status) VALUES ($1, $2, $3, 'active') ON CONFLICT DO NOTHING",
					data["id"], data["service_name"], data["alert_type"])
				return err
			}); err != nil {
				return nil, err
			}
			continue
		}
		entry := made{function: function, data: data}
		note := func(said json.RawMessage, err error) error {
			if function == "delete_resolved_alerts" {
				return err
			}
			text, alerts, err := essence(function, data, said, err)
			if err != nil {
				return err
			}
			for _, id := range alerts {
				s.seen.Store(id, nil)
			}
			if len(alerts) > 0 || text != "conflict" {
				entry.answers = append(entry.answers, text)
			}
			if len(alerts) > 0 {
				entry.alerts = alerts
			}
			return nil
		}
		var twin chan error
		if random.IntN(5) == 0 {
			twin = make(chan error, 1)
			var said json.RawMessage
			go func() {
				var err error
				said, err = two.call(ctx, function, data)
				twin <- err
			}()
			if err := note(one.call(ctx, function, data)); err != nil {
				return nil, err
			}
			if err := note(said, <-twin); err != nil {
				return nil, err
			}
			entry.twins = true
			ledger = append(ledger, entry)
			continue
		}
		for range 1 + random.IntN(8)/7 {
			if err := note(one.call(ctx, function, data)); err != nil {
				return nil, err
			}
		}
		ledger = append(ledger, entry)
	}
	return ledger, nil
}

// start runs the callers, kills their sessions meanwhile, and watches that no key
// has two open alerts.
func (s *stress) start(t *testing.T, owner *pgx.Conn, watcher session, calls int) (ledger []made) {
	t.Helper()
	var callers, others sync.WaitGroup
	over := make(chan struct{})
	ledgers, failures := make([][]made, clients), make([]error, clients)
	seed := rand.Uint64() //nolint:gosec // not a secret
	t.Logf("seed %d", seed)
	for i := range clients {
		callers.Go(func() { ledgers[i], failures[i] = s.run(t.Context(), seed+uint64(i), calls/clients) }) //nolint:gosec // not negative
	}
	var doubles, looks, kills int
	var watching, killing error
	others.Go(func() {
		for watching == nil {
			select {
			case <-over:
				return
			default:
			}
			looks++
			watching = watcher.QueryRow(t.Context(), `SELECT count(*) + $1 FROM (SELECT FROM alert_events WHERE dedup_key IS NOT NULL AND status <> 'resolved'
				GROUP BY service_name, dedup_key HAVING count(*) > 1) twice`, doubles).Scan(&doubles)
		}
	})
	others.Go(func() {
		for killing == nil {
			select {
			case <-over:
				return
			default:
			}
			// One that is in the middle of a call; it waits on the server, not here.
			_, killing = owner.Exec(t.Context(), `SELECT pg_sleep(0.02), pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND state = 'active' AND query LIKE '%=> $1%' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1`)
			kills++
		}
	})
	callers.Wait()
	close(over)
	others.Wait()
	require.NoError(t, errors.Join(failures...))
	require.NoError(t, errors.Join(watching, killing))
	require.Zero(t, doubles, "keys with two open alerts")
	for _, part := range ledgers {
		ledger = append(ledger, part...)
	}
	t.Logf("%d calls by %d callers, %d answers lost with their sessions in %d kills, %d looks", s.calls.Load(), clients, s.lost.Load(), kills, looks)
	return ledger
}

func newStress(t *testing.T, deletes bool) (s *stress, owner, watcher session, calls int) {
	t.Helper()
	database := newDatabase(t, all)
	calls = 1_920
	if long() {
		calls = 32_000
	}
	return &stress{url: database.URL, deletes: deletes}, open(t, database.URL), open(t, database.URL), calls
}

func TestExactUnderConcurrency(t *testing.T) {
	t.Parallel()
	s, owner, watcher, calls := newStress(t, false)
	ledger := s.start(t, owner.Conn, watcher, calls)

	// What was told: each opening, resolution and change to one call, the same at each repeat.
	told := map[string]string{} // by the transition's alert, request and what happened
	opened := map[string]bool{}
	for _, entry := range ledger {
		if entry.function == "raise_alert" {
			if len(entry.alerts) > 0 {
				opened[entry.alerts[0]] = true
				// Before it opened one, another's may have been open.
				require.True(t, entry.twins || entry.answers[len(entry.answers)-1] == "true false", "%v", entry)
			}
			continue
		}
		for _, text := range entry.answers {
			require.Equal(t, entry.answers[0], text, "%v", entry)
		}
		for _, id := range entry.alerts {
			told[id+" "+entry.data["request_id"].(string)] = entry.function
		}
	}

	rows, err := owner.Query(t.Context(), `SELECT a.id::text, a.status, a.dedup_key IS NOT NULL, t.id, t.at, coalesce(t.from_status, ''), t.to_status, t.request_id::text, t.by
		FROM alert_events a JOIN alert_transitions t ON t.alert_id = a.id ORDER BY a.id, t.id`)
	require.NoError(t, err)
	var id, status, from, to string
	var keyed bool
	var order int64
	var at time.Time
	var request, by *string
	type last struct {
		to, status string
		at         time.Time
	}
	ends, alerts := map[string]last{}, 0
	_, err = pgx.ForEachRow(rows, []any{&id, &status, &keyed, &order, &at, &from, &to, &request, &by}, func() error {
		before, known := ends[id]
		require.Equal(t, before.to, from, "%s: a step that does not follow", id)
		require.False(t, at.Before(before.at), "%s: not in order", id)
		if !known {
			alerts++
			require.Nil(t, request)
			require.Equal(t, "active", to)
		} else {
			function := told[id+" "+*request]
			require.NotEmpty(t, function, "%s: %s to %s was told to nobody", id, from, to)
			require.Equal(t, map[string]string{"resolve_open_alerts": "resolver", "transition_alert": "mover"}[function], *by)
			delete(told, id+" "+*request)
		}
		ends[id] = last{to, status, at}
		return nil
	})
	require.NoError(t, err)
	require.Empty(t, told, "told, but not so")
	for id, end := range ends {
		require.Equal(t, end.to, end.status, id)
	}
	require.Equal(t, alerts, owner.count(t, "SELECT count(*) FROM alert_events"))
	require.Equal(t, len(opened), owner.count(t, `SELECT count(*) FROM alert_events WHERE id = ANY ($1)`, keysOf(opened)), "whoever was told that it opened one did")
	// The rest was created without a key, and some of it taken over.
	for _, id := range column(t, owner, "SELECT id::text FROM alert_events WHERE dedup_key IS NOT NULL AND dedup_key <> 'service_down'") {
		require.True(t, opened[id], "%s: nobody was told that it opened it", id)
	}
	require.Equal(t, owner.count(t, "SELECT count(*) FROM alert_events WHERE dedup_key IS NOT NULL"), owner.count(t, "SELECT count(*) FROM alert_notifications"))
	t.Logf("%d alerts, %d opened by callers, %d transitions", alerts, len(opened), owner.count(t, "SELECT count(*) FROM alert_transitions"))
}

// The same with retention beside it, whose work the ledger cannot follow.
func TestDeletionBesideEverything(t *testing.T) {
	t.Parallel()
	s, owner, watcher, calls := newStress(t, true)
	s.start(t, owner.Conn, watcher, calls/2)
	require.Zero(t, owner.count(t, `SELECT count(*) FROM alert_events a WHERE a.status <>
		(SELECT t.to_status FROM alert_transitions t WHERE t.alert_id = a.id ORDER BY t.id DESC LIMIT 1)`))
}

func keysOf(set map[string]bool) (keys []string) {
	for key := range set {
		keys = append(keys, key)
	}
	return keys
}

func column(t *testing.T, s session, sql string) []string {
	t.Helper()
	rows, err := s.Query(t.Context(), sql)
	require.NoError(t, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return values
}
