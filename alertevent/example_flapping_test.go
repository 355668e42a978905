package alertevent_test

import (
	"context"
	"fmt"
	"time"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// Raise an alert of what is down for 3 checks and 2 minutes, and resolve it after 2
// healthy checks. What was seen is in the data and not in a process, so any number of
// programs may do this, each as often as it likes, and start anew at any time.
func Example_flapping() {
	server := supabasetest.NewServer() // a program has a project instead
	defer server.Close()
	ctx := context.Background()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}

	react := func(now time.Time) error {
		states, err := checks.FindStates(ctx, healthcheck.FindStatesOptions{SeenSince: now.Add(-10 * time.Minute)})
		if err != nil {
			return err
		}
		for _, state := range states {
			name, lasted := state.Latest.ServiceName, state.Latest.CheckedAt.Sub(state.Since)
			switch {
			case state.Latest.Status == healthcheck.StatusDown && state.Checks >= 3 && lasted >= 2*time.Minute:
				_, opened, err := alerts.Raise(ctx, alertevent.RaiseData{ServiceName: name, AlertType: alertevent.AlertTypeServiceDown})
				if err != nil {
					return err
				}
				if opened {
					fmt.Println(now.Format("15:04"), name, "is down since", state.Since.Format("15:04"))
				}
			case state.Latest.Status == healthcheck.StatusHealthy && state.Checks >= 2:
				resolved, err := alerts.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: name, AlertType: alertevent.AlertTypeServiceDown})
				if err != nil {
					return err
				}
				if len(resolved) > 0 {
					fmt.Println(now.Format("15:04"), name, "is healthy since", state.Since.Format("15:04"))
				}
			}
		}
		return nil
	}

	now := time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC)
	for _, seen := range []healthcheck.Status{"healthy", "down", "down", "healthy", "down", "down", "down", "down", "healthy", "down", "healthy", "healthy"} {
		if _, err := checks.Create(ctx, healthcheck.CreateHealthCheckData{ServiceName: "api", Status: seen, CheckedAt: now}); err != nil {
			fmt.Println(err)
			return
		}
		for range 2 { // of two programs that look, one is told that it changed something
			if err := react(now); err != nil {
				fmt.Println(err)
				return
			}
		}
		now = now.Add(time.Minute)
	}
	// Output:
	// 12:06 api is down since 12:04
	// 12:11 api is healthy since 12:10
}
