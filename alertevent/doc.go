// Package alertevent stores the alerts that were raised about services in the table
// alert_events of a Supabase project, finds, acknowledges and resolves them.
//
// The zero [AlertEventModel] uses the project that the environment names (see
// [supabase.ConfigFromEnv]):
//
//	var alerts alertevent.AlertEventModel
//	recent, err := alerts.FindRecentByService(ctx, "api", alertevent.AlertTypeServiceDown, 30)
//	if err == nil && recent == nil {
//		_, err = alerts.Create(ctx, alertevent.CreateAlertEventData{
//			ServiceName: "api",
//			AlertType:   alertevent.AlertTypeServiceDown,
//			Message:     new("no answer"),
//		})
//	}
//
// For another project, or a test, set Connect to the ServiceClient method of a
// [supabase.Config].
//
// Errors, retries, logging and clocks are as package [supabase] says.
package alertevent
