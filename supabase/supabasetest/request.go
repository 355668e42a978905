package supabasetest

import (
	"bytes"
	"net/http"
	"net/url"
)

// Request is one request as it came in.
type Request struct {
	Method string
	Path   string      // as sent, /rest/v1 included
	Query  url.Values  // decoded; what cannot be decoded is missing
	Header http.Header // the key included
	Body   []byte      // empty when there was none
}

// Requests returns copies of the requests that came in over the network or by
// [Server.Transport], in order, those that interceptors handled included.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, len(s.requests))
	for i, r := range s.requests {
		requests[i] = r.clone()
	}
	return requests
}

// record keeps a copy of a request, unless the server is down.
func (s *Server) record(r *http.Request, data []byte) bool {
	request := Request{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.Query(), Header: r.Header, Body: data}.clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down || s.closed {
		return false
	}
	s.requests = append(s.requests, request)
	return true
}

func (r Request) clone() Request {
	r.Query = url.Values(http.Header(r.Query).Clone())
	r.Header = r.Header.Clone()
	r.Body = bytes.Clone(r.Body)
	return r
}
