package realserver

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed pglite.cjs
var pgliteScript string

// PGlite is a database of its own in memory, without a server: what is in
// LitePGlite, open to SQL. It is one session, for one goroutine.
type PGlite struct {
	host   *pgliteHost
	number int
}

// StartPGlite starts an empty PGlite, in a process that all of them share and
// that ends with this one. Close it.
func StartPGlite(ctx context.Context) (*PGlite, error) {
	host, err := sharedPGlite(ctx)
	if err != nil {
		return nil, fmt.Errorf("start PGlite: %w", err)
	}
	host.mutex.Lock()
	defer host.mutex.Unlock()
	host.databases++
	return &PGlite{host, host.databases}, nil
}

// Query runs statements and returns the last one's rows, as text; nil is NULL.
// PostgreSQL's own errors are *pgconn.PgError.
func (p *PGlite) Query(_ context.Context, sql string) ([][]*string, error) {
	return p.host.ask(p.number, &sql)
}

// Close ends PGlite.
func (p *PGlite) Close() error {
	_, err := p.host.ask(p.number, nil)
	return err
}

// pgliteHost is a Node that runs PGlites, for one request at a time.
type pgliteHost struct {
	process *exec.Cmd

	mutex     sync.Mutex
	databases int
	requests  io.WriteCloser
	answers   *bufio.Reader
}

func startPGliteHost(ctx context.Context) (*pgliteHost, error) {
	node, err := nodeProgram()
	if err != nil {
		return nil, err
	}
	modules, err := npmPackages(ctx)
	if err != nil {
		return nil, err
	}
	h := &pgliteHost{process: exec.CommandContext(context.WithoutCancel(ctx), node, "--eval", pgliteScript)} //nolint:gosec // the script is embedded
	h.process.Env = []string{"NODE_PATH=" + modules, "TZ=UTC"}
	if h.requests, err = h.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := h.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.answers = bufio.NewReader(out)
	return h, h.process.Start()
}

// ask sends a request to a database, and closes it without SQL.
func (h *pgliteHost) ask(database int, sql *string) ([][]*string, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if err := json.NewEncoder(h.requests).Encode([]any{database, sql}); err != nil {
		return nil, fmt.Errorf("PGlite: %w", err)
	}
	data, err := h.answers.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("PGlite: %w", err)
	}
	var answer struct {
		Rows    [][]*string `json:"rows"`
		Code    string      `json:"code"`
		Message string      `json:"message"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, fmt.Errorf("PGlite: %w", err)
	}
	if answer.Message != "" {
		return nil, &pgconn.PgError{Severity: "ERROR", Code: answer.Code, Message: answer.Message}
	}
	return answer.Rows, nil
}

func (h *pgliteHost) stop() error { return errors.Join(h.requests.Close(), h.process.Wait()) }
