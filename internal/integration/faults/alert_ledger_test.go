package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

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
	repeats atomic.Int64                      // calls that failed, and were repeated
	looks   atomic.Int64                      // at what is open
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

// stock has nothing to store.
func (*alertLedger) stock(*testing.T) {}

func (l *alertLedger) items() int { return l.size }
