package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
)

// An alertLedger has many callers raise, move and resolve alerts of few keys over a bad
// network, writes down what they were told, and compares that with the histories.
type alertLedger struct {
	size   int // items: each a raise, a transition and a resolution
	bad    alertevent.AlertEventModel
	good   alertevent.AlertEventModel // past the bad network, for looking
	config supabase.Config            // of good

	entries []alertEntry
	latest  [alertKeys]atomic.Pointer[string] // id of an alert of the key
	done    atomic.Int64
	repeats atomic.Int64 // calls that failed, and were repeated
	looks   atomic.Int64 // at what is open
}

// alertKeys is how many keys there are, each of a service of its own.
const alertKeys = 50

// alertEntry is what one item's caller was told.
type alertEntry struct {
	key    int
	id     string // that was raised
	raised *alertevent.AlertEvent
	opened bool

	moved    alertevent.TransitionData
	to       *alertevent.AlertEvent
	changed  bool
	resolved []alertevent.AlertEvent

	errs  [3]error // of raising, moving and resolving
	spans [3]span
}

// A span is when a call began and ended.
type span struct{ began, ended time.Time }

func newAlertLedger(good, bad supabase.Config, size int) *alertLedger {
	return &alertLedger{
		size: size, config: good, entries: make([]alertEntry, size),
		good: alertevent.AlertEventModel{Connect: good.ServiceClient},
		bad:  alertevent.AlertEventModel{Connect: bad.ServiceClient},
	}
}

func keyService(key int) string { return fmt.Sprintf("service %d", key) }

// dedupKey is "" for every second service: the type is the key.
func dedupKey(key int) string {
	if key%2 == 0 {
		return ""
	}
	return fmt.Sprintf("probe %d", key)
}

// run has the callers work through all items, and watches what is open.
func (l *alertLedger) run(ctx context.Context, each func(done int)) (doubled []string) {
	var next atomic.Int64
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < l.size; i = int(next.Add(1)) - 1 {
				l.do(ctx, i)
				each(int(l.done.Add(1)))
			}
		})
	}
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { doubled = l.watch(watching) })
	running.Wait()
	stop()
	watcher.Wait()
	return doubled
}

// watch looks at what is open, as often as the server answers, and returns the keys of
// which two alerts were. It is one statement, which FindOpen is not on every server.
func (l *alertLedger) watch(ctx context.Context) (doubled []string) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return doubled
		case <-ticker.C:
		}
		client, err := l.config.ServiceClient()
		if err != nil {
			return append(doubled, err.Error())
		}
		var open []alertevent.AlertEvent
		_, err = client.From(alertsTable).Select("service_name,dedup_key", "", false).Neq("status", "resolved").ExecuteToWithContext(ctx, &open)
		if err != nil {
			continue // the server is down
		}
		l.looks.Add(1)
		seen := map[string]bool{}
		for _, alert := range open {
			key := alert.ServiceName + "/" + *alert.DedupKey
			if seen[key] {
				doubled = append(doubled, key)
			}
			seen[key] = true
		}
	}
}

// do is one item. Some keys are much more in demand than others.
func (l *alertLedger) do(ctx context.Context, i int) {
	e := &l.entries[i]
	e.key = rand.IntN(rand.IntN(alertKeys) + 1) //nolint:gosec // not a secret
	e.id = uuid.NewString()
	l.call(ctx, e, 0, func() (err error) {
		e.raised, e.opened, err = l.bad.Raise(ctx, alertevent.RaiseData{
			ID: e.id, ServiceName: keyService(e.key), AlertType: alertevent.AlertTypeServiceDown, DedupKey: dedupKey(e.key), Message: new(message(i)),
		})
		return err
	})
	if e.errs[0] != nil {
		return
	}
	// Now and then, what others had is moved back to active.
	e.moved = alertevent.TransitionData{ID: e.raised.ID, To: alertevent.StatusAcknowledged, By: message(i), RequestID: uuid.NewString()}
	earlier := l.latest[e.key].Swap(&e.raised.ID)
	switch rand.IntN(5) { //nolint:gosec // not a secret
	case 0:
		e.moved.To = alertevent.StatusResolved
	case 1, 2:
		e.moved.To = alertevent.StatusActive
		if earlier != nil {
			e.moved.ID = *earlier
		}
	}
	l.call(ctx, e, 1, func() (err error) {
		e.to, e.changed, err = l.bad.Transition(ctx, e.moved)
		return err
	})
	request := uuid.NewString()
	l.call(ctx, e, 2, func() (err error) {
		e.resolved, err = l.bad.ResolveOpen(ctx, alertevent.ResolveOpenData{
			ServiceName: keyService(e.key), AlertType: alertevent.AlertTypeServiceDown, DedupKey: dedupKey(e.key),
			By: message(i), Reason: "over", RequestID: request,
		})
		return err
	})
}

// call repeats a call, with the same ids, until it is told for certain.
func (l *alertLedger) call(ctx context.Context, e *alertEntry, n int, do func() error) {
	e.spans[n].began = time.Now()
	for {
		err := do()
		var failure *supabase.Error
		if err == nil || ctx.Err() != nil || errors.As(err, &failure) && !failure.Uncertain && !errors.Is(err, supabase.ErrUnavailable) {
			e.errs[n], e.spans[n].ended = err, time.Now()
			return
		}
		l.repeats.Add(1)
	}
}

// settle runs a ledger to its end, and reports.
func (l *alertLedger) settle(t *testing.T, proxy *lossy, each func(done int)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), enough())
	defer cancel()
	began := time.Now()
	doubled := l.run(ctx, each)
	took := time.Since(began).Round(time.Second)
	require.Empty(t, doubled, "keys with two open alerts")
	require.Positive(t, l.looks.Load())
	refused, alerts, transitions := l.verify(t)
	t.Logf("%d raises, transitions and resolutions each in %v: %d calls repeated, %d transitions refused; %d requests, %d lost; %d answers, %d lost; %d looks; %d alerts, %d transitions, 0 twice, 0 told to nobody",
		l.size, took, l.repeats.Load(), refused, proxy.requests.Load(), proxy.lostRequests.Load(), proxy.answers.Load(), proxy.lostAnswers.Load(),
		l.looks.Load(), alerts, transitions)
	require.Positive(t, proxy.lostRequests.Load())
	require.Positive(t, proxy.lostAnswers.Load())
}

// stock has nothing to store.
func (*alertLedger) stock(*testing.T) {}

func (l *alertLedger) items() int { return l.size }
