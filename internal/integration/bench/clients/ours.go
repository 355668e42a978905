package clients

import (
	"context"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
)

// openOurs uses this library as its README does: zero models, and the project
// of the environment.
func openOurs(w *work) map[Case]Operation {
	var checks healthcheck.HealthCheckModel
	var alerts alertevent.AlertEventModel
	findAll := func(limit int) Operation {
		return func(ctx context.Context, _ int) error {
			rows, err := checks.FindAll(ctx, healthcheck.FindAllOptions{Limit: limit})
			if err != nil {
				return err
			}
			return counted(len(rows), limit)
		}
	}
	operations := map[Case]Operation{
		Create: func(ctx context.Context, n int) error {
			row, err := checks.Create(ctx, w.check(n))
			if err != nil {
				return err
			}
			return identified(row.ID)
		},
		FindLatest: func(ctx context.Context, n int) error {
			row, err := checks.FindLatestByService(ctx, w.service(n))
			if err != nil {
				return err
			}
			if row == nil {
				return counted(0, 1)
			}
			return identified(row.ID)
		},
		FindAll100:  findAll(100),
		FindAll1000: findAll(1000),
		Acknowledge: func(ctx context.Context, n int) error {
			row, err := alerts.Acknowledge(ctx, AlertID(n))
			if err != nil {
				return err
			}
			return identified(row.ID)
		},
	}
	if many := createMany(checks, w); many != nil {
		operations[CreateMany] = many
	}
	return operations
}
