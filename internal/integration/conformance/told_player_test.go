package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
)

// A player does the same on a server.
type player struct {
	*suite
	wait    func(ctx context.Context, d time.Duration) error
	ids     []string // of the alerts and claims that steps make
	numbers map[string]int
}

// play does the steps on a server and on the model, and returns where they differ.
func (p player) play(ctx context.Context, steps []step) error {
	p.ids, p.numbers = make([]string, len(steps)), map[string]int{}
	for i := range steps {
		p.ids[i] = uuid.NewString()
		p.numbers[p.ids[i]] = i
	}
	model := toldModel{requests: map[int]bool{}}
	var made, claims []int
	for i, drawn := range steps {
		s, possible := model.choose(drawn, i, made, claims)
		if !possible {
			continue
		}
		want := model.do(s, i)
		request := uuid.NewString()
		times := 1
		if s.Twice && !slices.Contains([]string{"create", "delete", "wait"}, s.Do) {
			times = 2
		}
		for range times {
			got, err := p.do(ctx, s, i, request)
			switch {
			case errors.Is(err, supabase.ErrConflict):
				got = "conflict"
			case errors.Is(err, supabase.ErrNotFound):
				got = "not found"
			case err != nil:
				return fmt.Errorf("step %d, %+v: %w", i, s, err)
			}
			if got != want {
				return fmt.Errorf("step %d, %+v: %q, not %q", i, s, got, want)
			}
		}
		if err := p.wait(ctx, time.Millisecond); err != nil {
			return err
		}
		switch {
		case s.Do == "create" || s.Do == "raise" && strings.HasSuffix(want, "true"):
			made = append(made, i)
		case s.Do == "claim" && s.Token == i:
			claims = append(claims, i)
		}
	}
	return nil
}

func (p player) do(ctx context.Context, s step, number int, request string) (string, error) {
	answer := func(alert *alertevent.AlertEvent, did bool, err error) (string, error) {
		if err != nil {
			return "", err
		}
		return said(p.numbers[alert.ID], alert.Status, did), nil
	}
	switch s.Do {
	case "raise":
		return answer(p.alerts.Raise(ctx, alertevent.RaiseData{ID: p.ids[number], ServiceName: s.Service, AlertType: s.Type, DedupKey: s.Key}))
	case "create":
		_, err := p.alerts.Create(ctx, alertevent.CreateAlertEventData{ID: p.ids[number], ServiceName: s.Service, AlertType: s.Type})
		return "created", err
	case "transition":
		return answer(p.alerts.Transition(ctx, alertevent.TransitionData{ID: p.ids[s.Alert], To: s.To, RequestID: request}))
	case "resolve open":
		resolved, err := p.alerts.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: s.Service, AlertType: s.Type, DedupKey: s.Key, RequestID: request})
		var numbers []int
		for _, alert := range resolved {
			numbers = append(numbers, p.numbers[alert.ID])
		}
		slices.Sort(numbers)
		return fmt.Sprint(numbers), err
	case "acknowledge", "resolve":
		settle := map[string]func(context.Context, string) (*alertevent.AlertEvent, error){"acknowledge": p.alerts.Acknowledge, "resolve": p.alerts.Resolve}[s.Do]
		alert, err := settle(ctx, p.ids[s.Alert])
		if err != nil {
			return "", err
		}
		return string(alert.Status), nil
	case "delete":
		_, _, err := p.client.From(alertsTable).Delete("minimal", "").Eq("id", p.ids[s.Alert]).ExecuteWithContext(ctx)
		return "deleted", err
	case "claim":
		claimed, err := p.alerts.ClaimNotifications(ctx, alertevent.ClaimOptions{Lease: s.Lease, RemindEvery: s.RemindEvery, Limit: s.Limit, RequestID: p.ids[s.Token]})
		var words []string
		for _, n := range claimed {
			words = append(words, fmt.Sprint(n.Kind, " ", p.numbers[n.Alert.ID], " ", n.Alert.Status))
		}
		return strings.Join(words, ", "), err
	case "confirm":
		return "confirmed", p.alerts.ConfirmNotification(ctx, alertevent.Notification{
			Kind: s.Kind, Alert: alertevent.AlertEvent{ID: p.ids[s.Alert]}, Token: p.ids[s.Token],
		})
	case "wait":
		return "waited", p.wait(ctx, s.Wait)
	case "look":
		open, err := p.alerts.FindOpen(ctx, s.Service)
		var words []string
		for _, alert := range open {
			key := ""
			if alert.DedupKey != nil {
				key = *alert.DedupKey
			}
			words = append(words, fmt.Sprint(p.numbers[alert.ID], " ", alert.Status, " ", key))
		}
		return strings.Join(words, ", "), err
	case "history":
		history, err := p.alerts.History(ctx, p.ids[s.Alert])
		var words []string
		for _, moved := range history {
			words = append(words, string(moved.From)+">"+string(moved.To))
		}
		return strings.Join(words, ", "), err
	}
	return "", fmt.Errorf("no such step: %s", s.Do)
}
