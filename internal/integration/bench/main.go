package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(program()) }

// program runs what the command line asks for, and returns the exit code.
func program() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func() error { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) }
	if isChild(os.Args[1:]) {
		run = func() error { return child(ctx, os.Args[1:], os.Stdin, os.Stdout) }
	}
	switch err := run(); {
	case errors.Is(err, flag.ErrHelp):
		return 2
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	default:
		return 0
	}
}

// run measures what args ask for, prints tables, and writes files.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	for _, folder := range []string{o.out, o.profile} {
		if folder == "" {
			continue
		}
		if err := os.MkdirAll(folder, 0o750); err != nil {
			return err
		}
	}
	b, err := start(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	records, err := b.rounds(ctx, grid(o))
	if err != nil {
		return err
	}
	r := newReport(o, b.notes, records)
	if err := r.print(stdout); err != nil {
		return err
	}
	if err := r.write(o.out); err != nil {
		return err
	}
	if err := r.plot(o.out); err != nil {
		return err
	}
	b.say("results.json and the plots are in %s\n", o.out)
	return nil
}
