package supabasetest

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	restPath = "/rest/v1/"
	schema   = "public"
)

// call is a request that has been understood as far as its URL and headers go.
type call struct {
	method    string
	anonymous bool
	table     *table
	query     *query
	window    window
	prefer    preferences
	media     string
	profile   bool // a schema was asked for, so the answer names it
	body      []byte
	now       time.Time // CURRENT_TIMESTAMP
}

// ServeHTTP answers as the double itself, whatever the interceptors: an
// interceptor can carry a request out with it and then lose the answer,
//
//	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
//		server.ServeHTTP(httptest.NewRecorder(), r)
//		panic(http.ErrAbortHandler)
//	})
//
// It does so even when the interceptor has read the body. What it is called with
// is not among Requests.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := readBody(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	a, err := s.answer(r, data)
	if err != nil {
		refusal, ok := err.(*failure) //nolint:errorlint // nothing wraps one here
		if !ok {
			refusal = unsupported("this request: %v", err)
		}
		a = refusal.answer()
	}
	a.write(w, r.Method)
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	if recorded, ok := r.Body.(*body); ok {
		return recorded.data, nil
	}
	return io.ReadAll(r.Body)
}

func (s *Server) answer(r *http.Request, data []byte) (*answer, error) {
	c := &call{method: r.Method, body: data, now: time.Now()}
	var err error
	if c.anonymous, err = s.signer.anonymous(r.Header); err != nil {
		return nil, err
	}
	if c.profile, err = readProfile(r); err != nil {
		return nil, err
	}
	name, found := strings.CutPrefix(r.URL.Path, restPath)
	function, isFunction := strings.CutPrefix(name, "rpc/")
	if isFunction {
		name = function
	}
	if !found || name == "" || strings.Contains(name, "/") {
		return nil, unsupported("the path %s", r.URL.Path)
	}
	if c.prefer, err = readPreferences(r.Header); err != nil {
		return nil, err
	}
	if isFunction {
		return s.callFunction(c, name, r)
	}
	if c.query, err = readQuery(r.URL.RawQuery); err != nil {
		return nil, err
	}
	if c.window, err = readWindow(c.query, c.method, r.Header); err != nil {
		return nil, err
	}
	return s.carryOut(c, name, r.Header)
}

// carryOut checks what is left of a request in PostgREST's order: its body, the
// table and its columns, preferences, and the form of the answer.
func (s *Server) carryOut(c *call, name string, header http.Header) (*answer, error) {
	var p *payload
	var err error
	switch c.method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
	case http.MethodPost, http.MethodPatch:
		if err = checkContentType(header); err != nil {
			return nil, err
		}
		if p, err = readPayload(c); err != nil {
			return nil, err
		}
	default:
		return nil, unsupported("the method %s", c.method)
	}
	if slices.Contains(alertLogTables, name) {
		return nil, unsupported("the table %s", name)
	}
	if c.table = s.store.table(name); c.table == nil {
		return nil, unknownTable(name)
	}
	if p != nil {
		if err = p.lookUp(c.table); err != nil {
			return nil, err
		}
	}
	preferences := c.prefer.check()
	c.media, err = readAccept(header)
	if p == nil && c.method != http.MethodDelete { // a read looks at Accept first
		preferences = cmp.Or(err, preferences)
	}
	if err = cmp.Or(preferences, err); err != nil {
		return nil, err
	}
	switch c.method {
	case http.MethodPost:
		return s.store.insert(c, p)
	case http.MethodPatch:
		return s.store.update(c, p)
	case http.MethodDelete:
		return s.store.delete(c)
	default:
		return s.store.read(c)
	}
}

// readProfile checks the schema that a request asks for, and says whether it
// asks for one.
func readProfile(r *http.Request) (bool, error) {
	profile := r.Header.Get("Content-Profile")
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		profile = r.Header.Get("Accept-Profile")
	}
	if profile == "" || profile == schema {
		return profile != "", nil
	}
	return false, &failure{
		status:  http.StatusNotAcceptable,
		code:    "PGRST106",
		message: "Invalid schema: " + profile,
		hint:    "Only the following schemas are exposed: " + schema,
	}
}
