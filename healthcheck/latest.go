package healthcheck

import (
	"context"
	"slices"
	"strings"

	"github.com/supavigil/supavigil/internal/operation"
)

// latestFunction is that of migration 015. It returns one JSON array, which
// db-max-rows does not cut.
const latestFunction = "latest_service_health_checks"

type latestArgs struct {
	AfterService *string `json:"after_service"` // nil: from the first
	MaxServices  int     `json:"max_services"`
}

// servicesPerCall keeps an answer to some hundred kilobytes.
const servicesPerCall = 1000

// FindLatest returns the check with the newest checked_at of every service, ordered
// by service_name, byte by byte; none is an empty slice. It calls the function of
// migration 015 for 1,000 services at a time; the cost does not grow with the checks.
func (m HealthCheckModel) FindLatest(ctx context.Context) (latest []ServiceHealthCheck, err error) {
	op := checks.Begin(operation.Select, operation.Filter{})
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect); err != nil {
		return nil, err
	}
	latest = []ServiceHealthCheck{}
	for w := walkThrough(nil); !w.done; {
		asked := w.next(op.Ask(servicesPerCall))
		found, err := op.Call(ctx, latestFunction, latestArgs{asked.AfterService, asked.MaxServices})
		if op.AskFewer(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, check := range found {
			if err := w.came(check.ServiceName); err != nil {
				return nil, op.Fail(err.Error(), err)
			}
		}
		latest = append(latest, found...)
		w.turn(len(found))
	}
	slices.SortFunc(latest, func(a, b ServiceHealthCheck) int { return strings.Compare(a.ServiceName, b.ServiceName) })
	return latest, nil
}
