package supabase

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/supavigil/supavigil/internal/trace"
)

// maxBody is how much of an answer is read, after decompression.
const maxBody = 64 << 20

var (
	errTooLarge  = errors.New("the answer is larger than 64 MiB")
	errNotFinal  = errors.New("not an answer to a request")
	errElsewhere = errors.New("the answer came from another URL than was asked: Config.Transport must not follow redirects")
)

// attempt sends a request once and reads the whole answer, within one time
// limit: a body that breaks off is an attempt that failed, and postgrest-go,
// which would read the body only after RoundTrip, cannot meet one.
type attempt struct {
	transport http.RoundTripper // nil: the pool's
	pool      *hostPool
	timeout   time.Duration
	maxBody   int64
	hideKey   func(string) string
}

// do sends a request, with other headers than its own, the payload that was told, and
// the body that it has from its start. It returns an answer with a status below
// 300 and, apart, its body, or why there is none.
func (a attempt) do(request *http.Request, header http.Header, t *trace.Trace) (*http.Response, []byte, *failure) {
	transport := a.transport
	if transport == nil {
		transport = a.pool.current.Load()
	}
	// Below here are requests of others, such as a Transport's for a token.
	ctx, clock := startClock(trace.Hide(request.Context()), a.timeout, transport)
	defer clock.stop()
	limited := request.WithContext(ctx)
	limited.Header = header
	switch {
	case t.Payload != nil:
		// Of types that net/http knows: it would send the headers by themselves
		// before others.
		limited.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(t.Payload)), nil }
		limited.Body, _ = limited.GetBody()
		limited.ContentLength = int64(len(t.Payload))
	case t.Attempts > 1 && request.GetBody != nil:
		if body, err := request.GetBody(); err == nil { // net/http's own, over bytes, cannot fail
			limited.Body = body
		}
	}
	response, err := transport.RoundTrip(limited)
	if err == nil && response == nil {
		err = errors.New("the transport returned neither response nor error")
	}
	if err != nil {
		failed := a.unanswered(ctx, request, unheard, err, proxied(transport, limited, clock))
		failed.neverRan = clock.neverConnected() || neverSent(err)
		if !failed.neverRan && !errors.Is(failed.Err, context.Canceled) {
			a.dropIdle(transport)
		}
		return nil, nil, failed
	}
	if response.Body == nil { // net/http's transports always set one, others forget
		response.Body = http.NoBody
	}
	unread := response.Body
	defer func() { _ = unread.Close() }()
	if !sameRequest(response.Request, limited) {
		return nil, nil, fatal(0, errElsewhere)
	}
	if response.StatusCode < http.StatusOK { // such as 101, whose body has no end
		return nil, nil, fatal(response.StatusCode, errNotFinal)
	}
	if _, ends := transport.(*http.Transport); !ends {
		// A body of net/http ends with its context. Others need not.
		defer context.AfterFunc(ctx, func() { _ = unread.Close() })()
	}
	body, err := a.readBody(response)
	switch {
	case errors.Is(err, errTooLarge):
		failed := fatal(response.StatusCode, err)
		failed.tooMuch = true
		return nil, nil, failed
	case response.StatusCode >= http.StatusMultipleChoices: // though its body be cut
		return nil, nil, a.refusal(response, body, err)
	case err != nil:
		failed := a.unanswered(ctx, request, brokenOff, err, false)
		failed.tooMuch, failed.slow = failed.slow, true
		if !errors.Is(failed.Err, context.Canceled) {
			a.dropIdle(transport)
		}
		return nil, nil, failed
	}
	response.Header = plainCount(response.Header)
	return response, body, nil
}

// maxWords is how many bytes of each of a server's texts an Error keeps.
const maxWords = 64 << 10

// mostPromised is what a length that the server promises is worth in memory before
// it is kept.
const mostPromised = 1 << 20

func (a attempt) readBody(response *http.Response) ([]byte, error) {
	size := bytes.MinRead
	if promised := response.ContentLength; promised > 0 && promised <= mostPromised {
		size = int(promised) + 1 // one more, or the end would be met only after growing
	}
	body := make([]byte, 0, size)
	for {
		n, err := response.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > a.maxBody:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return body, err
		case len(body) == cap(body):
			body = append(body, 0)[:len(body)]
		}
	}
}

// refusal reads the error that a server sent. A server, or what stands before
// it, can echo the request, so its words are searched for the key.
func (a attempt) refusal(response *http.Response, body []byte, broken error) *failure {
	e := readError(response.StatusCode, response.Header, body)
	if broken != nil {
		e.Message = describeStatus(response.StatusCode) + ", and its body broke off"
	}
	for _, words := range []*string{&e.Code, &e.Message, &e.Details, &e.Hint} {
		*words = a.hideKey(cut(*words, maxWords))
	}
	return &failure{Error: e, retryAfter: retryAfter(response.Header, time.Now()), slow: gatewayTimedOut(e)}
}

// gatewayTimedOut knows the time limits of what stands before PostgREST, which itself
// says 504 only with a code: https://supabase.com/docs/guides/troubleshooting/http-status-codes.
func gatewayTimedOut(e *Error) bool {
	return e.Code == "" && (e.Status == http.StatusGatewayTimeout || e.Status == 524 || e.Status == 544)
}

// fatal is a failure that is not tried again.
func fatal(status int, err error) *failure {
	return &failure{final: true, Error: &Error{Status: status, Message: err.Error(), Err: err}}
}

// unanswered tells whether the caller's context, our time limit or the network
// is why no answer came.
func (a attempt) unanswered(limited context.Context, request *http.Request, happened string, err error, proxied bool) *failure {
	if ended := callerEnded(request.Context()); ended != nil {
		return fatal(0, ended)
	}
	url := strings.NewReplacer(request.URL.String(), "…", request.URL.RequestURI(), "…")
	cause := newNoAnswer(happened, err, proxied, a.hideKey, url)
	if limited.Err() != nil {
		cause = &noAnswer{text: "no answer within " + a.timeout.String()}
	}
	return &failure{Error: &Error{Message: cause.text, Err: cause}, final: certificateRefused(err), slow: limited.Err() != nil}
}

// dropIdle gives up idle connections after silence: those that died as well would
// cost an attempt each.
func (a attempt) dropIdle(silent http.RoundTripper) {
	if a.transport == nil {
		a.pool.abandon(silent.(*http.Transport))
	} else if idle, ok := silent.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
}

// sameRequest says whether answered is what was sent. A Transport may leave it out.
func sameRequest(answered, sent *http.Request) bool {
	if answered == nil || answered == sent {
		return true
	}
	return answered.Method == sent.Method && answered.URL != nil && (answered.URL == sent.URL || answered.URL.String() == sent.URL.String())
}

// callerEnded returns why the caller's context is over, or nil. A deadline that
// the network noticed before the context's own timer counts as well.
func callerEnded(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) && ctx.Err() == nil {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// plainCount drops a Content-Range that ends in neither * nor a plain total, such
// as */3: postgrest-go would fail on it, quoting it, or read 010 as 8.
func plainCount(header http.Header) http.Header {
	value := header.Get("Content-Range")
	if value == "" {
		return header
	}
	if _, total, ok := strings.Cut(value, "/"); ok && (total == "*" || isTotal(total)) {
		return header
	}
	plain := header.Clone()
	plain.Del("Content-Range")
	return plain
}

// count reads the total in a Content-Range, if there is one.
func count(header http.Header) (total int64, counted bool) {
	_, text, _ := strings.Cut(header.Get("Content-Range"), "/")
	if !isTotal(text) {
		return 0, false
	}
	total, err := strconv.ParseInt(text, 10, 64)
	return total, err == nil
}

// isTotal tells a count that an int64 holds: digits, and no 0 before others.
func isTotal(text string) bool {
	return len(text) > 0 && len(text) <= 18 && (text == "0" || text[0] != '0') &&
		!strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
}
