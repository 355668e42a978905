package supabasetest

import (
	"fmt"
	"net/http"
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
	if f.code != codeUnsupported {
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
