// Package operation holds what an operation of either model is made of: one
// client, requests that may be repeated, decoded rows and one log event.
package operation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/supavigil/supavigil/supabase"
)

// What an operation does to its table; also the Op of its errors.
const (
	Insert = "insert"
	Select = "select"
	Update = "update"
	Delete = "delete"
)

// Operation is one call of a model's method. It belongs to one goroutine.
type Operation struct {
	op, table      string
	subject, value string // what the log names: service_name or id
	began          time.Time
	status         int
	requests       int // those that were tried
	attempts       int // all tries of all requests
	rows           int64
	size           size // of pages
}

// maxLogged is more bytes than a valid service_name or id has.
const maxLogged = 400

// Begin starts the clock of an operation. subject is the column by which the
// log names what it is about, and value its value; "" names nothing.
func Begin(op, table, subject, value string) *Operation {
	return &Operation{op: op, table: table, subject: subject, value: value, began: time.Now()}
}

// Run opens the operation's one client, unless there are problems with its
// arguments, does what is to be done, and logs how it went. A nil connect means
// supabase.ServiceClient.
func Run[T any](ctx context.Context, o *Operation, connect supabase.Connector, problems []string, do func(*supabase.Client) (T, error)) (T, error) {
	var result T
	if ctx == nil {
		return result, o.Fail("ctx must not be nil", supabase.ErrInvalid)
	}
	client, err := o.open(ctx, connect, problems)
	if err == nil {
		result, err = do(client)
	}
	o.log(ctx, err)
	return result, err
}

func (o *Operation) open(ctx context.Context, connect supabase.Connector, problems []string) (*supabase.Client, error) {
	if found := slices.DeleteFunc(problems, func(problem string) bool { return problem == "" }); len(found) > 0 {
		return nil, o.Fail(strings.Join(found, "; "), supabase.ErrInvalid)
	}
	if err := ctx.Err(); err != nil {
		return nil, o.Fail(err.Error(), err)
	}
	if connect == nil {
		connect = supabase.ServiceClient
	}
	client, err := connect()
	if err != nil {
		return nil, o.wrap(err, "the client cannot be opened")
	}
	if client == nil {
		return nil, o.Fail("Connect returned neither client nor error", supabase.ErrInvalid)
	}
	return client, nil
}

// wrap returns the *Error in err as one of this operation, whichever of its
// requests it came from, or one around err.
func (o *Operation) wrap(err error, message string) *supabase.Error {
	inner, ok := errors.AsType[*supabase.Error](err)
	if !ok {
		return o.Fail(message, err)
	}
	e := *inner
	e.Op, e.Table, e.Attempts = o.op, o.table, o.attempts
	e.Uncertain = e.Uncertain && o.op != Select // a function that reads
	return &e
}

// Fail is an error of the operation after its last answer.
func (o *Operation) Fail(message string, err error) *supabase.Error {
	return &supabase.Error{Op: o.op, Table: o.table, Status: o.status, Attempts: o.attempts, Message: message, Err: err}
}

// log writes the operation's one event to the logger in ctx: an error where it
// failed, debug for reads, info for writes. The row's data stays out of it.
func (o *Operation) log(ctx context.Context, err error) {
	logger := zerolog.Ctx(ctx)
	var event *zerolog.Event
	switch {
	case err != nil:
		event = logger.Error()
	case o.op == Select:
		event = logger.Debug()
	default:
		event = logger.Info()
	}
	if event == nil {
		return
	}
	event = event.Str("table", o.table)
	if o.value != "" {
		event = event.Str(o.subject, o.value[:min(len(o.value), maxLogged)])
	}
	status := o.status
	if e, ok := errors.AsType[*supabase.Error](err); ok {
		status = e.Status
		if e.Code != "" {
			event = event.Str("code", e.Code)
		}
	}
	event = event.Int("status", status).Int("requests", o.requests).Int("retries", o.attempts-o.requests).
		Float64("duration_ms", float64(time.Since(o.began).Microseconds())/1000)
	if err != nil {
		event = event.Str("error", err.Error())
	}
	if err == nil || o.rows > 0 {
		event = event.Int64("rows", o.rows)
	}
	event.Msg(o.op)
}
