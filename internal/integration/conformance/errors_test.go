package conformance_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
)

func init() {
	cases["validation refuses before the server would"] = validation
	cases["constraints of the tables"] = constraints
	cases["an id that is there already"] = conflicts
	cases["names that are not there"] = unknownNames
	cases["a key that is not the server's"] = wrongKey
	cases["one row where there are none or many"] = oneRow
}

// validation: whatever the models refuse, the database would refuse or change.
func validation(t *testing.T, s *suite) {
	good := healthcheck.CreateHealthCheckData{ServiceName: "valid", Status: healthcheck.StatusHealthy}
	for name, change := range map[string]func(*healthcheck.CreateHealthCheckData){
		"id": func(d *healthcheck.CreateHealthCheckData) { d.ID = "x" }, "service_name": func(d *healthcheck.CreateHealthCheckData) { d.ServiceName = strings.Repeat("☃", 101) },
		"status": func(d *healthcheck.CreateHealthCheckData) { d.Status = "x" }, "latency_ms": func(d *healthcheck.CreateHealthCheckData) { d.LatencyMS = new(-1) },
		"error_message": func(d *healthcheck.CreateHealthCheckData) { d.ErrorMessage = new("\x00") }, "probe_details": func(d *healthcheck.CreateHealthCheckData) { d.ProbeDetails = map[string]any{"\x00": 1} },
		"checked_at": func(d *healthcheck.CreateHealthCheckData) { d.CheckedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		data := good
		change(&data)
		_, err := s.checks.Create(t.Context(), data)
		s.expect(t, name, err, outcome{class: supabase.ErrInvalid})
	}
	_, err := s.alerts.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "valid", AlertType: "x"})
	s.expect(t, "alert_type", err, outcome{class: supabase.ErrInvalid})
	none, err := s.checks.FindAll(t.Context(), healthcheck.FindAllOptions{})
	require.NoError(t, err)
	require.Empty(t, none)
}

func constraints(t *testing.T, s *suite) {
	check := map[string]any{"service_name": "constraints", "status": "healthy"}
	alert := map[string]any{"service_name": "constraints", "alert_type": "recovery", "status": "active"}
	tests := map[string]struct {
		table  string
		row    map[string]any
		column string
		value  any // leaves the column out
		want   outcome
	}{
		"check: status outside the check":     {checksTable, check, "status", "bogus", outcome{status: 400, code: "23514"}},
		"check: status null":                  {checksTable, check, "status", nil, outcome{status: 400, code: "23502"}},
		"check: status missing":               {checksTable, check, "status", missing, outcome{status: 400, code: "23502"}},
		"check: service_name null":            {checksTable, check, "service_name", nil, outcome{status: 400, code: "23502"}},
		"check: service_name missing":         {checksTable, check, "service_name", missing, outcome{status: 400, code: "23502"}},
		"check: service_name too long":        {checksTable, check, "service_name", strings.Repeat("é", 101), outcome{status: 400, code: "22001"}},
		"check: service_name with NUL":        {checksTable, check, "service_name", "a\x00b", outcome{status: 400, code: "22P05"}},
		"check: id":                           {checksTable, check, "id", "x", outcome{status: 400, code: "22P02"}},
		"check: id null":                      {checksTable, check, "id", nil, outcome{status: 400, code: "23502"}},
		"check: latency_ms too large":         {checksTable, check, "latency_ms", int64(1) << 31, outcome{status: 400, code: "22003"}},
		"check: latency_ms a fraction":        {checksTable, check, "latency_ms", 1.5, outcome{status: 400, code: "22P02"}},
		"check: checked_at":                   {checksTable, check, "checked_at", "x", outcome{status: 400, code: "22007"}},
		"check: probe_details with NUL":       {checksTable, check, "probe_details", map[string]any{"a": "\x00"}, outcome{status: 400, code: "22P05"}},
		"check: unknown column":               {checksTable, check, "nope", 1, outcome{status: 400, code: "PGRST204", class: supabase.ErrSchema}},
		"alert: alert_type outside the check": {alertsTable, alert, "alert_type", "bogus", outcome{status: 400, code: "23514"}},
		"alert: alert_type missing":           {alertsTable, alert, "alert_type", missing, outcome{status: 400, code: "23502"}},
		"alert: status outside the check":     {alertsTable, alert, "status", "bogus", outcome{status: 400, code: "23514"}},
		"alert: status missing":               {alertsTable, alert, "status", missing, outcome{status: 400, code: "23502"}},
		"alert: service_name missing":         {alertsTable, alert, "service_name", missing, outcome{status: 400, code: "23502"}},
		"alert: service_name too long":        {alertsTable, alert, "service_name", strings.Repeat("é", 101), outcome{status: 400, code: "22001"}},
		"alert: id":                           {alertsTable, alert, "id", "x", outcome{status: 400, code: "22P02"}},
		"alert: resolved_at":                  {alertsTable, alert, "resolved_at", "x", outcome{status: 400, code: "22007"}},
	}
	for name, test := range tests {
		row := maps.Clone(test.row)
		if row[test.column] = test.value; test.value == missing {
			delete(row, test.column)
		}
		s.expect(t, name, s.insert(t, test.table, row), test.want)
		// In one statement with a good row, under the same keys, nothing is stored.
		good := maps.Clone(test.row)
		if _, there := row[test.column]; there {
			if _, there := good[test.column]; !there {
				continue // PostgREST wants equal keys: that is another error
			}
			s.expect(t, name, s.insert(t, test.table, []map[string]any{good, row}), test.want)
		}
	}
	for _, table := range []string{checksTable, alertsTable} {
		body, _, err := s.client.From(table).Select("id", "", false).ExecuteWithContext(t.Context())
		require.NoError(t, err)
		require.JSONEq(t, "[]", string(body), "nothing of a refused statement is stored")
	}
}

// missing stands for a column that is left out.
const missing = "\x00missing"

func conflicts(t *testing.T, s *suite) {
	check := healthcheck.CreateHealthCheckData{ID: id, ServiceName: "conflicts", Status: healthcheck.StatusHealthy}
	_, err := s.checks.Create(t.Context(), check)
	require.NoError(t, err)
	check.ID = strings.ToUpper(id)
	_, err = s.checks.Create(t.Context(), check)
	s.expect(t, "check: duplicate id", err, outcome{status: 409, code: "23505", class: supabase.ErrConflict})
	alert := alertevent.CreateAlertEventData{ID: id, ServiceName: "conflicts", AlertType: alertevent.AlertTypeRecovery}
	_, err = s.alerts.Create(t.Context(), alert)
	require.NoError(t, err)
	_, err = s.alerts.Create(t.Context(), alert)
	s.expect(t, "alert: duplicate id", err, outcome{status: 409, code: "23505", class: supabase.ErrConflict})
}

func unknownNames(t *testing.T, s *suite) {
	_, _, err := s.client.From("nope").Select("*", "", false).ExecuteWithContext(t.Context())
	s.expect(t, "unknown table", err, outcome{status: 404, code: "PGRST205", class: supabase.ErrSchema})
	_, _, err = s.client.From("nope").Select("*", "", true).ExecuteWithContext(t.Context())
	s.expect(t, "unknown table, HEAD", err, outcome{status: 404, code: "PGRST205", class: supabase.ErrSchema})
	_, _, err = s.client.From(checksTable).Select("*", "", false).Eq("nope", "1").ExecuteWithContext(t.Context())
	s.expect(t, "unknown column in a filter", err, outcome{status: 400, code: "42703", class: supabase.ErrSchema})
	_, _, err = s.client.From(alertsTable).Select("*", "", false).Eq("id", "x").ExecuteWithContext(t.Context())
	s.expect(t, "no UUID in a filter", err, outcome{status: 400, code: "22P02"})
	s.expect(t, "unknown function", s.client.RPC(t.Context(), "nope", nil, nil), outcome{status: 404, code: "PGRST202", class: supabase.ErrSchema})

	config := s.config
	config.Schema = "nope"
	client, err := config.ServiceClient()
	require.NoError(t, err)
	_, _, err = client.From(checksTable).Select("*", "", false).ExecuteWithContext(t.Context())
	s.expect(t, "unknown schema", err, outcome{status: 406, code: "PGRST106", class: supabase.ErrSchema})
}

func wrongKey(t *testing.T, s *suite) {
	config := s.config
	for name, key := range map[string]supabase.Secret{"a forged JWT": "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl", "no JWT": "garbage"} {
		config.Key = key
		models := healthcheck.HealthCheckModel{Connect: config.ServiceClient}
		_, err := models.FindLatestByService(t.Context(), "key")
		s.expect(t, "select with "+name, err, outcome{status: 401, code: "PGRST301", class: supabase.ErrPermission})
		_, err = models.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "key", Status: healthcheck.StatusDown})
		s.expect(t, "insert with "+name, err, outcome{status: 401, code: "PGRST301", class: supabase.ErrPermission})
	}
}

func oneRow(t *testing.T, s *suite) {
	one := func() error {
		_, _, err := s.client.From(checksTable).Select("id", "", false).Single().ExecuteWithContext(t.Context())
		return err
	}
	s.expect(t, "none", one(), outcome{status: 406, code: "PGRST116", class: supabase.ErrNotFound})
	for range 2 {
		_, err := s.checks.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "one", Status: healthcheck.StatusDown})
		require.NoError(t, err)
	}
	s.expect(t, "many", one(), outcome{status: 406, code: "PGRST116"})
	var e *supabase.Error
	require.ErrorAs(t, one(), &e)
	require.Contains(t, e.Details, "2 rows")

	// A DELETE or PATCH that affects more than its one row changes nothing.
	_, _, err := s.client.From(checksTable).Delete("representation", "").Eq("service_name", "one").Single().ExecuteWithContext(t.Context())
	s.expect(t, "delete many as one", err, outcome{status: 406, code: "PGRST116"})
	body, count, err := s.client.From(checksTable).Select("id", "exact", false).ExecuteWithContext(t.Context())
	require.NoError(t, err)
	var rows []json.RawMessage
	require.NoError(t, json.Unmarshal(body, &rows))
	require.Len(t, rows, int(count))
	s.expectRows(t, "rows after a refused delete", len(rows), 2)
}
