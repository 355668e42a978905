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

// The classes of failure, for errors.Is.
var (
	// ErrInvalid: refused before any I/O, configuration or arguments. Fix the call.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound: one row was asked for and there is none (PGRST116).
	ErrNotFound = errors.New("not found")
	// ErrConflict: status 409, a unique or foreign key constraint.
	ErrConflict = errors.New("conflict")
	// ErrPermission: status 401 or 403, the key or its grants.
	ErrPermission = errors.New("permission denied")
	// ErrSchema: a table, column, function or schema does not exist or is not
	// exposed. The text names the migration that creates it.
	ErrSchema = errors.New("schema")
	// ErrUnavailable: no answer came, or 429, or 500 and above. Retry later.
	ErrUnavailable = errors.New("unavailable")
)

// Error is every failure of an operation.
type Error struct {
	Op     string // insert, select, update, delete or rpc; "" for configuration
	Table  string // the table or, for rpc, the function
	Status int    // the HTTP status; 0 when no answer came
	// Code is PostgREST's (PGRST116) or PostgreSQL's (an SQLSTATE, 23505), "" when
	// neither answered: https://docs.postgrest.org/en/stable/references/errors.html
	Code      string
	Message   string // PostgREST's, up to 64 KiB, or this library's
	Details   string // PostgREST's; can hold row data, so log it knowingly
	Hint      string // PostgREST's
	Attempts  int    // of all requests of the operation together
	Uncertain bool   // a write may have been carried out: its answer was lost
	Err       error  // the cause, if any
}

const maxMessage = 200 // bytes of a message in Error()

// Error returns one line: op, table, status, code, message (200 bytes of a server's)
// and the migration that is missing. It never holds details, hint, URL, query,
// headers or body. No field holds the key, or a piece of 12 bytes of it.
func (e *Error) Error() string {
	line := "supabase: "
	if e.Op != "" {
		line += cut(oneLine(e.Op+" "+e.Table), maxMessage) + ": "
	}
	if e.Status != 0 {
		line += strconv.Itoa(e.Status)
		if e.Code != "" {
			line += " " + oneLine(e.Code)
		}
		line += ": "
	}
	message := e.Message
	if message == "" && e.Err != nil {
		message = "no further description"
	}
	message = oneLine(message)
	if e.Status >= http.StatusMultipleChoices { // the server's words
		message = cut(message, maxMessage)
	}
	return line + message + e.remedy()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the answer's class. Without one the class is in Err.
func (e *Error) Is(target error) bool {
	class := e.class()
	return class != nil && class == target
}

func (e *Error) class() error {
	switch {
	case errors.Is(e.Err, errTooLarge):
		return nil
	case e.Code == "PGRST116" && noRows.MatchString(e.Details):
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

// noRows finds the 0 in the details of PGRST116, "The result contains 0 rows" or, up
// to PostgREST 12, "Results contain 0 rows, …".
var noRows = regexp.MustCompile(`contains? 0+ rows?`)

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
