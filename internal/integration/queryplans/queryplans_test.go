package queryplans_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/internal/integration/queryplans"
	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(realserver.Main(m)) }

const checks = 1_000_000

// open alerts are raised, beside checks/5 others of which 2,000 are active.
const open = 400

// raised is how many alerts were ever raised. The long form has 1,000,000 alerts in all.
func raised() int {
	if os.Getenv("SUPAVIGIL_LONG") == "1" {
		return 1_000_000 - checks/5
	}
	return 20_000
}

// models are on a REST server over the filled tables.
type models struct {
	checks healthcheck.HealthCheckModel
	alerts alertevent.AlertEventModel
}

// An operation returns how many rows it returned or changed.
type operation struct {
	name, tables string
	index        string // one that must serve it
	run          func(ctx context.Context, m models) (int, error)
	// multiple of the rows returned is the most to be fetched. By default 2: a
	// page fetches the row that it begins after once more, the sort by id within
	// one created_at reads one row ahead, and a change fetches its row.
	multiple int
	hot      bool // most of its updates are HOT: no index learns of them
}

const (
	checksTable = "service_health_checks"
	alertTables = "alert_%" // the functions read and change all of them
	service     = "service-7"
)

func rowOf[R any](row *R, err error) (int, error) {
	if row == nil {
		return 0, err
	}
	return 1, err
}

func rowsOf[R any](rows []R, err error) (int, error) { return len(rows), err }

func listing(options healthcheck.FindAllOptions) func(context.Context, models) (int, error) {
	return func(ctx context.Context, m models) (int, error) { return rowsOf(m.checks.FindAll(ctx, options)) }
}

var operations = []operation{
	{"latest of a service", checksTable, "idx_service_health_checks_service_checked_desc", func(ctx context.Context, m models) (int, error) {
		return rowOf(m.checks.FindLatestByService(ctx, service))
	}, 0, false},
	{"latest of a service that has none", checksTable, "idx_service_health_checks_service_checked_desc", func(ctx context.Context, m models) (int, error) {
		return rowOf(m.checks.FindLatestByService(ctx, "none"))
	}, 0, false},
	{"list", checksTable, "idx_service_health_checks_created_at", listing(healthcheck.FindAllOptions{}), 0, false},
	{"list, in pages", checksTable, "idx_service_health_checks_created_at", listing(healthcheck.FindAllOptions{Limit: 5000}), 0, false},
	{"list of a service", checksTable, "idx_service_health_checks_service_created_desc", listing(healthcheck.FindAllOptions{ServiceName: service}), 0, false},
	{"list of a service, in pages", checksTable, "idx_service_health_checks_service_created_desc", listing(healthcheck.FindAllOptions{ServiceName: service, Limit: 5000}), 0, false},
	// Near the end of a list PostgreSQL finds it cheaper to sort what little is left
	// of the whole table than to visit the service's rows one by one. How little
	// depends on its cost settings, not on the table's size; see
	// docs/performance.md.
	{"list by checked_at", checksTable, "idx_service_health_checks_checked_desc", listing(healthcheck.FindAllOptions{By: healthcheck.CheckedAt}), 0, false},
	{"list by checked_at, in pages", checksTable, "idx_service_health_checks_checked_desc", listing(healthcheck.FindAllOptions{By: healthcheck.CheckedAt, Limit: 5000}), 0, false},
	{"list of a period by checked_at", checksTable, "idx_service_health_checks_checked_desc", listing(healthcheck.FindAllOptions{By: healthcheck.CheckedAt, Since: time.Now().AddDate(0, 0, -101), Until: time.Now().AddDate(0, 0, -100), Limit: 5000}), 0, false},
	{"list of a service by checked_at", checksTable, "idx_service_health_checks_service_checked_desc", listing(healthcheck.FindAllOptions{By: healthcheck.CheckedAt, ServiceName: service, Limit: 5000}), 0, false},
	{"list of a status by checked_at", checksTable, "idx_service_health_checks_status_checked_desc", listing(healthcheck.FindAllOptions{By: healthcheck.CheckedAt, Status: "degraded", Until: time.Now().AddDate(0, 0, -200)}), 0, false},
	{"list of a service, to its end", checksTable, "idx_service_health_checks_service_created_desc", listing(healthcheck.FindAllOptions{ServiceName: service, Limit: 100_000}), queryplans.Services, false},
	{"list of a service that has none", checksTable, "idx_service_health_checks_service_created_desc", listing(healthcheck.FindAllOptions{ServiceName: "none"}), 0, false},
	{"list of a status", checksTable, "idx_service_health_checks_status_created_desc", listing(healthcheck.FindAllOptions{Status: healthcheck.StatusDown}), 0, false},
	{"list of a status that few have", checksTable, "idx_service_health_checks_status_created_desc", listing(healthcheck.FindAllOptions{Status: "degraded", Until: time.Now().AddDate(0, 0, -200)}), 0, false},
	{"list of a service and status", checksTable, "", listing(healthcheck.FindAllOptions{ServiceName: service, Status: healthcheck.StatusDown}), 4, false}, // one check of four
	{"list of a period", checksTable, "idx_service_health_checks_created_at", listing(healthcheck.FindAllOptions{Since: time.Now().AddDate(0, 0, -101), Until: time.Now().AddDate(0, 0, -100), Limit: 5000}), 0, false},
	{"list of a service's period", checksTable, "idx_service_health_checks_service_created_desc", listing(healthcheck.FindAllOptions{ServiceName: service, Since: time.Now().AddDate(0, 0, -110), Until: time.Now().AddDate(0, 0, -100)}), 0, false},
	{"all checks of a week", checksTable, "idx_service_health_checks_created_at", func(ctx context.Context, m models) (n int, err error) {
		for _, err = range m.checks.All(ctx, healthcheck.FindAllOptions{Since: time.Now().AddDate(0, 0, -7)}) {
			n++
		}
		return n, err
	}, 0, false},
	{"latest of every service", checksTable, "idx_service_health_checks_service_checked_desc", func(ctx context.Context, m models) (int, error) {
		return rowsOf(m.checks.FindLatest(ctx))
	}, 0, false},
	{"create many checks", checksTable, "", func(ctx context.Context, m models) (int, error) {
		stored, err := m.checks.CreateMany(ctx, []healthcheck.CreateHealthCheckData{{ServiceName: service, Status: healthcheck.StatusDown}, {ServiceName: service, Status: healthcheck.StatusHealthy}})
		return int(stored), err
	}, 0, false},
	{"create a check", checksTable, "", func(ctx context.Context, m models) (int, error) {
		return rowOf(m.checks.Create(ctx, healthcheck.CreateHealthCheckData{ServiceName: service, Status: healthcheck.StatusDown}))
	}, 0, false},
	{"forget checks", checksTable, "idx_service_health_checks_created_at", func(ctx context.Context, m models) (int, error) {
		deleted, err := m.checks.DeleteOlderThan(ctx, 299)
		return int(deleted), err
	}, 0, false},
	{"forget many more checks", checksTable, "idx_service_health_checks_created_at", func(ctx context.Context, m models) (int, error) {
		deleted, err := m.checks.DeleteOlderThan(ctx, 290)
		return int(deleted), err
	}, 3, false}, // where a slice ends is looked for before it goes
	{"list of alerts", alertTables, "idx_alert_events_created_at", func(ctx context.Context, m models) (int, error) {
		return rowsOf(m.alerts.FindAll(ctx, alertevent.FindAllOptions{}))
	}, 0, false},
	{"list of alerts of a type", alertTables, "idx_alert_events_type_created_desc", func(ctx context.Context, m models) (int, error) {
		return rowsOf(m.alerts.FindAll(ctx, alertevent.FindAllOptions{AlertType: alertevent.AlertTypeRecovery}))
	}, 0, false},
	{"list of alerts of a service", alertTables, "idx_alert_events_service_created_desc", func(ctx context.Context, m models) (int, error) {
		return rowsOf(m.alerts.FindAll(ctx, alertevent.FindAllOptions{ServiceName: service}))
	}, 0, false},
	{"active alerts", alertTables, "idx_alert_events_status_created_desc", func(ctx context.Context, m models) (int, error) {
		return rowsOf(m.alerts.FindActive(ctx, "")) // the request that finds the end may fetch them all once more
	}, 3, false},
	{"active alerts of a service", alertTables, "idx_alert_events_service_status_created_desc", func(ctx context.Context, m models) (int, error) {
		return rowsOf(m.alerts.FindActive(ctx, service))
	}, 0, false},
	{"recent alert of a service and type", alertTables, "idx_alert_events_service_type_created_desc", func(ctx context.Context, m models) (int, error) {
		return rowOf(m.alerts.FindRecentByService(ctx, service, alertevent.AlertTypeRecovery, 60*24*7))
	}, 0, false},
	{"no recent alert", alertTables, "", func(ctx context.Context, m models) (int, error) {
		return rowOf(m.alerts.FindRecentByService(ctx, "none", alertevent.AlertTypeRecovery, 52560000))
	}, 0, false},
	{"create, acknowledge and resolve an alert", alertTables, "alert_events_pkey", func(ctx context.Context, m models) (int, error) {
		alert, err := m.alerts.Create(ctx, alertevent.CreateAlertEventData{ServiceName: service, AlertType: alertevent.AlertTypeServiceDown})
		if err != nil {
			return 0, err
		}
		if _, err = m.alerts.Acknowledge(ctx, alert.ID); err == nil {
			_, err = m.alerts.Resolve(ctx, alert.ID)
		}
		return 2, err
	}, 0, false},
	{"forget alerts", alertTables, "idx_alert_events_created_at", func(ctx context.Context, m models) (int, error) {
		deleted, err := m.alerts.DeleteOlderThan(ctx, 299)
		return int(deleted), err
	}, 5, false}, // its history and notifications go with an alert
}

func TestOperationsAreServedByIndexes(t *testing.T) {
	t.Parallel()
	server, err := realserver.Start(context.Background(), realserver.LitePostgres, realserver.Options{
		Migrations: migrations.FS, Postgres: realserver.SharedPostgres(t), StatementTimeout: 8 * time.Second,
	})
	realserver.Need(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	session, err := pgx.Connect(t.Context(), server.DatabaseURL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close(context.Background())) })
	_, err = session.Exec(t.Context(), "ALTER TABLE service_health_checks SET (autovacuum_enabled = false); ALTER TABLE alert_events SET (autovacuum_enabled = false); ALTER TABLE service_history_hours SET (autovacuum_enabled = false)")
	require.NoError(t, err, "what a vacuum reads is counted as well")
	require.NoError(t, queryplans.Fill(t.Context(), session, checks))
	require.NoError(t, queryplans.FillRaised(t.Context(), session, raised(), open))
	require.NoError(t, queryplans.FillHistory(t.Context(), session))

	config := server.Config()
	m := models{healthcheck.HealthCheckModel{Connect: config.ServiceClient}, alertevent.AlertEventModel{Connect: config.ServiceClient}}
	used := map[string]int64{}
	for _, o := range slices.Concat(operations, raising(t, session), past()) {
		before := read(t, session, o.tables)
		returned, err := o.run(t.Context(), m)
		require.NoError(t, err, o.name)
		counted := read(t, session, o.tables).since(before)
		t.Logf("%-42s %6d rows returned, %6d fetched, %6d entries, %6d blocks, %d of %d updates HOT, %v",
			o.name, returned, counted.Fetched, counted.Entries, counted.Blocks, counted.HOT, counted.Updated, counted.Indexes)
		assert.Zero(t, counted.SequentialScans, "%s scans the table", o.name)
		assert.LessOrEqual(t, counted.Fetched, int64(max(o.multiple, 2)*returned+10), o.name)
		assert.LessOrEqual(t, counted.Blocks, int64(20*returned+100)*int64(max(o.multiple, 2)), o.name)
		if o.hot {
			assert.LessOrEqual(t, 8*counted.Updated, 10*counted.HOT, "%s updates rows that indexes learn of", o.name)
		}
		if o.index != "" {
			assert.NotZero(t, counted.Indexes[o.index], "%s does not use %s but %v", o.name, o.index, counted.Indexes)
		}
		for name, scans := range counted.Indexes {
			used[name] += scans
		}
	}
	for _, table := range []string{checksTable, alertTables} {
		for name := range read(t, session, table).Indexes {
			if used[name] == 0 {
				t.Logf("%s serves no operation", name)
				require.False(t, strings.HasSuffix(name, "_desc"), "%s, one of 014's, serves no operation", name)
			}
		}
	}
}
