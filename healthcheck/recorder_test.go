package healthcheck_test

import (
	"context"
	"testing"
)

// ended returns a context that is over.
func ended(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
