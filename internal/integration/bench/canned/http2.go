package canned

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// serve2 accepts connections that speak HTTP/2, with net/http.
func (s *server) serve2(listener net.Listener, certificate tls.Certificate) error {
	web := &http.Server{
		Handler:           http.HandlerFunc(s.answer2),
		ReadHeaderTimeout: time.Minute,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12},
	}
	return web.ServeTLS(listener, "", "")
}

func (s *server) answer2(w http.ResponseWriter, r *http.Request) {
	q := ask([]byte(r.Method), []byte(r.RequestURI))
	for _, value := range r.Header["Accept"] {
		q.accept([]byte(value))
	}
	for _, value := range r.Header["Prefer"] {
		q.prefer([]byte(value))
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	s.clock.wait(make(chan struct{}, 1))
	a := s.answers.to(q)
	header := w.Header()
	header["Content-Type"] = []string{a.contentType}
	header["Content-Range"] = []string{a.rows}
	header["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}
