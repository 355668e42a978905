package alerts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A sending is one message to people. Its times are by this machine's clock, which
// is the server's.
type sending struct {
	token          string
	asked, claimed time.Time // before and after its claim
	at             time.Time
}

// senders claim, send and confirm, and die in between.
type senders struct {
	url      string
	lease    time.Duration
	mutex    sync.Mutex
	sent     map[string][]sending // by kind and alert
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
		asked := time.Now()
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
		answered, death := time.Now(), random.IntN(60)
		for i, n := range claimed {
			if i == death {
				s.deaths.Add(1)
				return nil
			}
			s.mutex.Lock()
			key := n.Kind + " " + n.Alert.ID
			s.sent[key] = append(s.sent[key], sending{token, asked, answered, time.Now()})
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
	s := &senders{url: database.URL, lease: 2 * time.Second, sent: map[string][]sending{}}
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
			random := rand.New(rand.NewPCG(rand.Uint64(), uint64(i))) //nolint:gosec // not a secret
			for failures[i] == nil && guarded() {
				failures[i] = s.life(t.Context(), random, guarded)
			}
		})
	}
	raising.Wait()
	living.Wait()
	require.NoError(t, failure)
	require.NoError(t, errors.Join(failures...))

	twice := 0
	for key, times := range s.sent {
		slices.SortFunc(times, func(a, b sending) int { return a.asked.Compare(b.asked) })
		for i, one := range times[1:] {
			twice++
			require.NotEqual(t, times[i].token, one.token, "%s: sent twice by one claim", key)
			require.GreaterOrEqual(t, one.claimed.Sub(times[i].asked), s.lease, "%s: claimed again before its lease was over", key)
		}
	}
	for _, id := range column(t, owner, "SELECT id::text FROM alert_events WHERE dedup_key IS NOT NULL") {
		require.Contains(t, s.sent, "opened "+id)
	}
	ended := column(t, owner, "SELECT id::text FROM alert_events WHERE status = 'resolved'")
	require.NotEmpty(t, ended)
	for _, id := range ended {
		require.Contains(t, s.sent, "resolved "+id)
		require.True(t, s.sent["resolved "+id][0].at.After(s.sent["opened "+id][0].at), "resolved after opened")
	}
	require.Len(t, s.sent, alerts+len(ended), "and nothing else")
	t.Logf("%d alerts, %d of them resolved: %d sent again, %d deaths, %d confirmations", alerts, len(ended), twice, s.deaths.Load(), s.confirms.Load())
}
