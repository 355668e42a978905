package clients

import (
	"context"

	"github.com/supavigil/supavigil/healthcheck"
)

// createMany stores all of the work's rows at once, where the model can; nil
// where it cannot.
func createMany(checks any, w *work) Operation {
	model, ok := checks.(interface {
		CreateMany(ctx context.Context, data []healthcheck.CreateHealthCheckData) (int64, error)
	})
	if !ok {
		return nil
	}
	return func(ctx context.Context, _ int) error {
		stored, err := model.CreateMany(ctx, w.checks)
		if err != nil {
			return err
		}
		return counted(int(stored), manyRows)
	}
}
