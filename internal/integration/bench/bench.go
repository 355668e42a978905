package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
)

// bench is what a run has started: servers, and programs for the clients.
type bench struct {
	options options
	clients []clients.Name
	command func(client clients.Name, job string) []string
	server  *server // nil: only the real one is measured
	real    *realServer
	notes   []string // what could not be measured, and on what there is
	stderr  io.Writer
	cleanUp []func() error
}

// start starts what the options need. Stop it.
func start(ctx context.Context, o options, stderr io.Writer) (_ *bench, err error) {
	b := &bench{options: o, stderr: stderr}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.stop())
		}
	}()
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "supavigil-bench-")
	if err != nil {
		return nil, err
	}
	b.cleanUp = append(b.cleanUp, func() error { return os.RemoveAll(folder) })
	for _, name := range clients.Names() {
		if among(o.clients, name) {
			b.clients = append(b.clients, name)
		}
	}
	if err := b.findPrograms(ctx, program, folder); err != nil {
		return nil, err
	}
	if o.real {
		if b.real, err = startReal(ctx); err != nil {
			return nil, err
		}
		b.cleanUp = append(b.cleanUp, b.real.stop)
		b.note("the real server is " + string(b.real.rest.Kind))
	}
	if !slices.ContainsFunc(grid(o), func(cell Cell) bool { return cell.Protocol != RealServer }) {
		return b, nil
	}
	if b.server, err = startServer(ctx, program, folder); err != nil {
		return nil, err
	}
	b.cleanUp = append(b.cleanUp, b.server.stop)
	return b, nil
}

// findPrograms settles how each client is run, and drops postgrest-js where
// there is no Node.
func (b *bench) findPrograms(ctx context.Context, program, folder string) error {
	var node []string
	if slices.Contains(b.clients, clients.PostgrestJS) {
		var err error
		if node, err = postgrestJS(ctx, folder); err != nil {
			b.note("postgrest-js is not measured: " + err.Error())
			b.clients = slices.DeleteFunc(b.clients, func(name clients.Name) bool { return name == clients.PostgrestJS })
		}
	}
	b.command = func(client clients.Name, job string) []string {
		if client == clients.PostgrestJS {
			return append(slices.Clone(node), job)
		}
		return []string{program, clientCommand, job}
	}
	if len(b.clients) == 0 {
		return errors.New("there is no client to measure")
	}
	return nil
}

func (b *bench) note(text string) {
	b.notes = append(b.notes, text)
	b.say("%s\n", text)
}

// say tells how far the bench is.
func (b *bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.stderr, format, args...) }

// stop ends all that was started, the last first.
func (b *bench) stop() error {
	var errs []error
	for _, step := range slices.Backward(b.cleanUp) {
		errs = append(errs, step())
	}
	return errors.Join(errs...)
}
