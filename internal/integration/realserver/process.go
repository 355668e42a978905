package realserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// command is a program to run in a folder.
type command struct {
	args []string
	env  []string // the whole environment
	dir  string   // Defaults to the folder
	end  string   // the signal that ends it, or letFinish. Defaults to KILL

	revived bool // a shell runs the program, which on TERM ends it with SIGKILL
}

// letFinish is for a program that ends by itself, soon.
const letFinish = "0"

// process is a program that runs in a folder.
type process struct {
	folder  *folder
	cmd     *exec.Cmd
	logFrom int64 // where in the log its own lines begin
	revived bool
	ended   chan struct{} // closed when it was reaped
	err     error         // how it ended; read after ended
}

// The program writes its pid itself, before it becomes what it is to be: so it
// can be found from the first moment, and without the folder it does not start.
const startScript = `echo $$ "$1" >"$0/run/pid" && shift && exec "$@"`

// start runs a program in the folder. There must be none running in it yet. It
// runs until it ends, is signalled, or the folder is removed; ctx does not end it.
func (f *folder) start(ctx context.Context, c command) (*process, error) {
	output, err := os.OpenFile(f.file("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer output.Close() //nolint:errcheck // the program has its own
	before, err := output.Stat()
	if err != nil {
		return nil, err
	}
	args := append([]string{"-c", startScript, f.path, cmp.Or(c.end, "KILL")}, c.args...)
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", args...) //nolint:gosec // a test's programs
	// A file, not a pipe: go test waits for all who hold its own output, and a
	// pipe would end with this process.
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Env, cmd.Dir = c.env, c.dir
	if c.dir == "" {
		cmd.Dir = f.path
	}
	cmd.SysProcAttr = ownGroup(f.owner)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.args[0], err)
	}
	p := &process{folder: f, cmd: cmd, logFrom: before.Size(), revived: c.revived, ended: make(chan struct{})}
	go p.reap()
	return p, nil
}

func (p *process) reap() {
	defer close(p.ended)
	p.err = p.cmd.Wait()
	// From here on the number may be another program's.
	if err := os.Remove(p.folder.file("run", "pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.err = errOr(err, p.err)
	}
}

// wait returns how the process ended: nil for exit code 0, else an error with
// the tail of its log. When ctx ends first, it is the folder that ends the process.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.ended:
		return p.failure(p.err)
	case <-ctx.Done():
		return p.failure(context.Cause(ctx))
	}
}

// signal sends a signal to the process and its children, and waits until it is gone.
func (p *process) signal(name string) error {
	if !p.running() {
		return nil
	}
	if p.revived && name == "KILL" {
		// Killed with its shell, the server would be init's child, and nobody
		// could tell here when it is gone.
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("signal TERM: %w", err)
		}
		<-p.ended
	}
	if err := signalGroup(p.cmd.Process.Pid, name); err != nil {
		return fmt.Errorf("signal %s: %w", name, err)
	}
	<-p.ended
	return nil
}

// running tells whether the process has not ended yet.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// failure adds the tail of the log to an error, so that it explains itself.
func (p *process) failure(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; the end of its log:\n%s", err, p.logTail())
}

// logTail returns the last lines that the process printed.
func (p *process) logTail() string {
	const most = 4 << 10
	file, err := os.Open(p.folder.file("log"))
	if err != nil {
		return err.Error()
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return err.Error()
	}
	from := max(p.logFrom, info.Size()-most)
	tail, err := io.ReadAll(io.NewSectionReader(file, from, info.Size()-from))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(tail))
}
