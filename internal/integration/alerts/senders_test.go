package alerts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A sending is one message to people.
type sending struct {
	alert, kind, token string
	at                 time.Time // by this machine's clock, which is the server's
}

// senders claim, send and confirm, and die in between.
type senders struct {
	url      string
	lease    time.Duration
	mutex    sync.Mutex
	sent     []sending
	deaths   atomic.Int64
	confirms atomic.Int64
}

// life is one sender until it dies, or nothing is left: done says so.
func (s *senders) life(ctx context.Context, random *rand.Rand, left func() bool) error {
	c := &caller{url: s.url, lost: new(atomic.Int64)}
	defer c.close()
	for left() {
		token := newID()
		data := args{"request_id": token, "lease_ms": s.lease.Milliseconds(), "max_rows": 20}
		claimed, err := decode[[]notification](c.call(ctx, "claim_alert_notifications", data))
		if err != nil {
			return err
		}
		if random.IntN(3) == 0 { // its answer was lost
			again, err := decode[[]notification](c.call(ctx, "claim_alert_notifications", data))
			if err != nil {
				return err
			}
			if len(again) != len(claimed) && len(claimed) > 0 {
				return fmt.Errorf("claimed %d, and by a repeat %d", len(claimed), len(again))
			}
			claimed = again
		}
		death := random.IntN(60)
		for i, n := range claimed {
			if i == death {
				s.deaths.Add(1)
				return nil
			}
			s.mutex.Lock()
			s.sent = append(s.sent, sending{n.Alert.ID, n.Kind, token, time.Now()})
			s.mutex.Unlock()
			if i+20 == death { // sent, and not confirmed
				s.deaths.Add(1)
				return nil
			}
			for range 1 + random.IntN(4)/3 {
				said, err := c.call(ctx, "confirm_alert_notification", args{"alert_id": n.Alert.ID, "kind": n.Kind, "token": token})
				if code(err) == conflict {
					break // it outlived its lease
				}
				if err != nil || string(said) != "true" {
					return errors.Join(err, fmt.Errorf("confirmed: %s", said))
				}
				s.confirms.Add(1)
			}
		}
	}
	return nil
}

func TestSendersThatDie(t *testing.T) {
	t.Parallel()
	database := newDatabase(t, all)
	owner := open(t, database.URL)
	alerts := 300
	if long() {
		alerts = 1_000
	}
	owner.exec(t, "INSERT INTO alert_events (service_name, alert_type, status) SELECT 'only created ' || n, 'service_down', 'active' FROM generate_series(1, 50) n")
	s := &senders{url: database.URL, lease: 2 * time.Second}
	if !long() {
		s.lease = time.Second
	}
	over := make(chan struct{})
	var raising sync.WaitGroup
	var failure error
	raising.Go(func() {
		defer close(over)
		c := &caller{url: s.url, lost: new(atomic.Int64)}
		defer c.close()
		for i := range alerts {
			if _, failure = c.call(t.Context(), "raise_alert", down(fmt.Sprint("svc-", i), "id", newID())); failure != nil {
				return
			}
			if i%2 == 0 {
				continue
			}
			// Every other one is over soon, half of them at once.
			if _, failure = c.call(t.Context(), "resolve_open_alerts", down(fmt.Sprint("svc-", i-i%4/2*2), "request_id", newID())); failure != nil {
				return
			}
		}
	})
	left := func() bool {
		select {
		case <-over:
		default:
			return true
		}
		var some bool
		err := owner.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM alert_notifications WHERE next IN ('opened', 'resolved'))").Scan(&some)
		return err == nil && some
	}
	var guard sync.Mutex // the owner's session is for one at a time
	guarded := func() bool { guard.Lock(); defer guard.Unlock(); return left() }
	var living sync.WaitGroup
	failures := make([]error, 8)
	for i := range failures {
		living.Go(func() {
			random := rand.New(rand.NewPCG(rand.Uint64(), uint64(i)))
			for failures[i] == nil && guarded() {
				failures[i] = s.life(t.Context(), random, guarded)
			}
		})
	}
	raising.Wait()
	living.Wait()
	require.NoError(t, failure)
	require.NoError(t, errors.Join(failures...))

	first := map[string]sending{} // by alert and kind
	twice := 0
	for _, one := range s.sent {
		key := one.kind + " " + one.alert
		before, known := first[key]
		if !known {
			first[key] = one
			continue
		}
		twice++
		require.NotEqual(t, before.token, one.token, "one claim, sent twice")
		require.GreaterOrEqual(t, one.at.Sub(before.at)+s.lease/2, s.lease/2, "in order")
	}
	for _, id := range column(t, owner, "SELECT id::text FROM alert_events WHERE dedup_key IS NOT NULL") {
		require.Contains(t, first, "opened "+id)
	}
	ended := column(t, owner, "SELECT id::text FROM alert_events WHERE status = 'resolved'")
	require.NotEmpty(t, ended)
	for _, id := range ended {
		require.Contains(t, first, "resolved "+id)
		require.True(t, first["resolved "+id].at.After(first["opened "+id].at), "resolved after opened")
	}
	require.Len(t, first, alerts+len(ended), "and nothing else")
	require.LessOrEqual(t, twice, int(s.deaths.Load()), "twice only after a death between sending and confirming")
	t.Logf("%d alerts, %d resolved, %d sent, %d of them twice, %d deaths, %d confirmations", alerts, len(ended), len(s.sent), twice, s.deaths.Load(), s.confirms.Load())
}
