package supabase

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// newTransport builds what lies below postgrest-go: the guard, the retries with the
// headers that all of them have, and the attempts, in the order in which a request
// passes them.
//
// It departs from the contract of http.RoundTripper on purpose: an answer with
// a status of 300 or more comes back as an *Error, never as a response. That
// keeps postgrest-go from following redirects with the key, from panicking on
// an error body of null, and from losing the status of a body that is not
// PostgREST's.
func newTransport(s settings) http.RoundTripper {
	// The key lives in closures: no printing of a Client reaches it.
	key := string(s.Key)
	var pool *hostPool
	if s.Transport == nil {
		pool = pools.of(s.rest)
	}
	return guard{
		rest: s.rest,
		next: retry{
			maxAttempts: s.MaxAttempts,
			rest:        s.rest,
			headers:     headersOf(key),
			attempt: attempt{
				transport: s.Transport,
				pool:      pool,
				timeout:   s.Timeout,
				maxBody:   maxBody,
				hideKey:   redactor(key),
			},
		},
	}
}

// guard lets nothing pass that is not below the URL of PostgREST, so that the
// key goes nowhere else.
type guard struct {
	rest *url.URL
	next retry
}

func (g guard) RoundTrip(request *http.Request) (*http.Response, error) {
	to := request.URL
	below, inside := strings.CutPrefix(to.EscapedPath(), g.rest.EscapedPath())
	inside = inside && strings.HasPrefix(below, "/") &&
		to.Scheme == g.rest.Scheme && to.Host == g.rest.Host && to.User == nil &&
		(request.Host == "" || request.Host == g.rest.Host)
	if !inside {
		closeBody(request)
		op, name := targetOf(g.rest, request)
		return nil, refused(op, name, "the request leaves the URL of PostgREST that the client was opened for")
	}
	return g.next.RoundTrip(request)
}

// agent is the value of two headers of every request; nothing changes it.
var agent = []string{"supavigil/" + Version}

// headersOf returns what makes a request's headers, the same for all attempts: one
// Accept, where postgrest-go's Single sends two; a User-Agent of our own, since the
// gateway refuses secret keys from browsers; and the key's.
func headersOf(key string) func(*http.Request) http.Header {
	apikey, bearer := []string{key}, bearerOf(key)
	return func(request *http.Request) http.Header {
		header := make(http.Header, 8)    // nearly always enough
		maps.Copy(header, request.Header) // the values are shared: nothing below changes them
		if accept := header["Accept"]; len(accept) > 1 {
			header["Accept"] = accept[:1:1]
		}
		header["User-Agent"], header["X-Client-Info"], header["Apikey"] = agent, agent, apikey
		if bearer != nil {
			header["Authorization"] = bearer
		}
		return header
	}
}

// refuse stands in for the chain where nothing may be sent.
type refuse struct{ name, problem string }

func (r refuse) RoundTrip(request *http.Request) (*http.Response, error) {
	closeBody(request)
	return nil, refused(methodOp(request.Method), r.name, r.problem)
}

// closeBody does what http.RoundTripper asks of those that return early.
func closeBody(request *http.Request) {
	if request.Body != nil {
		_ = request.Body.Close()
	}
}

func targetOf(rest *url.URL, request *http.Request) (op, name string) {
	name = strings.TrimPrefix(strings.TrimPrefix(request.URL.Path, rest.Path), "/")
	if function, ok := strings.CutPrefix(name, "rpc/"); ok {
		return opRPC, function
	}
	return methodOp(request.Method), name
}

const opRPC = "rpc"

var opsOfMethods = map[string]string{http.MethodPost: "insert", http.MethodPatch: "update", http.MethodDelete: "delete"}

func methodOp(method string) string { return cmp.Or(opsOfMethods[method], "select") }
