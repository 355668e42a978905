package conformance_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
)

func init() {
	cases["check: many at once"] = checkMany
	cases["check: many, one of which is there"] = checkManyConflict
	cases["check: latest of every service"] = checkLatestOfAll
	cases["check: latest of more services than a read returns"] = checkLatestOfMany
	cases["check: all, filtered"] = checkAll
	cases["check: all, while rows come and go"] = checkAllMoving
	cases["check: retention in slices"] = checkRetentionSlices
	cases["alert: list and all, filtered"] = alertAll
}

func checkMany(t *testing.T, s *suite) {
	stored, err := s.checks.CreateMany(t.Context(), nil)
	require.NoError(t, err)
	require.Zero(t, stored)

	data := make([]healthcheck.CreateHealthCheckData, 2345)
	for i := range data {
		data[i] = healthcheck.CreateHealthCheckData{ServiceName: fmt.Sprintf("many %d", i%7), Status: healthcheck.StatusHealthy, LatencyMS: &i}
		switch i % 4 { // every mixture of what may be left out
		case 0:
			data[i].CheckedAt = noon.Add(time.Duration(i) * time.Second)
		case 1:
			data[i].ErrorMessage = new("é☃")
		case 2:
			data[i].ID = uuid.NewString()
		case 3:
			data[i].ProbeDetails = map[string]any{"i": float64(i)}
		}
	}
	stored, err = s.checks.CreateMany(t.Context(), data)
	require.NoError(t, err)
	require.Equal(t, int64(len(data)), stored)
	found := map[int]healthcheck.ServiceHealthCheck{}
	for check, err := range s.checks.All(t.Context(), healthcheck.FindAllOptions{}) {
		require.NoError(t, err)
		require.NotContains(t, found, *check.LatencyMS)
		found[*check.LatencyMS] = check
	}
	require.Len(t, found, len(data))
	for i, d := range data {
		got := found[i]
		want := healthcheck.ServiceHealthCheck{
			ID: got.ID, ServiceName: d.ServiceName, Status: d.Status, LatencyMS: d.LatencyMS, CheckedAt: d.CheckedAt,
			ErrorMessage: d.ErrorMessage, ProbeDetails: d.ProbeDetails, CreatedAt: got.CreatedAt,
		}
		if d.ID != "" {
			want.ID = d.ID
		}
		if d.CheckedAt.IsZero() {
			want.CheckedAt = got.CreatedAt
		}
		require.Equal(t, want, got)
	}
}

func checkManyConflict(t *testing.T, s *suite) {
	_, err := s.checks.Create(t.Context(), healthcheck.CreateHealthCheckData{ID: id, ServiceName: "first", Status: healthcheck.StatusDown})
	require.NoError(t, err)
	var data []healthcheck.CreateHealthCheckData
	for range 1100 {
		data = append(data, healthcheck.CreateHealthCheckData{ServiceName: "second", Status: healthcheck.StatusDown})
	}
	data[1050].ID = id
	stored, err := s.checks.CreateMany(t.Context(), data)
	require.ErrorIs(t, err, supabase.ErrConflict)
	require.Equal(t, int64(1000), stored, "each request wholly or not at all")
	found, err := s.checks.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: 5000, ServiceName: "second"})
	require.NoError(t, err)
	require.Len(t, found, 1000)
}

func checkLatestOfAll(t *testing.T, s *suite) {
	none, err := s.checks.FindLatest(t.Context())
	require.NoError(t, err)
	require.Empty(t, none)
	// In no collation's order, and each in another's eyes near the next.
	names := []string{"a", "A", "á", "a ", " a", "aa", "a-a", "a b", "ab", "B", "b", "z", "Z", "É", "ß", "ss", "日本", "😀", `q"(,)`, "null", "0", "10", "9", "-", "_", "%", "a.b", "it's", "\u00a0x"}
	var rows []map[string]any
	for _, name := range names {
		for i := range 3 {
			rows = append(rows, map[string]any{"service_name": name, "status": "healthy", "latency_ms": i, "checked_at": noon.Add(time.Duration(i) * time.Microsecond), "created_at": noon.Add(-time.Duration(i) * time.Hour)})
		}
		rows = append(rows, map[string]any{"service_name": name, "status": "down", "latency_ms": 3, "checked_at": nil, "created_at": noon})
	}
	rows = append(rows, map[string]any{"service_name": "untimed", "status": "down", "latency_ms": 4, "checked_at": nil, "created_at": noon})
	s.store(t, checksTable, rows...)
	found, err := s.checks.FindLatest(t.Context())
	require.NoError(t, err)
	slices.Sort(names)
	got := make([]string, len(found))
	for i, check := range found {
		got[i] = check.ServiceName
		require.Equal(t, 2, *check.LatencyMS, "by checked_at, in which NULL is not the newest")
		require.Equal(t, noon.Add(2*time.Microsecond), check.CheckedAt)
	}
	require.Equal(t, names, got, "by name, byte by byte")
}

func checkLatestOfMany(t *testing.T, s *suite) {
	const services = 2000
	var rows []map[string]any
	for i := range services {
		for j := range 2 {
			rows = append(rows, map[string]any{"service_name": fmt.Sprintf("s%d", i), "status": "healthy", "latency_ms": j, "checked_at": noon.Add(time.Duration(j) * time.Second), "created_at": noon})
		}
	}
	s.store(t, checksTable, rows...)
	found, err := s.checks.FindLatest(t.Context())
	require.NoError(t, err)
	require.Len(t, found, services)
	for i, check := range found {
		require.Equal(t, 1, *check.LatencyMS)
		if i > 0 {
			require.Less(t, found[i-1].ServiceName, check.ServiceName)
		}
	}
}

// filtered are rows of every service, status and time; where type is a
// parameter, of every type as well.
func filtered(service, status string, i int) map[string]any {
	row := map[string]any{"service_name": service, "status": status, "created_at": noon.Add(time.Duration(i) * time.Microsecond)}
	if i%11 == 0 {
		row["created_at"] = nil
	}
	return row
}

func checkAll(t *testing.T, s *suite) {
	var rows []map[string]any
	for i := range 1500 {
		row := filtered([]string{"a", "b,c"}[i%2], []string{"healthy", "degraded", "down"}[i%3], i/4)
		row["latency_ms"] = i
		rows = append(rows, row)
	}
	s.store(t, checksTable, rows...)
	at := func(i int) time.Time { return noon.Add(time.Duration(i) * time.Microsecond) }
	for name, options := range map[string]healthcheck.FindAllOptions{
		"everything":            {},
		"a limit":               {Limit: 1234},
		"a service":             {ServiceName: "b,c"},
		"a status":              {Status: "down"},
		"both":                  {ServiceName: "a", Status: "degraded"},
		"since":                 {Since: at(100)},
		"until":                 {Until: at(100)},
		"a period":              {Since: at(10), Until: at(350)},
		"a period, to a fine":   {Since: at(10).Add(-999), Until: at(349).Add(1)},
		"a period in a service": {ServiceName: "a", Since: at(10), Until: at(350)},
		"all of it":             {ServiceName: "a", Status: "down", Since: at(10), Until: at(350), Limit: 7},
		"a microsecond":         {Since: at(10), Until: at(11)},
		"another zone":          {Since: at(10).In(time.FixedZone("", 19800))},
		"nothing":               {Since: at(5000)},
	} {
		var want []int
		for i, row := range rows {
			createdAt, dated := row["created_at"].(time.Time)
			switch {
			case options.ServiceName != "" && row["service_name"] != options.ServiceName,
				options.Status != "" && row["status"] != string(options.Status),
				!options.Since.IsZero() && (!dated || createdAt.Before(options.Since)),
				!options.Until.IsZero() && (!dated || !createdAt.Before(options.Until)):
			default:
				want = append(want, i)
			}
		}
		var got []int
		var last time.Time
		for check, err := range s.checks.All(t.Context(), options) {
			require.NoError(t, err, name)
			require.True(t, len(got) == 0 || !check.CreatedAt.After(last), name)
			last = check.CreatedAt
			got = append(got, *check.LatencyMS)
		}
		if options.Limit > 0 {
			require.Len(t, got, min(options.Limit, len(want)), name)
			require.Subset(t, want, got, name)
			continue
		}
		require.ElementsMatch(t, want, got, name)
		options.Limit = 5000
		found, err := s.checks.FindAll(t.Context(), options)
		require.NoError(t, err, name)
		require.Len(t, found, len(want), name)
		for i, check := range found {
			require.Equal(t, got[i], *check.LatencyMS, name)
		}
	}
}

// Rows that are there all along come exactly once, whatever is inserted before
// and deleted behind the page.
func checkAllMoving(t *testing.T, s *suite) {
	var rows []map[string]any
	for i := range 3000 {
		rows = append(rows, map[string]any{"service_name": []string{"stays", "goes"}[i%2], "status": "healthy", "latency_ms": i, "created_at": noon.Add(time.Duration(i/6) * time.Microsecond)})
	}
	s.store(t, checksTable, rows...)
	seen := map[int]bool{}
	n := 0
	for check, err := range s.checks.All(t.Context(), healthcheck.FindAllOptions{}) {
		require.NoError(t, err)
		if check.ServiceName == "stays" {
			require.False(t, seen[*check.LatencyMS], "twice")
			seen[*check.LatencyMS] = true
		}
		if n++; n%500 == 1 {
			_, err := s.checks.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "comes", Status: healthcheck.StatusDown})
			require.NoError(t, err)
			_, _, err = s.client.From(checksTable).Delete("minimal", "").Eq("service_name", "goes").
				Lt("latency_ms", strconv.Itoa(n)).ExecuteWithContext(t.Context())
			require.NoError(t, err)
			_, _, err = s.client.From(checksTable).Delete("minimal", "").Eq("service_name", "goes").
				Gt("latency_ms", strconv.Itoa(3000-n)).ExecuteWithContext(t.Context())
			require.NoError(t, err)
		}
	}
	require.Len(t, seen, 1500)
}

// More rows than the first slice takes, and more with one created_at.
func checkRetentionSlices(t *testing.T, s *suite) {
	const apart, together, young = 6000, 6500, 3
	old := time.Now().UTC().AddDate(0, 0, -30)
	var rows []map[string]any
	add := func(createdAt any) {
		rows = append(rows, map[string]any{"service_name": "old", "status": "down", "created_at": createdAt})
	}
	for i := range apart / 2 {
		add(old.Add(time.Duration(i) * time.Microsecond))
		add(old.Add(-time.Hour - time.Duration(i)*time.Microsecond))
	}
	for range together {
		add(old.Add(-time.Minute))
	}
	add("-infinity")
	for range young {
		add(time.Now().UTC())
	}
	for chunk := range slices.Chunk(rows, 4000) {
		s.store(t, checksTable, chunk...)
	}
	deleted, err := s.checks.DeleteOlderThan(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, int64(apart+together+1), deleted)
	left, err := s.checks.FindAll(t.Context(), healthcheck.FindAllOptions{})
	require.NoError(t, err)
	require.Len(t, left, young)
}

func alertAll(t *testing.T, s *suite) {
	types := []alertevent.AlertType{"service_down", "service_degraded", "recovery"}
	statuses := []alertevent.Status{"active", "acknowledged", "resolved"}
	var rows []map[string]any
	for i := range 1300 {
		row := filtered([]string{"a", "b,c"}[i%2], string(statuses[i/2%3]), i/4)
		row["alert_type"], row["message"] = types[i/6%3], strconv.Itoa(i)
		rows = append(rows, row)
	}
	s.store(t, alertsTable, rows...)
	at := func(i int) time.Time { return noon.Add(time.Duration(i) * time.Microsecond) }
	for name, options := range map[string]alertevent.FindAllOptions{
		"everything": {},
		"a service":  {ServiceName: "b,c"},
		"a type":     {AlertType: "recovery"},
		"a status":   {Status: "resolved"},
		"a period":   {Since: at(10), Until: at(300)},
		"all of it":  {ServiceName: "a", AlertType: "service_down", Status: "active", Since: at(10), Until: at(300)},
	} {
		var want []string
		for i, row := range rows {
			createdAt, dated := row["created_at"].(time.Time)
			switch {
			case options.ServiceName != "" && row["service_name"] != options.ServiceName,
				options.AlertType != "" && row["alert_type"] != options.AlertType,
				options.Status != "" && row["status"] != string(options.Status),
				!options.Since.IsZero() && (!dated || createdAt.Before(options.Since)),
				!options.Until.IsZero() && (!dated || !createdAt.Before(options.Until)):
			default:
				want = append(want, strconv.Itoa(i))
			}
		}
		var got []string
		for alert, err := range s.alerts.All(t.Context(), options) {
			require.NoError(t, err, name)
			got = append(got, *alert.Message)
		}
		require.ElementsMatch(t, want, got, name)
		found, err := s.alerts.FindAll(t.Context(), options)
		require.NoError(t, err, name)
		require.Len(t, found, min(100, len(want)), name)
		for i, alert := range found {
			require.Equal(t, got[i], *alert.Message, name)
		}
	}
}
