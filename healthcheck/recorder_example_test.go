package healthcheck_test

import (
	"context"
	"fmt"
	"time"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func ExampleRecorder() {
	server := supabasetest.NewServer() // a program has a project instead
	defer server.Close()
	ctx := context.Background()

	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	recorder := healthcheck.NewRecorder(checks, healthcheck.RecorderOptions{
		OnRefused: func(data healthcheck.CreateHealthCheckData, err error) { fmt.Println(data.ServiceName, err) },
	})
	for _, name := range []string{"api", "web", "db"} { // from any goroutine
		err := recorder.Record(ctx, healthcheck.CreateHealthCheckData{ServiceName: name, Status: healthcheck.StatusHealthy})
		if err != nil {
			fmt.Println(err)
		}
	}

	closing, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := recorder.Close(closing); err != nil { // says how many rows are lost with the program
		fmt.Println(err)
	}
	stats := recorder.Stats()
	fmt.Println(stats.Stored, "stored,", stats.Buffered, "held")
	// Output: 3 stored, 0 held
}
