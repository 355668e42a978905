package supabasetest

import (
	"encoding/json"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
)

func TestInsertAndRows(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	require.Empty(t, server.Rows("alert_events"))
	require.NoError(t, server.Insert("service_health_checks"))
	type check struct {
		Name      string    `json:"service_name"`
		Status    string    `json:"status"`
		CheckedAt time.Time `json:"checked_at"`
	}
	old := check{"b", "healthy", time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
	require.NoError(t, server.Insert("service_health_checks",
		map[string]any{"service_name": "a", "status": "down", "latency_ms": 7, "probe_details": map[string]any{"b": 1, "a": "<"}, "created_at": nil},
		old, &old, []check{old, old}, []any{}, json.RawMessage(`{"status": "down", "service_name": "c"}`),
	))
	rows := server.Rows("service_health_checks")
	require.Len(t, rows, 6)
	require.EqualValues(t, 7, rows[0]["latency_ms"])
	require.Equal(t, map[string]any{"b": 1.0, "a": "<"}, rows[0]["probe_details"])
	require.Nil(t, rows[0]["created_at"])
	require.NotNil(t, rows[0]["checked_at"])
	require.Equal(t, "2026-01-02T03:04:05.000006+00:00", rows[4]["checked_at"])
	require.NotNil(t, rows[4]["created_at"])
	require.NotEqual(t, rows[3]["id"], rows[4]["id"])
	require.Equal(t, "c", rows[5]["service_name"])
	rows[5]["service_name"] = "changed"
	require.Equal(t, "c", server.Rows("service_health_checks")[5]["service_name"])
	require.Empty(t, server.Requests())
}

func TestInsertRefuses(t *testing.T) {
	t.Parallel()
	good := map[string]any{"service_name": "a", "status": "down"}
	for name, test := range map[string]struct {
		table string
		row   any
		code  string
	}{
		"a table that is not there":  {"nope", good, "PGRST205"},
		"a column that is not there": {"service_health_checks", map[string]any{"nope": 1}, "PGRST204"},
		"a value that is missing":    {"service_health_checks", map[string]any{"service_name": "a"}, "23502"},
		"a value outside the check":  {"service_health_checks", map[string]any{"service_name": "a", "status": "x"}, "23514"},
		"a NUL":                      {"service_health_checks", map[string]any{"service_name": "\x00", "status": "down"}, "22P05"},
		"an id that is there":        {"service_health_checks", json.RawMessage(oneCheck), "23505"},
		"no object":                  {"service_health_checks", 5, ""},
		"no objects":                 {"service_health_checks", []int{5}, ""},
		"nothing":                    {"service_health_checks", nil, ""},
		"no JSON":                    {"service_health_checks", math.NaN(), ""},
	} {
		server := newTestServer(t)
		require.NoError(t, server.Insert("service_health_checks", json.RawMessage(oneCheck)))
		err := server.Insert(test.table, good, test.row)
		var refused *supabase.Error
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, test.code, refused.Code, "%s: %v", name, err)
		require.NotEmpty(t, refused.Message, name)
		if test.code == "" {
			require.ErrorIs(t, err, supabase.ErrInvalid, name)
		}
		require.Len(t, server.Rows("service_health_checks"), 1, name)
	}
}

func TestRowsOfAnUnknownTable(t *testing.T) {
	t.Parallel()
	require.PanicsWithValue(t, `supabasetest: there is no table "nope"`, func() { newTestServer(t).Rows("nope") })
}

func TestInsertConcurrently(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 8 {
				if err := server.Insert("alert_events", map[string]string{"service_name": "db", "alert_type": "recovery", "status": "active"}); err != nil {
					t.Error(err)
				}
				_ = server.Rows("alert_events")
			}
		})
	}
	group.Wait()
	require.Len(t, server.Rows("alert_events"), 64)
}
