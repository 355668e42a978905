package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
)

// options are what the command line says.
type options struct {
	rounds    int
	duration  time.Duration
	warmUp    time.Duration
	requests  int
	clients   []clients.Name // empty: all; so are the other three
	cases     []clients.Case
	callers   []int
	protocols []Protocol
	full      bool
	real      bool
	out       string
	profile   string
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var quick bool
	var names, cases, callers, protocols string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.rounds, "rounds", 3, "how often everything is measured; medians are taken over the rounds")
	flags.DurationVar(&o.duration, "duration", 500*time.Millisecond, "how long each measurement takes")
	flags.DurationVar(&o.warmUp, "warmup", 200*time.Millisecond, "how long each client warms up before")
	flags.IntVar(&o.requests, "requests", 0, "requests of a measurement, instead of -duration")
	flags.StringVar(&names, "clients", "", "only these clients, with commas: "+list(clients.Names()))
	flags.StringVar(&cases, "cases", "", "only these cases: "+list(clients.Cases()))
	flags.StringVar(&callers, "callers", "", "only these numbers of callers: 1,8,64,256")
	flags.StringVar(&protocols, "protocols", "", "only these protocols: http1,tls1,tls2,real")
	flags.BoolVar(&o.full, "full", false, "the whole grid: all cases with all numbers of callers over TLS too")
	flags.BoolVar(&quick, "quick", false, "a short look: 64 callers, one round of 100 ms each")
	flags.BoolVar(&o.real, "real", false, "a real server on PostgreSQL too: PostgREST if it is there, else @supabase/lite")
	flags.StringVar(&o.out, "out", filepath.Join(os.TempDir(), "supavigil-bench-results"), "the folder for results.json and the plots")
	flags.StringVar(&o.profile, "profile", "", "a folder for a CPU profile of each measurement in Go, which costs time itself")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("%q: there are no arguments but flags", flags.Arg(0))
	}
	if quick { // what else is said holds
		given := map[string]bool{}
		flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
		for name, value := range map[string]string{"rounds": "1", "duration": "100ms", "warmup": "50ms", "callers": strconv.Itoa(usual)} {
			if !given[name] {
				if err := flags.Set(name, value); err != nil {
					return options{}, err
				}
			}
		}
	}
	if o.rounds < 1 || o.duration <= 0 || o.warmUp < 0 || o.requests < 0 {
		return options{}, errors.New("-rounds and -duration must be positive, -warmup and -requests not negative")
	}
	var err error
	if o.clients, err = filter("-clients", names, clients.Names()); err != nil {
		return options{}, err
	}
	if o.cases, err = filter("-cases", cases, clients.Cases()); err != nil {
		return options{}, err
	}
	if o.callers, err = filter("-callers", callers, []int{1, 8, usual, 256}); err != nil {
		return options{}, err
	}
	o.protocols, err = filter("-protocols", protocols, []Protocol{HTTP1, TLS1, TLS2, RealServer})
	if slices.Contains(o.protocols, RealServer) {
		o.real = true
	}
	return o, err
}

// filter reads values with commas between them, each one of those allowed.
func filter[T comparable](name, given string, allowed []T) ([]T, error) {
	var values []T
	for word := range strings.SplitSeq(given, ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		i := slices.IndexFunc(allowed, func(value T) bool { return fmt.Sprint(value) == word })
		if i < 0 {
			return nil, fmt.Errorf("%s: %q is none of %s", name, word, list(allowed))
		}
		values = append(values, allowed[i])
	}
	return values, nil
}

func list[T any](values []T) string {
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = fmt.Sprint(value)
	}
	return strings.Join(words, ",")
}
