package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
	"github.com/supavigil/supavigil/internal/integration/bench/load"
)

// job is one measurement, as its process is told. The server's address and key
// come in the environment, where this library looks for them itself.
type job struct {
	Client        clients.Name  `json:"client"`
	Case          clients.Case  `json:"case"`
	Callers       int           `json:"callers"`
	WarmUp        time.Duration `json:"warm_up"`
	Duration      time.Duration `json:"duration"`
	Requests      int           `json:"requests"`       // in total; 0: as many as Duration allows
	Profile       string        `json:"profile"`        // where the CPU profile goes; "": none
	PostgresTimes bool          `json:"postgres_times"` // the server writes timestamps as PostgreSQL does
}

// outcome is what a measurement's process prints: one line of JSON.
type outcome struct {
	load.Measurement
	Unsupported bool `json:"unsupported"` // the client lacks the case
}

// do makes the measurement and writes its outcome.
func (j job) do(ctx context.Context, out io.Writer) (err error) {
	operations, err := clients.Open(j.Client, clients.Target{
		URL: os.Getenv("SUPABASE_URL"), RESTURL: os.Getenv("SUPABASE_REST_URL"), Key: os.Getenv("SUPABASE_SERVICE_KEY"),
		PostgresTimes: j.PostgresTimes,
	})
	if err != nil {
		return err
	}
	operation, ok := operations[j.Case]
	if !ok {
		return json.NewEncoder(out).Encode(outcome{Unsupported: true})
	}
	options := load.Options{Callers: j.Callers, WarmUp: j.WarmUp, Duration: j.Duration, Requests: j.perCaller()}
	if j.Profile != "" {
		file, err := os.Create(j.Profile)
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer func() {
			if closing := file.Close(); err == nil {
				err = closing
			}
		}()
		options.Profile = file
	}
	measured, err := load.Run(ctx, options, operation)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(outcome{Measurement: measured})
}

// perCaller shares the requests out, rounded up.
func (j job) perCaller() int { return (j.Requests + j.Callers - 1) / j.Callers }
