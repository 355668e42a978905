package supabase

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/supavigil/supavigil/internal/backoff"
	"github.com/supavigil/supavigil/internal/trace"
)

// maxRetryAfter is how much of what a server asks for is waited.
const maxRetryAfter = 30 * time.Second

// failure is an attempt that brought no usable answer.
type failure struct {
	*Error
	retryAfter time.Duration // what the server asked for; 0 when it did not
	neverRan   bool          // there was no connection to send it on
	final      bool          // trying again cannot help, or must not be
	tooMuch    bool          // the answer was too large, or its time ended while it came
	slow       bool          // no answer came in time, or it broke off: perhaps for its size
}

// retry tries a request until it is answered, until trying again would not be
// safe or could not help, or until the attempts or the caller's time are used.
type retry struct {
	maxAttempts int
	rest        *url.URL
	headers     func(*http.Request) http.Header
	attempt     attempt
}

func (r retry) RoundTrip(request *http.Request) (*http.Response, error) {
	defer closeBody(request)
	ctx := request.Context()
	t := trace.FromContext(ctx)
	heard := t != nil
	if !heard {
		t = &trace.Trace{}
	}
	if err := ctx.Err(); err != nil {
		op, name := targetOf(r.rest, request)
		return nil, &Error{Op: op, Table: name, Message: err.Error(), Err: err}
	}
	reads := request.Method == http.MethodGet || request.Method == http.MethodHead
	header := r.headers(request)
	for {
		t.Attempts++
		response, body, failed := r.attempt.do(request, header, t)
		if failed == nil {
			t.Status, t.LastUncertain = response.StatusCode, false
			t.Count, t.Counted = count(response.Header)
			if heard {
				t.Body, body = body, nil
			}
			response.Body, response.ContentLength = http.NoBody, int64(len(body))
			if len(body) > 0 {
				response.Body = io.NopCloser(bytes.NewReader(body))
			}
			return response, nil
		}
		failed.Op, failed.Table = targetOf(r.rest, request)
		failed.Attempts = t.Attempts
		t.Status = failed.Status
		t.LastUncertain = failed.mayHaveRun()
		failed.Uncertain = (t.EarlierUncertain || t.LastUncertain) && !reads
		if t.TooMuch = t.Divisible && failed.tooMuch; t.TooMuch {
			return nil, failed.Error
		}
		last := t.Spent+t.Attempts >= r.maxAttempts || request.Body != nil && request.GetBody == nil
		if last || !failed.mayRepeat(reads || t.Repeatable) {
			return nil, failed.Error
		}
		t.EarlierUncertain = t.EarlierUncertain || t.LastUncertain
		if !pause(ctx, max(backoff.Wait(t.Spent+t.Attempts), min(failed.retryAfter, maxRetryAfter))) {
			return nil, interrupted(ctx, failed.Error)
		}
		if t.TooMuch = t.Divisible && failed.slow; t.TooMuch {
			return nil, failed.Error
		}
	}
}

// mayRepeat says whether another try is safe and can help. What never ran may
// always be tried again; what may have run, only if its effect is the same.
func (f *failure) mayRepeat(repeatable bool) bool {
	switch {
	case f.final:
		return false
	case f.didNotRun():
		return true
	case !repeatable:
		return false
	case f.Status == 0, f.Status == http.StatusRequestTimeout, f.Status == http.StatusTooManyRequests:
		return true
	case f.Status < http.StatusInternalServerError, f.Status == http.StatusNotImplemented:
		return false
	case f.rolledBack():
		return true
	case f.Code == "57014", f.Code == "SUP" && strings.Contains(f.Message, "statement timeout"): // the next try would take as long; SUP is @supabase/lite's
		return false
	default:
		// A 500 with an SQLSTATE is the statement's own fault.
		return f.Status != http.StatusInternalServerError || !isSQLState(f.Code)
	}
}

// didNotRun is what PostgREST, or the dialler, answers before a statement is
// sent to PostgreSQL. See
// https://docs.postgrest.org/en/stable/references/errors.html.
func (f *failure) didNotRun() bool {
	switch f.Code {
	case "PGRST000", "PGRST002", "PGRST003": // no connection, no schema cache, no place in the pool
		return true
	case "PGRST303": // the clocks of who signed the key and who reads it differ
		return strings.Contains(f.Message, "issued at future")
	default:
		return f.neverRan
	}
}

// rolledBack is contention: serialization failure, deadlock, lock not
// available, too many connections.
func (f *failure) rolledBack() bool {
	return slices.Contains([]string{"40001", "40P01", "55P03", "53300"}, f.Code)
}

// mayHaveRun says that the database may have changed, though the attempt failed.
// An answer with an SQLSTATE is one of a statement that was rolled back, unless
// PostgreSQL went away meanwhile
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func (f *failure) mayHaveRun() bool {
	switch {
	case f.didNotRun(), f.rolledBack():
		return false
	case f.Status < http.StatusMultipleChoices, f.Status == http.StatusSeeOther, f.Status == http.StatusRequestTimeout:
		return true
	case f.Status < http.StatusInternalServerError, f.Status == http.StatusNotImplemented:
		return false
	case f.Status == 521, f.Status == 523, f.Status == 525, f.Status == 526:
		return false // Cloudflare had no connection to the server: https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
	default:
		return !isSQLState(f.Code) || strings.HasPrefix(f.Code, "08") || strings.HasPrefix(f.Code, "57P") || f.Code == "40003"
	}
}

// isSQLState tells PostgreSQL's five characters from PGRST116 and the like.
func isSQLState(code string) bool { return len(code) == 5 }

// retryAfter reads a Retry-After, in seconds or as a date
// (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after); 0 when there is
// none, or nothing that can be read.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// pause waits, unless ctx ends first or would: it says whether it waited.
func pause(ctx context.Context, wait time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// interrupted is the last failure where the caller's context did not allow
// another try; the context's error joins it if the context is over.
func interrupted(ctx context.Context, last *Error) *Error {
	ended := ctx.Err()
	if ended == nil {
		return last
	}
	both := *last
	both.Err = ended
	if last.Err != nil {
		both.Err = fmt.Errorf("%w while waiting after: %w", ended, last.Err)
	}
	return &both
}
