// Package healthcheck stores what probes saw in the table service_health_checks of a
// Supabase project, and finds it again.
//
// The zero [HealthCheckModel] uses the project that the environment names (see
// [supabase.ConfigFromEnv]):
//
//	var checks healthcheck.HealthCheckModel
//	check, err := checks.Create(ctx, healthcheck.CreateHealthCheckData{
//		ServiceName: "api",
//		Status:      healthcheck.StatusHealthy,
//		LatencyMS:   new(12),
//	})
//
// For another project, or a test, set Connect to the ServiceClient method of a
// [supabase.Config]. A [Recorder] stores checks in the background, in batches, and
// holds them during an outage.
//
// Errors, retries, logging and clocks are as package [supabase] says.
package healthcheck
