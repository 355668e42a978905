package healthcheck_test

import (
	"context"
	"fmt"
	"time"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// Which services are up now, and since when. What was not seen for an hour is left out:
// it was removed, or its probe is dead.
func ExampleHealthCheckModel_FindStates() {
	server := supabasetest.NewServer() // a program has a project instead
	defer server.Close()
	ctx := context.Background()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	now := time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC) // in a program time.Now()

	// Each service is probed once a minute. The api has been down for three, and the old
	// one was removed yesterday.
	data := []healthcheck.CreateHealthCheckData{{ServiceName: "old", Status: healthcheck.StatusDown, CheckedAt: now.AddDate(0, 0, -1)}}
	for at := now.Add(-30 * time.Minute); at.Before(now); at = at.Add(time.Minute) {
		api := healthcheck.StatusHealthy
		if now.Sub(at) <= 3*time.Minute {
			api = healthcheck.StatusDown
		}
		data = append(data,
			healthcheck.CreateHealthCheckData{ServiceName: "api", Status: api, CheckedAt: at},
			healthcheck.CreateHealthCheckData{ServiceName: "web", Status: healthcheck.StatusHealthy, CheckedAt: at},
		)
	}
	if _, err := checks.CreateMany(ctx, data); err != nil {
		fmt.Println(err)
		return
	}

	states, err := checks.FindStates(ctx, healthcheck.FindStatesOptions{SeenSince: now.Add(-time.Hour)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, state := range states {
		fmt.Printf("%s is %s since %s, seen by %d checks\n",
			state.Latest.ServiceName, state.Latest.Status, state.Since.Format("15:04"), state.Checks) // 10: or more
	}
	// Output:
	// api is down since 11:57, seen by 3 checks
	// web is healthy since 11:30, seen by 10 checks
}

// The 90 bars of a status page, and the last 24 hours, in one request. The days are
// Berlin's: the last but one has 23 hours.
func ExampleHealthCheckModel_FindHistory() {
	server := supabasetest.NewServer()
	defer server.Close()
	ctx := context.Background()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 3, 30, 12, 0, 0, 0, berlin)

	// The service has been probed twice an hour for 60 days. It was down for six hours, and
	// on another day nobody looked.
	down := healthcheck.TimeRange{Start: time.Date(2026, 3, 20, 2, 0, 0, 0, berlin), End: time.Date(2026, 3, 20, 8, 0, 0, 0, berlin)}
	unseen := time.Date(2026, 3, 10, 0, 0, 0, 0, berlin)
	var data []healthcheck.CreateHealthCheckData
	for at := now.AddDate(0, 0, -60); at.Before(now); at = at.Add(30 * time.Minute) {
		status := healthcheck.StatusHealthy
		if !at.Before(down.Start) && at.Before(down.End) {
			status = healthcheck.StatusDown
		}
		if at.In(berlin).Format(time.DateOnly) != unseen.Format(time.DateOnly) {
			data = append(data, healthcheck.CreateHealthCheckData{ServiceName: "api", Status: status, CheckedAt: at})
		}
	}
	if _, err := checks.CreateMany(ctx, data); err != nil {
		fmt.Println(err)
		return
	}

	days := healthcheck.Days(90, now, berlin)
	history, err := checks.FindHistory(ctx, healthcheck.HistoryOptions{
		Periods: append(days, healthcheck.TimeRange{Start: now.Add(-24 * time.Hour), End: now}),
		Slot:    time.Hour, // twice the probe's interval
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, service := range history {
		bars := ""
		for _, day := range service.Periods[:len(days)] {
			availability, known := day.Availability()
			switch {
			case !known:
				bars += "·"
			case availability < 0.99:
				bars += "▄"
				fmt.Println(day.Start.Format("2 January:"), "down for", day.Down, "of", day.Healthy+day.Degraded+day.Down)
			default:
				bars += "█"
			}
		}
		lastDay, _ := service.Periods[len(days)].Availability()
		fmt.Println(service.ServiceName, bars)
		fmt.Printf("the last 24 hours: %.2f %%\n", 100*lastDay)
	}
	// Output:
	// 20 March: down for 6h0m0s of 24h0m0s
	// api ·····························████████████████████████████████████████·█████████▄██████████
	// the last 24 hours: 100.00 %
}

// The availability of a group is that of the sum of its services' minutes: a mean of
// percentages would count one that was hardly ever checked like all others.
func ExampleHealthCheckModel_FindHistory_group() {
	server := supabasetest.NewServer()
	defer server.Close()
	ctx := context.Background()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	began := time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC)

	// The api was up for an hour. The worker is new, and was down for three of its four
	// minutes.
	var data []healthcheck.CreateHealthCheckData
	for minute := range 60 {
		at := began.Add(time.Duration(minute) * time.Minute)
		data = append(data, healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusHealthy, CheckedAt: at})
		if minute >= 57 {
			data = append(data, healthcheck.CreateHealthCheckData{ServiceName: "worker", Status: healthcheck.StatusDown, CheckedAt: at})
		} else if minute == 56 {
			data = append(data, healthcheck.CreateHealthCheckData{ServiceName: "worker", Status: healthcheck.StatusDegraded, CheckedAt: at})
		}
	}
	if _, err := checks.CreateMany(ctx, data); err != nil {
		fmt.Println(err)
		return
	}

	history, err := checks.FindHistory(ctx, healthcheck.HistoryOptions{
		ServiceNames: []string{"api", "worker"},
		Periods:      []healthcheck.TimeRange{{Start: began, End: began.Add(time.Hour)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var group healthcheck.Period
	for _, service := range history {
		period := service.Periods[0]
		availability, _ := period.Availability()
		fmt.Printf("%s: %.1f %%\n", service.ServiceName, 100*availability)
		group.Healthy += period.Healthy
		group.Degraded += period.Degraded
		group.Down += period.Down
		group.Unknown += period.Unknown
	}
	availability, _ := group.Availability()
	fmt.Printf("together: %.1f %%, nothing known for %s\n", 100*availability, group.Unknown)
	// Output:
	// api: 100.0 %
	// worker: 25.0 %
	// together: 95.3 %, nothing known for 56m0s
}

// The 95th percentile of latency by day: that of the day's checks, not a mean of the
// hours' percentiles.
func ExampleHealthCheckModel_FindHistory_latency() {
	server := supabasetest.NewServer()
	defer server.Close()
	ctx := context.Background()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	today := time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)

	// Yesterday one check in ten was slow. Three days ago nothing was measured.
	var data []healthcheck.CreateHealthCheckData
	for i := range 48 * 60 {
		latency := 20
		if i%10 == 0 && i >= 24*60 {
			latency = 1500
		}
		data = append(data, healthcheck.CreateHealthCheckData{
			ServiceName: "api", Status: healthcheck.StatusHealthy, LatencyMS: &latency, CheckedAt: today.Add(time.Duration(i-48*60) * time.Minute),
		})
	}
	if _, err := checks.CreateMany(ctx, data); err != nil {
		fmt.Println(err)
		return
	}

	history, err := checks.FindHistory(ctx, healthcheck.HistoryOptions{
		ServiceNames: []string{"api"},
		Periods:      healthcheck.Days(3, today, time.UTC), // today's midnight ends the last one
		Quantiles:    []float64{0.5, 0.95},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, day := range history[0].Periods {
		if day.Latency.Checks == 0 {
			fmt.Println(day.Start.Format(time.DateOnly), "nothing was measured")
			continue
		}
		p50, p95 := day.Latency.QuantilesMS[0], day.Latency.QuantilesMS[1]
		fmt.Printf("%s p50 %.0f ms, p95 %.0f ms, of %d checks\n", day.Start.Format(time.DateOnly), p50, p95, day.Latency.Checks)
	}
	// Output:
	// 2026-03-27 nothing was measured
	// 2026-03-28 p50 20 ms, p95 20 ms, of 1440 checks
	// 2026-03-29 p50 20 ms, p95 1500 ms, of 1440 checks
}
