// Package alertevent keeps the alerts that programs raise about services, what happened
// to each, and who was told, in the table alert_events of a Supabase project.
//
//	               Acknowledge
//	Raise ──► active ───────► acknowledged
//	           │ ▲ ◄─ reopen ─── │
//	   Resolve │ │ reopen        │ Resolve
//	           ▼ │               │
//	         resolved ◄──────────┘
//
// An alert is open until it is resolved. ResolveOpen resolves by service and key;
// Transition makes every step from one status to another, and alone reopens. Of any
// number of programs that raise, resolve or notify at once, the database lets one.
//
// Raise, ResolveOpen, Transition, History, ResponseTimes, the notifications and
// DeleteResolvedOlderThan need migration 016: their error is ErrSchema without it.
// They go by the database's clock. Where the last answer to one that changes something
// was lost, the error is Uncertain, and the same call with the same ID or RequestID
// finds out: within a day it says what the first one did. The error is ErrConflict
// where a RequestID was another call's.
//
// The zero [AlertEventModel] uses the project that the environment names (see
// [supabase.ConfigFromEnv]); for another, or a test, set Connect to the ServiceClient
// method of a [supabase.Config]. Errors, retries, logging and the other methods' clocks
// are as package [supabase] says.
package alertevent
