// Package operation holds what an operation of either model is made of: one
// client, requests that may be repeated, decoded rows and one log event.
package operation

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/rs/zerolog"
	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/trace"
	"github.com/supavigil/supavigil/supabase"
)

// What an operation does to its table; also the Op of its errors.
const (
	Insert = "insert"
	Select = "select"
	Update = "update"
	Delete = "delete"
)

// Table is what operations have to know of a table and its rows.
type Table[R any] struct {
	Name    string
	Columns rowjson.Columns[R]
}

// text is the value of a text column, or of id.
func (t Table[R]) text(row *R, column string) string {
	text, _ := t.Columns(row, column).(*string)
	return *text
}

// time is the value of a column of times, zero for NULL.
func (t Table[R]) time(row *R, column string) time.Time {
	at, _ := t.Columns(row, column).(*time.Time)
	return *at
}

// Operation is one call of a model's method. It begins with Begin, is opened with
// Open, makes any number of requests, and ends with End. It belongs to one goroutine.
type Operation[R any] struct {
	op    string
	table Table[R]
	about Filter
	began time.Time

	client *supabase.Client // since Open

	heard    trace.Heard // of the last request
	requests int         // those that were tried
	attempts int         // all tries of all requests
	rows     int64
	size     size // of pages
}

// maxLogged is more bytes than a valid service_name or id has.
const maxLogged = 400

// Begin starts the clock of an operation. about is what the log names; the zero
// Filter names nothing.
func (t Table[R]) Begin(op string, about Filter) *Operation[R] {
	return &Operation[R]{op: op, table: t, about: about, began: time.Now()}
}

// Open opens the operation's one client, unless its arguments are invalid; then the
// error, ErrInvalid, names each of their faults. A nil connect means
// supabase.ServiceClient.
func (o *Operation[R]) Open(ctx context.Context, connect supabase.Connector, faults ...error) error {
	if ctx == nil {
		return o.Fail("ctx must not be nil", supabase.ErrInvalid)
	}
	if invalid := errors.Join(faults...); invalid != nil {
		return o.Fail(strings.ReplaceAll(invalid.Error(), "\n", "; "), supabase.ErrInvalid)
	}
	if err := ctx.Err(); err != nil {
		return o.Fail(err.Error(), err)
	}
	if connect == nil {
		connect = supabase.ServiceClient
	}
	client, err := connect()
	if err != nil {
		return o.wrap(err, "the client cannot be opened")
	}
	if client == nil {
		return o.Fail("Connect returned neither client nor error", supabase.ErrInvalid)
	}
	if reflect.ValueOf(client).Elem().IsZero() {
		return o.Fail("Connect returned a client that was not opened: get one from ServiceClient", supabase.ErrInvalid)
	}
	o.client = client
	return nil
}

// From starts a query on the operation's table.
func (o *Operation[R]) From() *postgrest.QueryBuilder { return o.client.From(o.table.Name) }

// wrap returns the *Error in err as one of this operation, whichever of its
// requests it came from, or one around err.
func (o *Operation[R]) wrap(err error, message string) *supabase.Error {
	inner, ok := errors.AsType[*supabase.Error](err)
	if !ok {
		return o.Fail(message, err)
	}
	e := *inner
	e.Op, e.Table, e.Attempts = o.op, o.table.Name, o.attempts
	e.Uncertain = e.Uncertain && o.op != Select // a function that reads
	return &e
}

// Fail is an error of the operation after its last answer.
func (o *Operation[R]) Fail(message string, err error) *supabase.Error {
	return &supabase.Error{Op: o.op, Table: o.table.Name, Status: o.heard.Status, Attempts: o.attempts, Message: message, Err: err}
}

// End writes the operation's one event to the logger in ctx: an error where it
// failed with *err, debug for reads, info for writes. The row's data stays out of
// it. It is to be deferred at the beginning.
func (o *Operation[R]) End(ctx context.Context, err *error) {
	if ctx == nil {
		return
	}
	logger := zerolog.Ctx(ctx)
	var event *zerolog.Event
	switch {
	case *err != nil:
		event = logger.Error()
	case o.op == Select:
		event = logger.Debug()
	default:
		event = logger.Info()
	}
	if event == nil {
		return
	}
	event = event.Str("table", o.table.Name)
	if value := o.about.Value; value != "" {
		event = event.Str(o.about.Column, value[:min(len(value), maxLogged)])
	}
	status := o.heard.Status
	if e, ok := errors.AsType[*supabase.Error](*err); ok {
		status = e.Status
		if e.Code != "" {
			event = event.Str("code", e.Code)
		}
	}
	event = event.Int("status", status).Int("requests", o.requests).Int("retries", o.attempts-o.requests).
		Float64("duration_ms", float64(time.Since(o.began).Microseconds())/1000)
	if *err != nil {
		event = event.Str("error", (*err).Error())
	}
	if *err == nil || o.rows > 0 {
		event = event.Int64("rows", o.rows)
	}
	event.Msg(o.op)
}
