package supabase_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
)

func TestMissingSchemaSaysWhatMakesIt(t *testing.T) {
	t.Parallel()
	const checks, latest = "service_health_checks", "latest_service_health_checks"
	tests := map[string]struct {
		e     supabase.Error
		class string
		ends  string
	}{
		"a table":              {supabase.Error{Table: checks, Status: 404, Code: "PGRST205", Message: "Could not find the table 'public.service_health_checks' in the schema cache"}, "schema", "cache; migration 012 makes service_health_checks"},
		"a table, by HEAD":     {supabase.Error{Table: "alert_events", Status: 404, Code: "PGRST205", Message: "not found, without a body"}, "schema", "; migration 012 makes alert_events"},
		"a table, by 12":       {supabase.Error{Table: "alert_events", Status: 404, Code: "42P01", Message: `relation "public.alert_events" does not exist`}, "schema", "; migration 012 makes alert_events"},
		"a column, of writes":  {supabase.Error{Table: checks, Status: 400, Code: "PGRST204", Message: "Could not find the 'latency_ms' column of 'service_health_checks' in the schema cache"}, "schema", "; migration 012 makes service_health_checks"},
		"a column, of reads":   {supabase.Error{Table: checks, Status: 400, Code: "42703", Message: "column service_health_checks.checked_at does not exist"}, "schema", "; migration 012 makes service_health_checks"},
		"a function":           {supabase.Error{Table: latest, Status: 404, Code: "PGRST202", Message: "Could not find the function public.latest_service_health_checks(a) in the schema cache"}, "schema", "; migration 015 makes latest_service_health_checks"},
		"a function, in SQL":   {supabase.Error{Table: latest, Status: 404, Code: "42883", Message: "function public.latest_service_health_checks(text, integer) does not exist"}, "schema", "; migration 015 makes latest_service_health_checks"},
		"a function of 017":    {supabase.Error{Table: checks, Status: 404, Code: "PGRST202", Message: "Could not find the function public.rebuild_service_history(since, until) in the schema cache"}, "schema", "; migration 017 makes rebuild_service_history"},
		"a table of 017":       {supabase.Error{Table: checks, Status: 403, Code: "42501", Message: "permission denied for table service_history_hours"}, "permission", "; migration 017 grants what is needed"},
		"a trigger's table":    {supabase.Error{Table: checks, Status: 404, Code: "42P01", Message: `relation "audit" does not exist`}, "schema", `relation "audit" does not exist`},
		"a table of others":    {supabase.Error{Table: "orders", Status: 404, Code: "PGRST205", Message: "Could not find the table 'public.orders' in the schema cache"}, "schema", "cache"},
		"a schema":             {supabase.Error{Table: checks, Status: 406, Code: "PGRST106", Message: "Invalid schema: monitoring"}, "schema", "; expose the schema: on Supabase in the API settings, Exposed schemas, else in PostgREST's db-schemas"},
		"a schema in SQL":      {supabase.Error{Table: "orders", Status: 404, Code: "3F000", Message: `schema "x" does not exist`}, "schema", "not exist"},
		"a grant":              {supabase.Error{Table: checks, Status: 403, Code: "42501", Message: "permission denied for table service_health_checks"}, "permission", "; migration 013 grants what is needed"},
		"a grant of USAGE":     {supabase.Error{Table: checks, Status: 403, Code: "42501", Message: "permission denied for schema monitoring"}, "permission", "; migration 013 grants what is needed"},
		"a grant of EXECUTE":   {supabase.Error{Table: checks, Status: 403, Code: "42501", Message: "permission denied for function latest_service_health_checks"}, "permission", "; migration 015 grants what is needed"},
		"a grant on another's": {supabase.Error{Table: "orders", Status: 403, Code: "42501", Message: "permission denied for table orders"}, "permission", "orders"},
		"a class by its code":  {supabase.Error{Table: "orders", Status: 500, Code: "42703", Message: "m"}, "schema", "m"},
		"a long message":       {supabase.Error{Table: "alert_events", Status: 404, Code: "PGRST205", Message: strings.Repeat("x", 500)}, "schema", "…; migration 012 makes alert_events"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.e.Op = "select"
			requireClass(t, &test.e, test.class)
			require.True(t, strings.HasSuffix(test.e.Error(), test.ends), test.e.Error())
			require.NotContains(t, test.e.Error(), "\n")
		})
	}
}

func TestOnlyAServersWordsAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 100) + "end"
	for _, e := range []*supabase.Error{{Message: long, Err: supabase.ErrInvalid}, {Op: "insert", Status: 201, Message: long}} {
		require.Contains(t, e.Error(), long)
	}
	for _, status := range []int{302, 400, 503} {
		require.NotContains(t, (&supabase.Error{Status: status, Message: long}).Error(), "end")
	}
}
