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

	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed pglite.cjs
var pgliteScript string

// PGlite is a database of its own in memory, without a server: what is in
// LitePGlite, open to SQL. It is one session, for one goroutine.
type PGlite struct {
	process *exec.Cmd
	sql     io.WriteCloser
	answers *bufio.Reader
}

// StartPGlite starts an empty PGlite. It ends with Close, or with this process,
// which closes its input.
func StartPGlite(ctx context.Context) (*PGlite, error) {
	node, err := program("node", "install Node.js, 20 or newer")
	if err != nil {
		return nil, err
	}
	modules, err := npmPackages(ctx)
	if err != nil {
		return nil, err
	}
	p := &PGlite{process: exec.CommandContext(ctx, node, "--eval", pgliteScript)} //nolint:gosec // the script is embedded
	p.process.Env = []string{"NODE_PATH=" + modules, "TZ=UTC"}
	if p.sql, err = p.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.answers = bufio.NewReader(out)
	if err := p.process.Start(); err != nil {
		return nil, fmt.Errorf("start PGlite: %w", err)
	}
	return p, nil
}

// Query runs statements and returns the last one's rows, as text; nil is NULL.
// PostgreSQL's own errors are *pgconn.PgError.
func (p *PGlite) Query(_ context.Context, sql string) ([][]*string, error) {
	line, err := json.Marshal(sql)
	if err != nil {
		return nil, err
	}
	if _, err := p.sql.Write(append(line, '\n')); err != nil {
		return nil, fmt.Errorf("PGlite: %w", err)
	}
	data, err := p.answers.ReadBytes('\n')
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

// Close ends PGlite.
func (p *PGlite) Close() error { return errors.Join(p.sql.Close(), p.process.Wait()) }
