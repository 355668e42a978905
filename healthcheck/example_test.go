package healthcheck_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func Example() {
	server := supabasetest.NewServer() // a program has a project instead
	defer server.Close()
	ctx := context.Background()

	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	for _, status := range []healthcheck.Status{healthcheck.StatusHealthy, healthcheck.StatusDown} {
		if _, err := checks.Create(ctx, healthcheck.CreateHealthCheckData{ServiceName: "api", Status: status}); err != nil {
			fmt.Println(err)
			return
		}
	}
	latest, err := checks.FindLatestByService(ctx, "api")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(latest.ServiceName, "is", latest.Status)
	// Output: api is down
}

func ExampleHealthCheckModel_Create() {
	server := supabasetest.NewServer()
	defer server.Close()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}

	check, err := checks.Create(context.Background(), healthcheck.CreateHealthCheckData{
		ServiceName:  "api",
		Status:       healthcheck.StatusDegraded,
		LatencyMS:    new(1250),
		ProbeDetails: map[string]any{"http_status": 200, "region": "eu"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(check.Status, *check.LatencyMS, check.ProbeDetails["region"])
	// Output: degraded 1250 eu
}

func ExampleHealthCheckModel_Create_invalid() {
	_, err := healthcheck.HealthCheckModel{}.Create(context.Background(), healthcheck.CreateHealthCheckData{
		ServiceName: "api",
		Status:      "up",
		LatencyMS:   new(-1),
	})
	fmt.Println(errors.Is(err, supabase.ErrInvalid))
	fmt.Println(err)
	// Output:
	// true
	// supabase: insert service_health_checks: status must be healthy, degraded or down, not "up"; latency_ms must be within 0…2147483647 milliseconds, not -1
}

func ExampleHealthCheckModel_FindLatestByService() {
	server := supabasetest.NewServer()
	defer server.Close()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}

	latest, err := checks.FindLatestByService(context.Background(), "api")
	fmt.Println(latest == nil, err) // no row is no error
	// Output: true <nil>
}

func ExampleHealthCheckModel_FindAll() {
	server := supabasetest.NewServer()
	defer server.Close()
	ctx := context.Background()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	for _, name := range []string{"api", "web", "api"} {
		if _, err := checks.Create(ctx, healthcheck.CreateHealthCheckData{ServiceName: name, Status: healthcheck.StatusHealthy}); err != nil {
			fmt.Println(err)
			return
		}
	}

	all, err := checks.FindAll(ctx, healthcheck.FindAllOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ofOne, err := checks.FindAll(ctx, healthcheck.FindAllOptions{ServiceName: "api", Limit: 5000})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(all), "checks,", len(ofOne), "of api")
	// Output: 3 checks, 2 of api
}

func ExampleHealthCheckModel_DeleteOlderThan() {
	server := supabasetest.NewServer()
	defer server.Close()
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}

	deleted, err := checks.DeleteOlderThan(context.Background(), 30)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(deleted, "checks were older than 30 days")
	// Output: 0 checks were older than 30 days
}
