package realserver

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// startLimit is how long a server may take: a second or two, many seconds on a
// busy machine, and far less than go test allows a package.
const startLimit = 2 * time.Minute

// ready asks until check says yes. When the process ends first, or the time is
// up, its log's tail is in the error; the process is then left to its folder.
func (p *process) ready(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for {
		err := p.checkOnce(ctx, check)
		if err == nil && p.running() {
			return nil
		}
		select {
		case <-p.ended:
			if portTaken(p.logTail()) {
				return p.failure(errPortTaken)
			}
			return p.failure(fmt.Errorf("ended while starting: %w", errors.Join(p.err)))
		case <-ctx.Done():
			return p.failure(fmt.Errorf("not ready: %w", errors.Join(err, ctx.Err())))
		case <-pause.C:
		}
	}
}

// checkOnce gives up when the process ends: on its port there may be another
// server, one that never answers.
func (p *process) checkOnce(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	go func() {
		select {
		case <-p.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	return check(ctx)
}

// again starts a server on the port that it had. Connections of its last life
// can hold the port for a moment.
func again(ctx context.Context, start func(context.Context) error) error {
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for tries := 1; ; tries++ {
		err := start(ctx)
		if !errors.Is(err, errPortTaken) || tries == 50 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-pause.C:
		}
	}
}
