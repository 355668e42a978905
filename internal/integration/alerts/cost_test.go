package alerts

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/internal/integration/realserver"
)

// BenchmarkCalls compares the methods with a plain Create through @supabase/lite on
// PostgreSQL. They take turns, one of each in an iteration, so that what else the
// machine does is done to all of them: it reports the ratios of the medians.
func BenchmarkCalls(b *testing.B) {
	server := realserver.Shared(b, realserver.LitePostgres, all)
	config := server.Config()
	model := alertevent.AlertEventModel{Connect: config.ServiceClient}
	const service, serviceDown = "cost", alertevent.AlertTypeServiceDown
	raise := func(ctx context.Context, key string) (*alertevent.AlertEvent, error) {
		alert, _, err := model.Raise(ctx, alertevent.RaiseData{ServiceName: service, AlertType: serviceDown, DedupKey: key})
		return alert, err
	}
	var opened *alertevent.AlertEvent
	calls := []struct {
		name string
		do   func(context.Context) error
	}{
		{"Create", func(ctx context.Context) error {
			_, err := model.Create(ctx, alertevent.CreateAlertEventData{ServiceName: "plain", AlertType: serviceDown})
			return err
		}},
		{"Raise-opens", func(ctx context.Context) (err error) {
			opened, err = raise(ctx, newID())
			return err
		}},
		{"Raise-found", func(ctx context.Context) error {
			_, err := raise(ctx, *opened.DedupKey)
			return err
		}},
		{"Transition", func(ctx context.Context) error {
			_, _, err := model.Transition(ctx, alertevent.TransitionData{ID: opened.ID, To: alertevent.StatusAcknowledged})
			return err
		}},
		{"ResolveOpen", func(ctx context.Context) error {
			_, err := model.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: service, AlertType: serviceDown, DedupKey: *opened.DedupKey})
			return err
		}},
		{"ClaimNotifications", func(ctx context.Context) error {
			_, err := model.ClaimNotifications(ctx, alertevent.ClaimOptions{Limit: 1})
			return err
		}},
	}
	took := make([][]float64, len(calls))
	for b.Loop() {
		for i, call := range calls {
			began := time.Now()
			require.NoError(b, call.do(b.Context()), call.name)
			took[i] = append(took[i], float64(time.Since(began).Microseconds()))
		}
	}
	var create float64
	for i, call := range calls {
		slices.Sort(took[i])
		median := took[i][len(took[i])/2]
		if i == 0 {
			create = median
			b.ReportMetric(create, "µs/Create")
			continue
		}
		b.ReportMetric(median/create, call.name+"/Create")
	}
}
