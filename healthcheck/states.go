package healthcheck

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// FindStatesOptions narrow the services. The zero value narrows nothing.
type FindStatesOptions struct {
	ServiceNames []string  // nil: every service
	SeenSince    time.Time // the least checked_at of a latest check. Zero: no bound
}

// ServiceState is what a service is like now: its latest check, and the run of checks
// of one status that it ends.
type ServiceState struct {
	Latest ServiceHealthCheck // as of FindLatestByService
	Since  time.Time          // checked_at of the run's first check, of those that are there; in UTC
	Checks int                // of the run, counted to 10
}

// FindStates returns the states of services, ordered by name, byte by byte; a service
// without checks is left out. It takes a request for 1,000 services, whose cost does
// not grow with the checks. The error is ErrSchema without migration 017.
func (m HealthCheckModel) FindStates(ctx context.Context, options FindStatesOptions) (states []ServiceState, err error) {
	op := checks.Begin(operation.Select, operation.Filter{})
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, serviceNames(options.ServiceNames), column.Time("seenSince", options.SeenSince)); err != nil {
		return nil, err
	}
	states = []ServiceState{}
	for w := walkThrough(options.ServiceNames); !w.done; {
		args := statesArgs{w.next(op.Ask(servicesPerCall)), operation.Bound(options.SeenSince)}
		var answer []struct {
			Latest ServiceHealthCheck `json:"latest"`
			Since  timestamp.Time     `json:"since"`
			Checks int                `json:"checks"`
		}
		err := op.CallInto(ctx, &answer, "service_states", args)
		if op.AskFewer(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range answer {
			state := &answer[i]
			if err := op.Accept(&state.Latest); err != nil {
				return nil, err
			}
			if err := w.came(state.Latest.ServiceName); err != nil {
				return nil, op.Fail(err.Error(), err)
			}
			if state.Checks < 1 || state.Since.IsZero() || state.Since.After(state.Latest.CheckedAt) {
				return nil, op.Fail("the answer has a state without the checks that it is of", errors.New("no run"))
			}
			states = append(states, ServiceState{state.Latest, state.Since.Time, state.Checks})
		}
		w.turn(len(answer))
	}
	slices.SortFunc(states, func(a, b ServiceState) int { return strings.Compare(a.Latest.ServiceName, b.Latest.ServiceName) })
	return states, nil
}

type statesArgs struct {
	page
	SeenSince *string `json:"seen_since"`
}
