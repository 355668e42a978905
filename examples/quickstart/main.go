// Quickstart shows the operations of supavigil on services that it probes:
//
//	go run ./examples/quickstart [-v] [URL …]
//
// Without URLs it probes two endpoints that it starts itself, one healthy and
// one failing. Each line of its output names a call and says what came of it.
//
// It works on the project of SUPABASE_URL (or SUPABASE_REST_URL) and
// SUPABASE_SERVICE_KEY, whose tables the migrations made; without such a URL, on
// a double in memory. On a project it adds a check for each service, and an alert
// for each that is down, which it resolves in the end. Alerts of other programs stay
// as they are; what people are to be told of them is up to 10 s late. It deletes, of
// all services, checks older than 30 days and alerts resolved more than 90 days ago.
//
// A service is named by its URL's host and path. It is down when it answers with
// 5xx or not at all within 5 s, degraded when it answers with 4xx or takes
// longer than 1 s, and healthy otherwise. With -v the library's log goes to
// standard error.
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
	"strings"

	"github.com/rs/zerolog"

	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

const usage = `usage: quickstart [-v] [URL …]
  -v    show the library's log on standard error
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its errors are returned, and shown once
	verbose := flags.Bool("v", false, "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return nil
	} else if err != nil {
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(usage))
	}
	services, err := parseServices(flags.Args())
	if err != nil {
		return err
	}
	if *verbose {
		ctx = zerolog.New(zerolog.ConsoleWriter{Out: stderr, NoColor: true}).With().Timestamp().Logger().WithContext(ctx)
	}

	var config supabase.Config
	if os.Getenv("SUPABASE_URL") == "" && os.Getenv("SUPABASE_REST_URL") == "" {
		double := supabasetest.NewServer()
		defer double.Close()
		config = double.Config()
		fmt.Fprintln(stdout, "Project: a double in memory. Set SUPABASE_URL and SUPABASE_SERVICE_KEY to work on your own.")
	} else {
		if config, err = supabase.ConfigFromEnv(); err != nil {
			return err
		}
		// Before it is printed: a URL with a password in it is refused here.
		if _, err := config.ServiceClient(); err != nil {
			return err
		}
		fmt.Fprintln(stdout, "Project:", cmp.Or(config.RESTURL, config.URL))
	}
	if len(services) == 0 {
		demo := startDemo()
		defer demo.stop()
		services = demo.services
	}
	return newTour(stdout, config.ServiceClient).take(ctx, services)
}
