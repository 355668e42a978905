// Package canned is a server that answers as PostgREST would, half a
// millisecond after each request, with rows that it made when it started: so
// cheap that beside it the clients are what costs.
package canned

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"
)

// Addresses say where a server listens; all are URLs without a path, but for
// Control, which answers with Connections.
type Addresses struct {
	HTTP        string `json:"http"` // HTTP/1.1
	TLS1        string `json:"tls1"` // HTTP/1.1 over TLS
	TLS2        string `json:"tls2"` // HTTP/2 over TLS
	Control     string `json:"control"`
	Certificate string `json:"certificate"` // PEM, of both TLS listeners
}

// Connections are how many connections were accepted since the start.
type Connections struct {
	HTTP int64 `json:"http"`
	TLS1 int64 `json:"tls1"`
	TLS2 int64 `json:"tls2"`
}

type server struct {
	answers answers
	clock   clock
}

// Serve starts a server on free ports of loopback, writes its Addresses to out
// as one line of JSON, and serves until ctx ends. Connections are not waited
// for: they end with the process.
func Serve(ctx context.Context, out io.Writer) error {
	// One thread more than there are processors, as the clock's mostly sleeps.
	runtime.GOMAXPROCS(runtime.NumCPU() + 1)
	s := &server{answers: newAnswers(), clock: newClock()}
	certificate, trusted, err := newCertificate()
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	var listeners [4]*counting
	for i := range listeners {
		if listeners[i], err = listen(ctx); err != nil {
			return err
		}
		defer listeners[i].Close() //nolint:errcheck // the process ends
	}
	plain, tls1, tls2, control := listeners[0], listeners[1], listeners[2], listeners[3]
	failed := make(chan error, len(listeners))
	go func() { failed <- s.serve1(plain) }()
	go func() {
		failed <- s.serve1(tls.NewListener(tls1, &tls.Config{
			Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12,
		}))
	}()
	go func() { failed <- s.serve2(tls2, certificate) }()
	go func() {
		failed <- (&http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(Connections{HTTP: plain.accepted.Load(), TLS1: tls1.accepted.Load(), TLS2: tls2.accepted.Load()})
		})}).Serve(control)
	}()
	if err := json.NewEncoder(out).Encode(Addresses{
		HTTP: "http://" + plain.Addr().String(), TLS1: "https://" + tls1.Addr().String(), TLS2: "https://" + tls2.Addr().String(),
		Control: "http://" + control.Addr().String(), Certificate: string(trusted),
	}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return errors.Join(errors.New("a listener ended"), err)
	}
}

// counting counts the connections that it accepts.
type counting struct {
	net.Listener
	accepted atomic.Int64
}

func listen(ctx context.Context) (*counting, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return &counting{Listener: listener}, nil
}

// Accept waits for the next connection.
func (l *counting) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return connection, err
}
