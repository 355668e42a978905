package healthcheck_test

import (
	"context"
	"fmt"
	"time"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func ExampleHealthCheckModel_CreateMany() {
	server := supabasetest.NewServer()
	defer server.Close()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}

	began := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	var data []healthcheck.CreateHealthCheckData
	for i := range 2500 {
		data = append(data, healthcheck.CreateHealthCheckData{
			ServiceName: "api", Status: healthcheck.StatusHealthy, CheckedAt: began.Add(time.Duration(i) * time.Second),
		})
	}
	stored, err := checks.CreateMany(context.Background(), data)
	fmt.Println(stored, err, "in", len(server.Requests()), "requests")
	// Output: 2500 <nil> in 3 requests
}

func ExampleHealthCheckModel_FindLatest() {
	server := supabasetest.NewServer()
	defer server.Close()
	ctx := context.Background()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	for _, seen := range []healthcheck.CreateHealthCheckData{
		{ServiceName: "web", Status: healthcheck.StatusHealthy},
		{ServiceName: "api", Status: healthcheck.StatusHealthy},
		{ServiceName: "api", Status: healthcheck.StatusDown},
	} {
		if _, err := checks.Create(ctx, seen); err != nil {
			fmt.Println(err)
			return
		}
	}

	latest, err := checks.FindLatest(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, check := range latest {
		fmt.Println(check.ServiceName, check.Status)
	}
	// Output:
	// api down
	// web healthy
}

func ExampleHealthCheckModel_All() {
	server := supabasetest.NewServer()
	defer server.Close()
	ctx := context.Background()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	data := make([]healthcheck.CreateHealthCheckData, 5000)
	for i := range data {
		data[i] = healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusHealthy, LatencyMS: new(i % 100)}
	}
	if _, err := checks.CreateMany(ctx, data); err != nil {
		fmt.Println(err)
		return
	}

	slow, all := 0, 0
	for check, err := range checks.All(ctx, healthcheck.FindAllOptions{ServiceName: "api", Since: time.Now().Add(-time.Hour)}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if all++; *check.LatencyMS >= 95 {
			slow++
		}
	}
	fmt.Println(slow, "of", all, "took 95 ms or more")
	// Output: 250 of 5000 took 95 ms or more
}
