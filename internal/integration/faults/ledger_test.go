package faults_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
)

// A ledger has many callers create, acknowledge, delete and create many over a bad
// network, writes down what they were told, and compares that with what is stored.
type ledger struct {
	size   int // items: each a create, an acknowledge, a delete and a create of many
	bad    supabase.Config
	good   supabase.Config // past the bad network, for stocking and looking
	alerts alertevent.AlertEventModel
	checks healthcheck.HealthCheckModel

	entries []entry
}

// entry is what one item's caller was told.
type entry struct {
	created, acknowledged *alertevent.AlertEvent
	deleted               int64
	stored                int64    // of many checks
	errs                  [4]error // of creating, acknowledging, deleting and creating many
}

const (
	callers = 32
	// youngest is the age in days of the youngest row that is deleted.
	youngest = 100
	// keep is how many rows are younger, and stay.
	keep = 10
	// many is how many checks are created at once.
	many = 5
)

func newLedger(good, bad supabase.Config, size int) *ledger {
	return &ledger{
		size: size, good: good, bad: bad, entries: make([]entry, size),
		alerts: alertevent.AlertEventModel{Connect: bad.ServiceClient},
		checks: healthcheck.HealthCheckModel{Connect: bad.ServiceClient},
	}
}

func (l *ledger) items() int { return l.size }

// stock stores one row for each delete, each a day older than the last, and
// those that are to stay.
func (l *ledger) stock(t *testing.T) {
	t.Helper()
	client, err := l.good.ServiceClient()
	require.NoError(t, err)
	var rows []map[string]any
	for i := -keep; i < l.size; i++ {
		at := time.Now().UTC().AddDate(0, 0, -youngest-i).Add(-12 * time.Hour)
		rows = append(rows, map[string]any{"service_name": row(i), "status": "down", "checked_at": at, "created_at": at})
		if len(rows) == 500 || i == l.size-1 {
			_, _, err := client.From(checksTable).Insert(rows, false, "", "minimal", "").ExecuteWithContext(t.Context())
			require.NoError(t, err)
			rows = nil
		}
	}
}

func row(i int) string { return fmt.Sprintf("row %d", i) }

// run has the callers work through all items.
func (l *ledger) run(ctx context.Context, each func(done int)) {
	work(l.size, func(i int) { l.do(ctx, i) }, each)
}

// work has the callers do so many items. each is called after every item with the
// number of those done.
func work(items int, do func(i int), each func(done int)) {
	var next, done atomic.Int64
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < items; i = int(next.Add(1)) - 1 {
				do(i)
				each(int(done.Add(1)))
			}
		})
	}
	running.Wait()
}

// do is one item. Its delete takes the row that is next in age, and what is
// left of older ones.
func (l *ledger) do(ctx context.Context, i int) {
	e := &l.entries[i]
	id := ""
	if i%2 == 0 {
		id = uuid.NewString()
	}
	e.created, e.errs[0] = l.alerts.Create(ctx, alertevent.CreateAlertEventData{
		ID: id, ServiceName: "ledger", AlertType: alertevent.AlertTypeServiceDown, Message: new(message(i)), Details: map[string]any{"i": float64(i)},
	})
	if e.errs[0] == nil {
		e.acknowledged, e.errs[1] = l.alerts.Acknowledge(ctx, e.created.ID)
	}
	e.deleted, e.errs[2] = l.checks.DeleteOlderThan(ctx, youngest+l.size-1-i)
	data := make([]healthcheck.CreateHealthCheckData, many)
	for n := range data {
		data[n] = healthcheck.CreateHealthCheckData{ServiceName: message(i), Status: healthcheck.StatusHealthy, LatencyMS: &n}
		if i%3 == 0 {
			data[n].ID = uuid.NewString()
		}
	}
	e.stored, e.errs[3] = l.checks.CreateMany(ctx, data)
}

func message(i int) string { return fmt.Sprintf("item %d", i) }

// verify compares with what is stored, and returns how many calls failed.
func (l *ledger) verify(t *testing.T) (failed int) {
	t.Helper()
	stored := map[string][]alertevent.AlertEvent{}
	for _, alert := range all[alertevent.AlertEvent](t, l.good, alertsTable, func(a alertevent.AlertEvent) string { return a.ID }) {
		stored[*alert.Message] = append(stored[*alert.Message], alert)
	}
	rows, created := map[string]bool{}, map[string]int{}
	for _, check := range all[healthcheck.ServiceHealthCheck](t, l.good, checksTable, func(c healthcheck.ServiceHealthCheck) string { return c.ID }) {
		if strings.HasPrefix(check.ServiceName, "item") {
			created[check.ServiceName] |= 1 << *check.LatencyMS // each once, as their sum is checked
			created[""]++
			continue
		}
		require.False(t, rows[check.ServiceName])
		rows[check.ServiceName] = true
	}
	var deleted int64
	gone := l.size // rows from here on must be gone
	for i, e := range l.entries {
		for _, err := range e.errs {
			if err != nil {
				failed++
				require.ErrorAs(t, err, new(*supabase.Error))
			}
		}
		e.verify(t, stored[message(i)])
		switch together := created[message(i)]; {
		case e.errs[3] == nil:
			require.Equal(t, int64(many), e.stored)
			require.Equal(t, 1<<many-1, together, "reported stored")
			fallthrough
		case together != 0:
			require.Equal(t, 1<<many-1, together, "all or none")
			created[""] -= many
		}
		delete(stored, message(i))
		deleted += e.deleted
		if e.errs[2] == nil {
			gone = l.size - 1 - i
		}
	}
	require.Empty(t, stored, "rows that nobody stored")
	require.Zero(t, created[""], "rows stored twice")
	for i := -keep; i < l.size; i++ {
		switch {
		case i < 0:
			require.True(t, rows[row(i)], "row %d is too young", i)
		case i >= gone:
			require.False(t, rows[row(i)], "row %d was reported deleted", i)
		}
	}
	require.LessOrEqual(t, deleted, int64(l.size+keep-len(rows)), "more reported than deleted")
	return failed
}

// verify compares what an item's caller was told with the rows that it stored.
func (e *entry) verify(t *testing.T, rows []alertevent.AlertEvent) {
	t.Helper()
	if e.errs[0] != nil {
		require.LessOrEqual(t, len(rows), 1)
		return
	}
	require.Len(t, rows, 1)
	got := rows[0]
	if e.errs[1] == nil {
		require.Equal(t, alertevent.StatusAcknowledged, e.acknowledged.Status)
		require.Equal(t, *e.acknowledged, got)
	}
	// Acknowledging that failed may have happened, and changed nothing else.
	if got.Status == alertevent.StatusAcknowledged {
		require.NotNil(t, got.AcknowledgedAt)
		got.Status, got.AcknowledgedAt = alertevent.StatusActive, nil
	}
	require.Equal(t, *e.created, got)
}

// all reads a table.
func all[R any](t *testing.T, config supabase.Config, table string, id func(R) string) []R {
	t.Helper()
	client, err := config.ServiceClient()
	require.NoError(t, err)
	var rows []R
	for last := "00000000-0000-0000-0000-000000000000"; ; {
		var page []R
		_, err := client.From(table).Select("*", "", false).Gt("id", last).Order("id", ascending).Limit(1000, "").ExecuteToWithContext(t.Context(), &page)
		require.NoError(t, err)
		if len(page) == 0 {
			return rows
		}
		rows = append(rows, page...)
		last = id(page[len(page)-1])
	}
}
