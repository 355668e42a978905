package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/supavigil/supavigil/internal/integration/bench/canned"
)

// serve is the canned server's process. It ends when its standard input does:
// the kernel closes that pipe when the bench ends, in whatever way.
func serve(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	return canned.Serve(ctx, stdout)
}

// server is the canned server, as the bench sees it.
type server struct {
	process     *exec.Cmd
	hold        io.Closer
	addresses   canned.Addresses
	certificate string // file
	control     http.Client
}

func startServer(ctx context.Context, program, folder string) (_ *server, err error) {
	s := &server{certificate: filepath.Join(folder, "certificate.pem"), control: http.Client{Timeout: 10 * time.Second}}
	// It outlives ctx: what ends it is its standard input, or stop.
	s.process = exec.CommandContext(context.WithoutCancel(ctx), program, serveCommand)
	s.process.Env, s.process.Stderr = environment(), os.Stderr
	// An interrupt at the terminal is for the bench alone, which then stops it.
	s.process.SysProcAttr = ownGroup()
	if s.hold, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("canned server: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("canned server: %w", err)
	}
	if err := json.Unmarshal(line, &s.addresses); err != nil {
		return nil, fmt.Errorf("canned server: %w", err)
	}
	return s, os.WriteFile(s.certificate, []byte(s.addresses.Certificate), 0o600)
}

// stop ends the server and waits until it is gone; when it does not end by
// itself, it is killed.
func (s *server) stop() error {
	closing := s.hold.Close()
	late := time.AfterFunc(5*time.Second, func() { _ = s.process.Process.Kill() })
	defer late.Stop()
	s.control.CloseIdleConnections()
	return errors.Join(closing, s.process.Wait())
}

func (s *server) target(protocol Protocol) target {
	t := target{key: "sb_secret_bench"}
	switch protocol {
	case TLS1:
		t.url, t.certificate = s.addresses.TLS1, s.certificate
	case TLS2:
		t.url, t.certificate = s.addresses.TLS2, s.certificate
	case HTTP1, RealServer:
		t.url = s.addresses.HTTP
	}
	t.restURL = t.url + "/rest/v1"
	return t
}

// connections returns how many connections the server has accepted so far.
func (s *server) connections(ctx context.Context, protocol Protocol) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.addresses.Control, http.NoBody) //nolint:gosec // the canned server said where it is
	if err != nil {
		return 0, err
	}
	response, err := s.control.Do(request) //nolint:gosec // as above
	if err != nil {
		return 0, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	var counts canned.Connections
	if err := json.NewDecoder(response.Body).Decode(&counts); err != nil {
		return 0, err
	}
	switch protocol {
	case TLS1:
		return counts.TLS1, nil
	case TLS2:
		return counts.TLS2, nil
	case HTTP1, RealServer:
	}
	return counts.HTTP, nil
}
