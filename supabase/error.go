package supabase

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The classes of failure, for errors.Is. An answer that cannot be used has none
// of them.
var (
	// ErrInvalid is what was refused before any I/O: configuration, arguments,
	// names. Nothing was sent.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound is PGRST116 with 0 rows: one row was asked for and there is
	// none.
	ErrNotFound = errors.New("not found")
	// ErrConflict is status 409: a unique (23505) or foreign key (23503)
	// constraint.
	ErrConflict = errors.New("conflict")
	// ErrPermission is status 401 or 403: the key or its grants.
	ErrPermission = errors.New("permission denied")
	// ErrSchema means that a table, column, function or schema is not there, or
	// not exposed: PGRST106, PGRST202, PGRST204, PGRST205, 42P01, 42703, 42883,
	// 3F000. The error's text names the migration that makes what is missing.
	ErrSchema = errors.New("schema")
	// ErrUnavailable means that a request was tried and no answer came, or that
	// the answer was 429 or 500 and above.
	ErrUnavailable = errors.New("unavailable")
)

// Error is every failure of an operation, found with errors.As. Its class is
// found with errors.Is and the sentinels of this package. context.Canceled and
// context.DeadlineExceeded are found only when the caller's context is why it
// failed; the time limit of an attempt is ErrUnavailable.
type Error struct {
	// Op is insert, select, update, delete or rpc; "" for configuration.
	Op string
	// Table is the table or, for rpc, the function.
	Table string
	// Status is the HTTP status; 0 when no answer came.
	Status int
	// Code is PostgREST's (PGRST116) or PostgreSQL's (23505, an SQLSTATE); ""
	// when the answer was not PostgREST's.
	// See https://docs.postgrest.org/en/stable/references/errors.html.
	Code string
	// Message says what went wrong: PostgREST's words where it answered, ours
	// otherwise.
	Message string
	// Details and Hint are PostgREST's. Details can hold the row's data.
	Details string
	Hint    string
	// Attempts is how often a request was tried: for an operation of several, all
	// of them together, the requests and retries of its log. (net/http may send a GET again by itself, on a connection
	// that the server had closed.)
	Attempts int
	// Uncertain says that a write may have been carried out all the same: an
	// attempt whose answer was lost may have done it, and what is in the table
	// could not be found out.
	Uncertain bool
	// Err is the cause below, if any.
	Err error
}

const maxMessage = 200 // bytes of a message in Error()

// Error is one line of op, table, status, code and message, and what to do about
// a missing schema or grant. Of a server's message it has 200 bytes; Message has
// all of it, up to 64 KiB. It never holds details, hint, URL, query, headers, body or key.
func (e *Error) Error() string {
	var line strings.Builder
	line.WriteString("supabase: ")
	if e.Op != "" {
		line.WriteString(cut(oneLine(e.Op+" "+e.Table), maxMessage))
		line.WriteString(": ")
	}
	if e.Status != 0 {
		line.WriteString(strconv.Itoa(e.Status))
		if e.Code != "" {
			line.WriteString(" " + oneLine(e.Code))
		}
		line.WriteString(": ")
	}
	message := e.Message
	if message == "" && e.Err != nil {
		message = "no further description"
	}
	message = oneLine(message)
	if e.Status >= http.StatusMultipleChoices { // the server's words
		message = cut(message, maxMessage)
	}
	line.WriteString(message)
	line.WriteString(e.remedy())
	return line.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether the answer is of the class target: it has one at most, and its
// code counts before its status. The classes that no answer has, ErrInvalid and an
// ErrUnavailable without status, are in Err.
func (e *Error) Is(target error) bool {
	class := e.class()
	return class != nil && class == target //nolint:errorlint // classes are compared as what they are
}

func (e *Error) class() error {
	switch {
	case errors.Is(e.Err, errTooLarge):
		return nil
	case e.Code == "PGRST116" && rows(e.Details) == 0:
		return ErrNotFound
	case slices.Contains(schemaCodes, e.Code):
		return ErrSchema
	case e.Status == http.StatusConflict:
		return ErrConflict
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return ErrPermission
	case e.Status == http.StatusTooManyRequests, e.Status >= http.StatusInternalServerError:
		return ErrUnavailable
	default:
		return nil
	}
}

var rowCount = regexp.MustCompile(`contains? (\d+) rows?`)

// rows reads N from the details of PGRST116, "The result contains N rows" or,
// up to PostgREST 12, "Results contain N rows, …"; -1 when it is not there.
func rows(details string) int {
	match := rowCount.FindStringSubmatch(details)
	if match == nil {
		return -1
	}
	n, err := strconv.Atoi(match[1])
	if err != nil {
		return -1
	}
	return n
}

// oneLine keeps what came from a server from breaking, or painting, a log.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

func cut(text string, most int) string {
	const ellipsis = "…"
	if len(text) <= most {
		return text
	}
	end := most - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

// refused is the error of what is refused before any I/O.
func refused(op, table, message string) *Error {
	return &Error{Op: op, Table: table, Message: message, Err: ErrInvalid}
}
