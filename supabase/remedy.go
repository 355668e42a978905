package supabase

import (
	"slices"
	"strings"
)

// schemaCodes are PostgREST's and PostgreSQL's for what is not there or not
// exposed. See https://docs.postgrest.org/en/stable/references/errors.html and
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
var schemaCodes = []string{
	"PGRST106",                         // the schema is not exposed
	"PGRST202", "PGRST204", "PGRST205", // no such function, column, table in the schema cache
	"42P01", "42703", "42883", "3F000", // no such table, column, function, schema
}

// made are the names that migrations make, a name before those that are part of it.
var made = []struct{ name, migration string }{
	{"service_states", "017"},
	{"rebuild_service_history", "017"},
	{"delete_service_history", "017"},
	{"service_history", "017"}, // its tables too
	{"raise_alert", "016"},
	{"resolve_open_alerts", "016"},
	{"transition_alert", "016"},
	{"alert_history", "016"},
	{"alert_response_times", "016"},
	{"claim_alert_notifications", "016"},
	{"confirm_alert_notification", "016"},
	{"delete_resolved_alerts", "016"},
	{"alert_transitions", "016"},
	{"alert_notifications", "016"},
	{"alert_requests", "016"},
	{"dedup_key", "016"},
	{"latest_service_health_checks", "015"},
	{"service_health_checks", "012"},
	{"alert_events", "012"},
}

// remedy is what ends an error's text: what to do about a schema that is not
// exposed, or the migration that makes what is missing, where it is one of this
// library's.
func (e *Error) remedy() string {
	if e.Code == "PGRST106" {
		return "; expose the schema: on Supabase in the API settings, Exposed schemas, else in PostgREST's db-schemas"
	}
	name, migration := e.subject()
	switch {
	case name == "":
		return ""
	case slices.Contains(schemaCodes, e.Code):
		return "; migration " + migration + " makes " + name
	case e.Code == "42501" && migration == "012":
		return "; migration 013 grants what is needed"
	case e.Code == "42501":
		return "; migration " + migration + " grants what is needed"
	default:
		return ""
	}
}

// subject returns what the error is about, and the migration that makes it: what
// the message names, which in a trigger can be another table, or else the
// operation's own.
func (e *Error) subject() (name, migration string) {
	for _, object := range made {
		if strings.Contains(e.Message, object.name) {
			return object.name, object.migration
		}
	}
	for _, object := range made {
		if object.name == e.Table && (e.Code == "42501" || strings.HasPrefix(e.Code, "PGRST") || !strings.Contains(e.Message, "does not exist")) {
			return object.name, object.migration
		}
	}
	return "", ""
}
