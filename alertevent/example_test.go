package alertevent_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// Probes raise an alert and resolve it, senders tell people: as many programs as you
// like may do either.
func Example() {
	server := supabasetest.NewServer() // a program has a project instead
	defer server.Close()
	ctx := context.Background()
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}
	send := func(n alertevent.Notification) error {
		_, err := fmt.Println("sent:", n.Alert.ServiceName, n.Alert.AlertType, n.Kind)
		return err
	}

	for range 2 { // two probes see the same
		_, opened, err := alerts.Raise(ctx, alertevent.RaiseData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
		fmt.Println("opened:", opened, err)
	}
	fmt.Println(notify(ctx, alerts, send))

	resolved, err := alerts.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown, By: "probe"})
	fmt.Println("resolved:", len(resolved), err)
	fmt.Println(notify(ctx, alerts, send))
	// Output:
	// opened: true <nil>
	// opened: false <nil>
	// sent: api service_down opened
	// <nil>
	// resolved: 1 <nil>
	// sent: api service_down resolved
	// <nil>
}

// notify sends what is due until nothing is, or it fails. A program calls it every few
// seconds. What is not confirmed is due again after the lease.
func notify(ctx context.Context, alerts alertevent.AlertEventModel, send func(alertevent.Notification) error) error {
	for {
		claimed, err := alerts.ClaimNotifications(ctx, alertevent.ClaimOptions{RemindEvery: time.Hour, Limit: 10})
		if err != nil || len(claimed) == 0 {
			return err
		}
		for _, notification := range claimed {
			if err := send(notification); err != nil {
				return err
			}
			if err := alerts.ConfirmNotification(ctx, notification); err != nil && !errors.Is(err, supabase.ErrConflict) {
				return err // ErrConflict: too late, somebody else sends it too
			}
		}
	}
}

// A person reopens what was resolved too early, and says why.
func ExampleAlertEventModel_Transition() {
	server := supabasetest.NewServer()
	defer server.Close()
	ctx := context.Background()
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}
	alert, _, err := alerts.Raise(ctx, alertevent.RaiseData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, to := range []alertevent.Status{alertevent.StatusResolved, alertevent.StatusActive} {
		if _, _, err := alerts.Transition(ctx, alertevent.TransitionData{ID: alert.ID, To: to, By: "ann", Reason: "seems so"}); err != nil {
			fmt.Println(err)
			return
		}
	}
	history, err := alerts.History(ctx, alert.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, transition := range history[1:] {
		fmt.Println(transition.From, "→", transition.To, "by", *transition.By)
	}
	// Output:
	// active → resolved by ann
	// resolved → active by ann
}

func ExampleAlertEventModel_Create() {
	server := supabasetest.NewServer()
	defer server.Close()
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}

	alert, err := alerts.Create(context.Background(), alertevent.CreateAlertEventData{
		ServiceName: "api",
		AlertType:   alertevent.AlertTypeServiceDegraded,
		Details:     map[string]any{"latency_ms": 1250},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(alert.AlertType, alert.Status, alert.Details["latency_ms"])
	// Output: service_degraded active 1250
}

func ExampleAlertEventModel_FindActive() {
	server := supabasetest.NewServer()
	defer server.Close()
	ctx := context.Background()
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}
	for _, name := range []string{"api", "web"} {
		if _, err := alerts.Create(ctx, alertevent.CreateAlertEventData{ServiceName: name, AlertType: alertevent.AlertTypeServiceDown}); err != nil {
			fmt.Println(err)
			return
		}
	}

	active, err := alerts.FindActive(ctx, "") // of every service
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, alert := range active {
		fmt.Println(alert.ServiceName, alert.AlertType)
	}
	// Output:
	// web service_down
	// api service_down
}

// Acknowledge moves an active alert, and repeating it changes nothing.
func ExampleAlertEventModel_Acknowledge() {
	server := supabasetest.NewServer()
	defer server.Close()
	ctx := context.Background()
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}
	alert, err := alerts.Create(ctx, alertevent.CreateAlertEventData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	if err != nil {
		fmt.Println(err)
		return
	}

	first, err := alerts.Acknowledge(ctx, alert.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	second, err := alerts.Acknowledge(ctx, alert.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(second.Status, second.AcknowledgedAt.Equal(*first.AcknowledgedAt))
	// Output: acknowledged true
}

func ExampleAlertEventModel_Resolve() {
	server := supabasetest.NewServer()
	defer server.Close()
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}

	_, err := alerts.Resolve(context.Background(), "0198c0de-0000-7000-8000-000000000000")
	fmt.Println(errors.Is(err, supabase.ErrNotFound))
	// Output: true
}

func ExampleAlertEventModel_FindRecentByService() {
	server := supabasetest.NewServer()
	defer server.Close()
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}

	recent, err := alerts.FindRecentByService(context.Background(), "api", alertevent.AlertTypeServiceDown, 30)
	fmt.Println(recent == nil, err) // no alert is no error
	// Output: true <nil>
}

func ExampleAlertEventModel_DeleteOlderThan() {
	server := supabasetest.NewServer()
	defer server.Close()
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}

	deleted, err := alerts.DeleteOlderThan(context.Background(), 90)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(deleted, "alerts were older than 90 days")
	// Output: 0 alerts were older than 90 days
}

func ExampleAlertEventModel_FindAll() {
	server := supabasetest.NewServer()
	defer server.Close()
	ctx := context.Background()
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}
	for _, data := range []alertevent.CreateAlertEventData{
		{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown},
		// A recovery is an event: created active, it would stay so for ever.
		{ServiceName: "api", AlertType: alertevent.AlertTypeRecovery, Status: alertevent.StatusResolved},
	} {
		if _, err := alerts.Create(ctx, data); err != nil {
			fmt.Println(err)
			return
		}
	}

	found, err := alerts.FindAll(ctx, alertevent.FindAllOptions{AlertType: alertevent.AlertTypeRecovery, Limit: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(found), found[0].ServiceName, found[0].AlertType, found[0].Status)
	// Output: 1 api recovery resolved
}

func ExampleAlertEventModel_All() {
	server := supabasetest.NewServer()
	defer server.Close()
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}

	n := 0
	for _, err := range alerts.All(context.Background(), alertevent.FindAllOptions{Status: alertevent.StatusResolved}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		n++
	}
	fmt.Println(n, "resolved alerts")
	// Output: 0 resolved alerts
}
