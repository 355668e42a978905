// Quickstart shows each operation of supavigil once, on services that it probes:
//
//	go run ./examples/quickstart [-v] [URL …]
//
// With SUPABASE_URL (or SUPABASE_REST_URL) and a service-role key set it works on
// that project, whose tables the migrations made; without, on a double in
// memory. Without URLs it probes two endpoints that it starts itself, one
// healthy and one failing. -v shows the library's log.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/rs/zerolog"

	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	verbose := flags.Bool("v", false, "show the library's log")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *verbose {
		ctx = zerolog.New(zerolog.ConsoleWriter{Out: stderr}).With().Timestamp().Logger().WithContext(ctx)
	}
	services, err := parseServices(flags.Args())
	if err != nil {
		return err
	}

	connect := supabase.ServiceClient // reads the environment
	if os.Getenv("SUPABASE_URL") == "" && os.Getenv("SUPABASE_REST_URL") == "" {
		double := supabasetest.NewServer()
		defer double.Close()
		connect = double.Config().ServiceClient
		fmt.Fprintln(stdout, "Project: a double in memory. Set SUPABASE_URL and SUPABASE_SERVICE_KEY to work on your own.")
	} else {
		config, err := supabase.ConfigFromEnv()
		if err != nil {
			return err
		}
		fmt.Fprintln(stdout, "Project:", cmp.Or(config.RESTURL, config.URL))
	}
	if len(services) == 0 {
		demo := startDemo()
		defer demo.stop()
		services = demo.services
	}
	return newTour(stdout, connect).take(ctx, services)
}
