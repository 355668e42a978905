// Package conformance_test holds one suite for every server that speaks
// PostgREST's protocol: the double, @supabase/lite on PGlite and on PostgreSQL,
// PostgREST itself, and one that the environment points at. What holds here
// holds for all of them, but for the named exceptions.
package conformance_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(realserver.Main(m)) }

// double is the kind of server that supabasetest is.
const double realserver.Kind = "double"

// A suite runs on one server. Its cases follow one another, each on empty
// tables.
type suite struct {
	kind   realserver.Kind
	config supabase.Config
	client *supabase.Client
	checks healthcheck.HealthCheckModel
	alerts alertevent.AlertEventModel
}

func TestConformance(t *testing.T) {
	t.Parallel()
	servers := map[realserver.Kind]func(t *testing.T) supabase.Config{
		double: func(t *testing.T) supabase.Config {
			t.Helper()
			server := supabasetest.NewServer()
			t.Cleanup(server.Close)
			return server.Config()
		},
	}
	for _, kind := range append(realserver.Kinds(), realserver.Given) {
		servers[kind] = func(t *testing.T) supabase.Config {
			t.Helper()
			return realserver.Shared(t, kind, migrations.FS).Config()
		}
	}
	for kind, start := range servers {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			if kind == realserver.Given && os.Getenv("SUPAVIGIL_TEST_REST_URL") == "" {
				t.Skip("SUPAVIGIL_TEST_REST_URL is not set")
			}
			s := open(t, kind, start(t))
			for name, run := range cases {
				t.Run(name, func(t *testing.T) {
					s.empty(t)
					run(t, s)
				})
			}
		})
	}
}

// cases are what every server must do.
var cases = map[string]func(*testing.T, *suite){}

func open(t *testing.T, kind realserver.Kind, config supabase.Config) *suite {
	t.Helper()
	client, err := config.ServiceClient()
	require.NoError(t, err)
	return &suite{
		kind: kind, config: config, client: client,
		checks: healthcheck.HealthCheckModel{Connect: config.ServiceClient},
		alerts: alertevent.AlertEventModel{Connect: config.ServiceClient},
	}
}

const (
	checksTable = "service_health_checks"
	alertsTable = "alert_events"
)

func (s *suite) empty(t *testing.T) {
	t.Helper()
	for _, table := range []string{checksTable, alertsTable} {
		_, _, err := s.client.From(table).Delete("minimal", "").And("id.not.is.null", "").ExecuteWithContext(t.Context())
		require.NoError(t, err)
	}
}

// store puts rows into a table past the models' validation, and past what they
// leave to the database.
func (s *suite) store(t *testing.T, table string, rows ...map[string]any) {
	t.Helper()
	require.NoError(t, s.insert(t, table, rows))
}

func (s *suite) insert(t *testing.T, table string, rows any) error {
	t.Helper()
	_, _, err := s.client.From(table).Insert(rows, false, "", "minimal", "").ExecuteWithContext(t.Context())
	return err
}
