package supabasetest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/supavigil/supavigil/supabase"
)

// failure is an answer that refuses: an error of PostgREST or PostgreSQL, or
// what the double does not do.
type failure struct {
	status    int
	code      string
	message   string
	details   string // "": null
	hint      string // "": null
	challenge string // WWW-Authenticate, where there is one
}

func (f *failure) Error() string { return f.code + ": " + f.message }

// codeUnsupported stands where PostgREST's code would: no client takes it for one.
const codeUnsupported = "SUPABASETEST"

func unsupported(format string, args ...any) *failure {
	return &failure{
		status:  http.StatusNotImplemented,
		code:    codeUnsupported,
		message: "supabasetest does not support " + fmt.Sprintf(format, args...),
	}
}

func badRequest(code, format string, args ...any) *failure {
	return &failure{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...)}
}

// withDetails returns f for use in a return statement.
func (f *failure) withDetails(format string, args ...any) *failure {
	f.details = fmt.Sprintf(format, args...)
	return f
}

func notOneRow(rows int) *failure {
	f := &failure{
		status:  http.StatusNotAcceptable,
		code:    "PGRST116",
		message: "Cannot coerce the result to a single JSON object",
	}
	return f.withDetails("The result contains %d rows", rows)
}

func tooManyAffected(rows int) *failure {
	return badRequest("PGRST124", "Query result exceeds max-affected preference constraint").
		withDetails("The query affects %d rows", rows)
}

func unknownTable(name string) *failure {
	return &failure{
		status:  http.StatusNotFound,
		code:    "PGRST205",
		message: fmt.Sprintf("Could not find the table 'public.%s' in the schema cache", name),
	}
}

// unknownColumn is PostgreSQL's error, for columns in a query.
func unknownColumn(table, column string) *failure {
	return badRequest("42703", "column %s.%s does not exist", table, column)
}

// unknownKey is PostgREST's error, for columns in a payload.
func unknownKey(table, column string) *failure {
	return badRequest("PGRST204", "Could not find the '%s' column of '%s' in the schema cache", column, table)
}

// public returns the error that users see.
func (f *failure) public(table string) *supabase.Error {
	return &supabase.Error{
		Op: "insert", Table: table, Status: f.status,
		Code: f.code, Message: f.message, Details: f.details, Hint: f.hint,
	}
}

// raised makes a failure of the error that a function of the user's returns.
func raised(e *supabase.Error) *failure {
	f := &failure{status: e.Status, code: e.Code, message: e.Message, details: e.Details, hint: e.Hint}
	if f.status == 0 {
		f.status = statusOf(e.Code)
	}
	if f.status < http.StatusMultipleChoices || f.status > 999 {
		return unsupported("an error with the code %q and the status %d", e.Code, e.Status)
	}
	if f.status == http.StatusUnauthorized {
		f.challenge = "Bearer"
	}
	return f
}

// statuses are what PostgREST makes of SQLSTATEs, the longest prefix first:
// https://docs.postgrest.org/en/stable/references/errors.html#http-status-codes.
// All others are 400.
var statuses = []struct {
	prefix string
	status int
}{
	{"23503", 409},
	{"23505", 409},
	{"25006", 405},
	{"53400", 500},
	{"57P01", 503},
	{"P0001", 400},
	{"42883", 404},
	{"42P01", 404},
	{"42P17", 500},
	{"42501", 403},
	{"21000", 500},
	{"08", 503},
	{"09", 500},
	{"0L", 403},
	{"0P", 403},
	{"25", 500},
	{"28", 403},
	{"2D", 500},
	{"38", 500},
	{"39", 500},
	{"3B", 500},
	{"40", 500},
	{"53", 503},
	{"54", 500},
	{"55", 500},
	{"57", 500},
	{"58", 500},
	{"F0", 500},
	{"HV", 500},
	{"P0", 500},
	{"XX", 500},
}

// statusOf returns the HTTP status of an SQLSTATE; PT and three digits is that
// of the digits. Of what is no SQLSTATE, such as PGRST116, it is 0: unknown.
func statusOf(code string) int {
	if len(code) != len("42501") {
		return 0
	}
	if digits, ok := strings.CutPrefix(code, "PT"); ok {
		status, err := strconv.Atoi(digits)
		if err != nil {
			return http.StatusInternalServerError
		}
		return status
	}
	for _, s := range statuses {
		if strings.HasPrefix(code, s.prefix) {
			return s.status
		}
	}
	return http.StatusBadRequest
}

// answer makes the HTTP answer of a failure.
func (f *failure) answer() *answer {
	object := []byte(`{"code":`)
	object = appendJSONString(object, f.code)
	object = append(object, `,"details":`...)
	object = appendOrNull(object, f.details)
	object = append(object, `,"hint":`...)
	object = appendOrNull(object, f.hint)
	object = append(object, `,"message":`...)
	object = appendJSONString(object, f.message)
	a := &answer{status: f.status, header: http.Header{}, body: append(object, '}')}
	a.header.Set("Content-Type", mediaJSON)
	if f.code != codeUnsupported && f.code != "" {
		a.header.Set("Proxy-Status", "PostgREST; error="+f.code)
	}
	if f.challenge != "" {
		a.header.Set("WWW-Authenticate", f.challenge)
	}
	return a
}

func appendOrNull(object []byte, text string) []byte {
	if text == "" {
		return append(object, "null"...)
	}
	return appendJSONString(object, text)
}
