package main

// queries are the models', as PostgREST makes them of a request: what it adds
// around them does not change the plan.
var queries = []struct{ name, sql string }{
	{"latest of a service", `SELECT * FROM service_health_checks
		WHERE service_name = 'service-7' AND checked_at IS NOT NULL ORDER BY checked_at DESC NULLS LAST, id DESC NULLS LAST LIMIT 1`},
	{"list, 100", `SELECT * FROM service_health_checks
		WHERE created_at IS NOT NULL ORDER BY created_at DESC NULLS FIRST, id DESC NULLS FIRST LIMIT 100`},
	{"list, a page in the middle", `SELECT * FROM service_health_checks
		WHERE created_at <= now() - interval '150 days' AND (created_at < now() - interval '150 days' OR id < 'ffffffff-ffff-ffff-ffff-ffffffffffff')
		ORDER BY created_at DESC NULLS FIRST, id DESC NULLS FIRST LIMIT 1000`},
	{"list of a service, 100", `SELECT * FROM service_health_checks
		WHERE service_name = 'service-7' AND created_at IS NOT NULL ORDER BY created_at DESC NULLS LAST, id DESC NULLS LAST LIMIT 100`},
	{"list of a service, a page in the middle", `SELECT * FROM service_health_checks
		WHERE service_name = 'service-7' AND created_at <= now() - interval '150 days' AND (created_at < now() - interval '150 days' OR id < 'ffffffff-ffff-ffff-ffff-ffffffffffff')
		ORDER BY created_at DESC NULLS LAST, id DESC NULLS LAST LIMIT 1000`},
	{"list of a service, its last page", `SELECT * FROM service_health_checks
		WHERE service_name = 'service-7' AND created_at <= now() - interval '299 days' AND (created_at < now() - interval '299 days' OR id < 'ffffffff-ffff-ffff-ffff-ffffffffffff')
		ORDER BY created_at DESC NULLS LAST, id DESC NULLS LAST LIMIT 1000`},
	{"active alerts", `SELECT * FROM alert_events
		WHERE status = 'active' AND created_at IS NOT NULL ORDER BY created_at DESC NULLS LAST, id DESC NULLS LAST LIMIT 1000`},
	{"active alerts of a service", `SELECT * FROM alert_events
		WHERE status = 'active' AND service_name = 'service-7' AND created_at IS NOT NULL ORDER BY created_at DESC NULLS LAST, id DESC NULLS LAST LIMIT 1000`},
	{"recent alert of a service and type", `SELECT * FROM alert_events
		WHERE service_name = 'service-7' AND alert_type = 'recovery' AND created_at >= now() - interval '7 days'
		ORDER BY created_at DESC NULLS LAST, id DESC NULLS LAST LIMIT 1`},
	{"retention of a day", `DELETE FROM service_health_checks WHERE created_at < now() - interval '299 days'`},
}
