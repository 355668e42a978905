package conformance_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/supavigil/supavigil/alertevent"
)

var toldKinds = []alertevent.NotificationKind{alertevent.KindOpened, alertevent.KindResolved, alertevent.KindReminder}

// A toldModel is what alerts and their notifications are, said as plainly as it can
// be. It answers a step in words.
type toldModel struct {
	now      time.Duration
	alerts   []*toldAlert // oldest first
	requests map[int]bool // the claims that got something
}

type toldAlert struct {
	number  int // of the step that made it
	service string
	kind    alertevent.AlertType
	key     string // "": only created
	status  alertevent.Status
	history []string

	next        alertevent.NotificationKind // to be told of; "": nothing
	since       time.Duration
	leased      alertevent.NotificationKind // being told of; "": nothing
	leasedUntil time.Duration
	by          map[alertevent.NotificationKind]int // the last claim of each
}

func (a *toldAlert) open() bool { return a.status != alertevent.StatusResolved }

func (m *toldModel) restart(a *toldAlert) {
	a.next, a.since, a.leased = alertevent.KindOpened, m.now, ""
}

func (m *toldModel) add(s step, number int, key string) *toldAlert {
	a := &toldAlert{
		number: number, service: s.Service, kind: s.Type, key: key, status: alertevent.StatusActive,
		history: []string{">active"}, by: map[alertevent.NotificationKind]int{},
	}
	m.alerts = append(m.alerts, a)
	return a
}

func (m *toldModel) find(number int) *toldAlert {
	for _, a := range m.alerts {
		if a.number == number {
			return a
		}
	}
	return nil
}

// newest returns the newest open alert of which a condition holds.
func (m *toldModel) newest(holds func(*toldAlert) bool) *toldAlert {
	for _, a := range slices.Backward(m.alerts) {
		if a.open() && holds(a) {
			return a
		}
	}
	return nil
}

func (m *toldModel) raise(s step, number int) string {
	key := cmp.Or(s.Key, string(s.Type))
	if a := m.newest(func(a *toldAlert) bool { return a.service == s.Service && a.key == key }); a != nil {
		return said(a.number, a.status, false)
	}
	if s.Key == "" {
		if a := m.newest(func(a *toldAlert) bool { return a.service == s.Service && a.key == "" && a.kind == s.Type }); a != nil {
			a.key = key
			m.restart(a)
			return said(a.number, a.status, false)
		}
	}
	a := m.add(s, number, key)
	m.restart(a)
	return said(a.number, a.status, true)
}

func (m *toldModel) move(a *toldAlert, to alertevent.Status) (changed bool) {
	if a.status == to {
		return false
	}
	reopened := !a.open()
	a.history = append(a.history, string(a.status)+">"+string(to))
	a.status = to
	switch {
	case a.key == "":
	case reopened:
		m.restart(a)
	case a.next == alertevent.KindOpened: // first things first
	case to == alertevent.StatusResolved:
		a.next, a.since = alertevent.KindResolved, m.now
	case to == alertevent.StatusActive:
		a.next = alertevent.KindReminder
	default:
		a.next = ""
	}
	return true
}

func (m *toldModel) transition(s step) string {
	a := m.find(s.Alert)
	switch {
	case a == nil:
		return "not found"
	case !a.open() && s.To == alertevent.StatusAcknowledged,
		!a.open() && s.To == alertevent.StatusActive && a.key != "" && m.newest(func(b *toldAlert) bool { return b.service == a.service && b.key == a.key }) != nil:
		return "conflict"
	}
	changed := m.move(a, s.To)
	return said(a.number, a.status, changed)
}

func (m *toldModel) resolveOpen(s step) string {
	var resolved []int
	for _, a := range m.alerts {
		ours := a.key == cmp.Or(s.Key, string(s.Type)) || s.Key == "" && a.key == "" && a.kind == s.Type
		if a.service == s.Service && ours && m.move(a, alertevent.StatusResolved) {
			resolved = append(resolved, a.number)
		}
	}
	return fmt.Sprint(resolved)
}

// settle is Acknowledge and Resolve.
func (m *toldModel) settle(s step, to alertevent.Status) string {
	a := m.find(s.Alert)
	if a == nil {
		return "not found"
	}
	if a.status == alertevent.StatusActive || to == alertevent.StatusResolved {
		m.move(a, to)
	}
	return string(a.status)
}

func (m *toldModel) claim(s step) string {
	var claimed []*toldAlert
	for _, a := range m.alerts {
		due := a.next != "" && (a.next != alertevent.KindReminder || s.RemindEvery > 0 && a.since+s.RemindEvery <= m.now)
		if m.requests[s.Token] {
			due = a.next != "" && a.leased == a.next && a.by[a.leased] == s.Token
		} else if a.leased != "" && a.leasedUntil > m.now {
			due = false
		}
		if due {
			claimed = append(claimed, a)
		}
	}
	slices.SortStableFunc(claimed, func(a, b *toldAlert) int {
		return cmp.Or(cmp.Compare(slices.Index(toldKinds, a.next), slices.Index(toldKinds, b.next)), cmp.Compare(a.since, b.since))
	})
	if !m.requests[s.Token] {
		claimed = claimed[:min(s.Limit, len(claimed))]
	}
	var words []string
	for _, a := range claimed {
		m.requests[s.Token] = true
		a.leased, a.leasedUntil = a.next, m.now+s.Lease
		a.by[a.next] = s.Token
		words = append(words, fmt.Sprint(a.next, " ", a.number, " ", a.status))
	}
	return strings.Join(words, ", ")
}

func (m *toldModel) confirm(s step) string {
	a := m.find(s.Alert)
	if a == nil || a.key == "" {
		return "not found"
	}
	if token, claimed := a.by[s.Kind]; !claimed || token != s.Token {
		return "conflict"
	}
	if a.leased != s.Kind {
		return "confirmed" // before, or of before it was reopened
	}
	a.next, a.since, a.leased = "", m.now, ""
	if s.Kind != alertevent.KindResolved {
		a.next = map[alertevent.Status]alertevent.NotificationKind{
			alertevent.StatusResolved: alertevent.KindResolved, alertevent.StatusActive: alertevent.KindReminder,
		}[a.status]
	}
	return "confirmed"
}

func said(number int, status alertevent.Status, did bool) string {
	return fmt.Sprint(number, " ", status, " ", did)
}
