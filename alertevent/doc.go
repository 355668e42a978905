// Package alertevent stores the alerts that were raised about services in the
// table alert_events of a Supabase project, finds them, acknowledges and resolves them.
//
// The zero [AlertEventModel] works with the project that the environment names
// (see [github.com/supavigil/supavigil/supabase.ConfigFromEnv]):
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
// An alert is active, then acknowledged, then resolved, or resolved at once; no
// operation moves it back. Each operation opens a client, which costs
// microseconds, so a changed environment is seen by the next one. For another
// project, or a test, set Connect to the ServiceClient method of a
// supabase.Config.
//
// # Errors
//
// Every error is a [*github.com/supavigil/supavigil/supabase.Error], with the
// classes of package supabase. Bad input is ErrInvalid before any I/O, and the
// error names every fault: the column, its limit and, where short, the value.
// FindRecentByService returns nil and no error where there is no alert;
// Acknowledge and Resolve return ErrNotFound for an unknown id. A row that was not
// asked for, which a server that ignores a filter may send, is an error.
//
// # Retries
//
// Every operation may be repeated safely, and is, as package supabase says:
// Create's row carries its id, and Acknowledge and Resolve change only what has
// not come as far yet.
//
// # Logging
//
// One zerolog event per operation goes to the logger in the context
// ([github.com/rs/zerolog.Ctx]): info for writes, debug for reads, error for
// failures. It has table, service_name or id, status, code, attempts, duration
// (in milliseconds, unless zerolog is told otherwise) and rows, never the
// alert's details or the key. Without a logger there is silence.
//
// # Clocks
//
// acknowledged_at, resolved_at, and the cutoffs of FindRecentByService and
// DeleteOlderThan are by this machine's clock; created_at is by the database's.
package alertevent
