package supabase

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// maxBody is how much of an answer is read, after decompression.
const maxBody = 64 << 20

var (
	errTooLarge = errors.New("the answer is larger than 64 MiB")
	errNotFinal = errors.New("a status below 200")
)

// attempt sends a request once and reads the whole answer, within one time
// limit: a body that breaks off is an attempt that failed, and postgrest-go,
// which reads the body only after RoundTrip, gets one that cannot fail.
type attempt struct {
	transport http.RoundTripper
	timeout   time.Duration
	maxBody   int64
	hideKey   func(string) string
}

// do returns a response with a status below 300 and its body in memory, or why
// there is none.
func (a attempt) do(request *http.Request) (*http.Response, *failure) {
	ctx, cancel := context.WithTimeout(request.Context(), a.timeout)
	defer cancel()
	response, err := a.transport.RoundTrip(request.WithContext(ctx))
	if err == nil && response == nil {
		err = errors.New("the transport returned neither response nor error")
	}
	if err != nil {
		return nil, a.unanswered(ctx, request, err)
	}
	if response.Body == nil { // net/http's transports always set one, others forget
		response.Body = http.NoBody
	}
	defer func() { _ = response.Body.Close() }()
	// Not every body ends with its context: that of a 101 does not, nor need one
	// of Config.Transport's.
	defer context.AfterFunc(ctx, func() { _ = response.Body.Close() })()
	if response.StatusCode < http.StatusOK {
		return nil, &failure{final: true, Error: &Error{Status: response.StatusCode, Message: "not an answer to a request", Err: errNotFinal}}
	}
	body, err := a.readBody(response)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, &failure{final: true, Error: &Error{Status: response.StatusCode, Message: err.Error(), Err: err}}
	case err != nil:
		return nil, a.unanswered(ctx, request, &brokenOff{err: err})
	case response.StatusCode >= http.StatusMultipleChoices:
		return nil, a.refusal(response, body)
	}
	whole := *response
	whole.Header = settleCount(response.Header)
	whole.Body = io.NopCloser(bytes.NewReader(body))
	whole.ContentLength = int64(len(body))
	return &whole, nil
}

func (a attempt) readBody(response *http.Response) ([]byte, error) {
	var body bytes.Buffer
	// A length that the server promises is not worth more memory than this
	// before it is kept.
	if promised := response.ContentLength; promised > 0 && promised <= 1<<20 {
		body.Grow(int(promised) + bytes.MinRead)
	}
	n, err := body.ReadFrom(io.LimitReader(response.Body, a.maxBody+1))
	if n > a.maxBody {
		return nil, errTooLarge
	}
	return body.Bytes(), err
}

// refusal reads the error that a server sent. A server, or what stands before
// it, can echo the request, so its words are searched for the key.
func (a attempt) refusal(response *http.Response, body []byte) *failure {
	e := readError(response.StatusCode, response.Header, body)
	e.Code, e.Message = a.hideKey(e.Code), a.hideKey(e.Message)
	e.Details, e.Hint = a.hideKey(e.Details), a.hideKey(e.Hint)
	return &failure{Error: e, retryAfter: retryAfter(response.Header, time.Now())}
}

// unanswered tells whether the caller's context, our time limit or the network
// is why no answer came.
func (a attempt) unanswered(limited context.Context, request *http.Request, err error) *failure {
	if ended := callerEnded(request.Context()); ended != nil {
		return &failure{final: true, Error: &Error{Message: ended.Error(), Err: ended}}
	}
	url := strings.NewReplacer(request.URL.String(), "…", request.URL.RequestURI(), "…")
	cause := newNoAnswer(err, a.hideKey, url)
	if limited.Err() != nil {
		cause = &noAnswer{text: "no answer within " + a.timeout.String()}
	}
	return &failure{
		Error:    &Error{Message: cause.text, Err: cause},
		neverRan: dialFailed(err),
		final:    certificateRefused(err),
	}
}

// callerEnded returns why the caller's context is over, or nil. A deadline that
// the network noticed before the context's own timer counts as well.
func callerEnded(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) && ctx.Err() == nil {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// settleCount drops a Content-Range that does not end in a plain total, such as
// */3: postgrest-go would fail on it, quoting it, or read 010 as 8.
func settleCount(header http.Header) http.Header {
	if counted(header) || header.Get("Content-Range") == "" {
		return header
	}
	settled := header.Clone()
	settled.Del("Content-Range")
	return settled
}

var total = regexp.MustCompile(`^[^/]*/(0|[1-9][0-9]{0,17})$`)

func counted(header http.Header) bool { return total.MatchString(header.Get("Content-Range")) }
