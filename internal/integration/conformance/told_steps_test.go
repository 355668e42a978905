package conformance_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/alertevent"
)

// A step is one call, or time that passes.
type step struct {
	Do           string
	Service, Key string
	Type         alertevent.AlertType
	Alert, Token int // numbers of the steps that made them; drawn, how many made one since
	To           alertevent.Status
	Kind         alertevent.NotificationKind
	Fitting      bool // a claim is a new one; what is confirmed is what the alert is, or was, leased for
	Twice        bool // the call is repeated
	Limit        int
	// Leases and reminders end at half minutes and time passes in whole ones, so that
	// the seconds which a real server takes decide nothing.
	Lease, RemindEvery, Wait time.Duration
}

func steps(t *rapid.T, length int) []step {
	do := rapid.SampledFrom([]string{
		"raise", "raise", "raise", "create", "transition", "transition", "resolve open", "acknowledge", "resolve", "delete",
		"claim", "claim", "claim", "confirm", "confirm", "confirm", "wait", "wait", "look", "history",
	})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			Do:          do.Draw(t, "do"),
			Service:     rapid.SampledFrom([]string{"api", "api", "web"}).Draw(t, "service"),
			Key:         rapid.SampledFrom([]string{"", "", "disk"}).Draw(t, "key"),
			Type:        rapid.SampledFrom([]alertevent.AlertType{down, down, down, alertevent.AlertTypeServiceDegraded}).Draw(t, "type"),
			Alert:       rapid.IntRange(0, 3).Draw(t, "alert"),
			Token:       rapid.IntRange(0, 5).Draw(t, "token"),
			To:          rapid.SampledFrom([]alertevent.Status{alertevent.StatusActive, alertevent.StatusAcknowledged, alertevent.StatusResolved}).Draw(t, "to"),
			Kind:        rapid.SampledFrom(toldKinds).Draw(t, "kind"),
			Fitting:     rapid.IntRange(0, 3).Draw(t, "fitting") > 0,
			Twice:       rapid.Bool().Draw(t, "twice"),
			Limit:       rapid.IntRange(1, 4).Draw(t, "limit"),
			Lease:       rapid.SampledFrom([]time.Duration{90 * time.Second, 210 * time.Second}).Draw(t, "lease"),
			RemindEvery: rapid.SampledFrom([]time.Duration{0, 150 * time.Second, 630 * time.Second}).Draw(t, "remind every"),
			Wait:        rapid.SampledFrom([]time.Duration{time.Minute, 3 * time.Minute, 11 * time.Minute}).Draw(t, "wait"),
		}
	}), length/2, length).Draw(t, "steps")
}

// choose makes a drawn step one that names alerts and claims that there are, or were.
func (m *toldModel) choose(s step, number int, made, claims []int) (chosen step, possible bool) {
	switch s.Do {
	case "transition", "acknowledge", "resolve", "delete", "confirm", "history":
		if len(made) == 0 {
			return s, false
		}
		s.Alert = recent(made, s.Alert)
	}
	switch s.Do {
	case "claim":
		if s.Fitting || len(claims) == 0 {
			s.Token = number
		} else {
			s.Token = recent(claims, s.Token)
		}
	case "confirm":
		if len(claims) == 0 {
			return s, false
		}
		s.Token = recent(claims, s.Token)
		if a := m.find(s.Alert); a != nil && s.Fitting {
			s.Kind = cmp.Or(a.leased, s.Kind)
			if token, claimed := a.by[s.Kind]; claimed {
				s.Token = token
			}
		}
	}
	return s, true
}

// recent returns one of the last few, or the first.
func recent(numbers []int, back int) int { return numbers[max(0, len(numbers)-1-back)] }

// do does a step on the model.
func (m *toldModel) do(s step, number int) string {
	m.now += time.Millisecond // so that nothing is due since the same time
	switch s.Do {
	case "raise":
		return m.raise(s, number)
	case "create":
		m.add(s, number, "")
		return "created"
	case "transition":
		return m.transition(s)
	case "resolve open":
		return m.resolveOpen(s)
	case "acknowledge":
		return m.settle(s, alertevent.StatusAcknowledged)
	case "resolve":
		return m.settle(s, alertevent.StatusResolved)
	case "delete":
		m.alerts = slices.DeleteFunc(m.alerts, func(a *toldAlert) bool { return a.number == s.Alert })
		return "deleted"
	case "claim":
		return m.claim(s)
	case "confirm":
		return m.confirm(s)
	case "wait":
		m.now += s.Wait
		return "waited"
	case "look":
		var words []string
		for _, a := range slices.Backward(m.alerts) {
			if a.open() && a.service == s.Service {
				words = append(words, fmt.Sprint(a.number, " ", a.status, " ", a.key))
			}
		}
		return strings.Join(words, ", ")
	case "history":
		if a := m.find(s.Alert); a != nil {
			return strings.Join(a.history, ", ")
		}
	}
	return ""
}
