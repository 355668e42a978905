package healthcheck

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
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

// FindLatest returns the check with the newest checked_at of every service that
// has one, ordered by service_name, byte by byte. It calls the function of
// migration 015 once for every 1,000 services, and costs as much as there are
// services, however many checks they have. Without checks it returns an empty
// slice.
func (m HealthCheckModel) FindLatest(ctx context.Context) ([]ServiceHealthCheck, error) {
	o := operation.Begin(operation.Select, table, "", "")
	return operation.Run(ctx, o, m.Connect, nil, func(client *supabase.Client) ([]ServiceHealthCheck, error) {
		latest := []ServiceHealthCheck{}
		args := latestArgs{MaxServices: servicesPerCall}
		for {
			page, err := operation.Call(ctx, o, client, latestFunction, args, shape)
			if err != nil {
				return nil, err
			}
			latest = append(latest, page...)
			if len(page) < servicesPerCall {
				break
			}
			// In the database's own order of names, which need not be ours.
			last := page[len(page)-1].ServiceName
			if args.AfterService != nil && last == *args.AfterService {
				return nil, o.Fail("the function repeats services: it does not go on after after_service", errRepeats)
			}
			args.AfterService = &last
		}
		slices.SortFunc(latest, func(a, b ServiceHealthCheck) int { return strings.Compare(a.ServiceName, b.ServiceName) })
		return latest, nil
	})
}

var errRepeats = errors.New("services repeated")
