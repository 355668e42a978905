// Package examples_test runs the example programs against real servers.
package examples_test

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/internal/integration/realserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(realserver.Main(m)) }

// TestLiteAppliesWhatMigrateWrites applies the files, under their names, with
// lite's own migration up, and uses the tables.
func TestLiteAppliesWhatMigrateWrites(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	migrate := exec.CommandContext(t.Context(), "go", "run", "github.com/supavigil/supavigil/examples/migrate", folder) //nolint:gosec // this test's folder
	out, err := migrate.CombinedOutput()
	require.NoError(t, err, "%s", out)
	server, err := realserver.Start(context.Background(), realserver.LitePGlite, realserver.Options{Migrations: os.DirFS(folder)})
	realserver.Need(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	checks := healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
	check, err := checks.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusHealthy})
	require.NoError(t, err)
	latest, err := checks.FindLatestByService(t.Context(), "api")
	require.NoError(t, err)
	require.Equal(t, check, latest)
	alerts := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}
	_, err = alerts.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "api", AlertType: alertevent.AlertTypeRecovery})
	require.NoError(t, err)
}
