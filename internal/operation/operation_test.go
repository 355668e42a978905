package operation_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

// TestContextThatIsOverOpensNoClient: whoever opens one may wait, or ask for a key.
func TestContextThatIsOverOpensNoClient(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	opens := 0
	var connect supabase.Connector = func() (*supabase.Client, error) {
		opens++
		return supabase.Config{URL: "http://localhost", Key: "sb_secret_x"}.ServiceClient()
	}
	checks := operation.Table[struct{}]{Name: "checks"}
	open := func(ctx context.Context, faults ...error) error {
		return checks.Begin(operation.Insert, operation.Filter{}).Open(ctx, connect, faults...)
	}
	for ctx, want := range map[context.Context]error{cancelled: context.Canceled, late: context.DeadlineExceeded} {
		err := open(ctx)
		require.ErrorIs(t, err, want)
		require.NotErrorIs(t, err, supabase.ErrUnavailable)
		var e *supabase.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, "insert", e.Op)
		require.Zero(t, e.Attempts)
		require.False(t, e.Uncertain)
		require.ErrorIs(t, open(ctx, errors.New("x must not be y")), supabase.ErrInvalid, "what is wrong is wrong at any time")
	}
	require.Zero(t, opens)
	require.NoError(t, open(t.Context()))
	require.Equal(t, 1, opens)
}
