package supabasetest

import (
	"slices"
	"time"
)

// alertLog is what migration 016 keeps beside the alerts: tables of its own there,
// which are not served here.
type alertLog struct {
	request       alertRequest
	transitions   []alertTransition // in the order of their ids
	lastID        int64
	notifications map[string]*alertNotification // by the alert's id
	requests      map[string]calledRequest
}

// alertRequest is who changes an alert, and why: supavigil.request.
type alertRequest struct{ id, by, reason string }

type calledRequest struct {
	call string
	at   instant
}

type alertTransition struct {
	id       int64
	alertID  string
	at       instant
	from, to string // from "": it was created
	request  alertRequest
}

type alertNotification struct {
	next        string // "": nothing
	since       instant
	leased      string // "": nothing
	leasedUntil instant
	by          map[string]string // the claim that told each kind last
}

func newAlertLog() *alertLog {
	return &alertLog{notifications: map[string]*alertNotification{}, requests: map[string]calledRequest{}}
}

var alertLogTables = []string{"alert_transitions", "alert_notifications", "alert_requests"}

// note is the trigger of alert_events: old is nil for an insert, and r for a delete,
// which takes along what there is of the alert.
func (l *alertLog) note(t *table, old, r *row) {
	if r == nil {
		l.transitions = slices.DeleteFunc(l.transitions, func(a alertTransition) bool { return a.alertID == old.id() })
		delete(l.notifications, old.id())
		return
	}
	status, key := t.index("status"), t.index("dedup_key")
	was, hadKey := "", false
	if old != nil {
		was, hadKey = old.values[status].(string), old.values[key] != nil
	}
	is := r.values[status].(string)
	moment := instantOf(time.Now())
	if was != is {
		l.lastID++
		l.transitions = append(l.transitions, alertTransition{l.lastID, r.id(), moment, was, is, l.request})
	}
	n := l.notifications[r.id()]
	switch {
	case r.values[key] != nil && is != "resolved" && (!hadKey || was == "resolved"):
		if n == nil {
			n = &alertNotification{by: map[string]string{}}
			l.notifications[r.id()] = n
		}
		n.next, n.since, n.leased = "opened", moment, ""
	case old != nil && was != is && n != nil:
		if n.next != "opened" {
			n.next = map[string]string{"resolved": "resolved", "active": "reminder"}[is]
			if is == "resolved" {
				n.since = moment
			}
		}
	}
}

// begin enters a request, unless it was there: then it says so, and whether it was for
// another call.
func (l *alertLog) begin(id, call string, now instant) (again bool, err error) {
	if before, there := l.requests[id]; there {
		if before.call != call {
			return true, conflict("the request_id is that of another call")
		}
		return true, nil
	}
	const day = instant(24 * time.Hour / time.Microsecond)
	for past, request := range l.requests {
		if request.at < now-day {
			delete(l.requests, past)
		}
	}
	l.requests[id] = calledRequest{call, now}
	return false, nil
}

// of returns the transitions that a request made.
func (l *alertLog) of(request string) (made []alertTransition) {
	for _, a := range l.transitions {
		if a.request.id == request {
			made = append(made, a)
		}
	}
	return made
}
