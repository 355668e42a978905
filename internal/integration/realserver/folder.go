package realserver

import (
	"bufio"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

//go:embed watchdog.sh
var watchdogScript string

// folder is a temporary folder and the one process at a time that runs in it.
// Both belong to a watchdog, a shell that waits on a pipe which the test process
// holds. The kernel closes the pipe when the test process ends, in whatever way,
// and the watchdog then stops the process and removes the folder. An orderly
// end closes the pipe too: there is one way to clean up, and every run tests it.
type folder struct {
	path   string
	owner  *owner // who runs what runs in it; nil: this process's user
	remove func() error
}

// newFolder makes a folder in parent.
func newFolder(ctx context.Context, parent, name string, as *owner) (*folder, error) {
	path := filepath.Join(parent, "supavigil-"+name+"-"+rand.Text()[:12])
	// The watchdog must outlive ctx: it ends with the pipe alone.
	watchdog := exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", "-c", watchdogScript, "watchdog", path) //nolint:gosec // a script of this package
	watchdog.SysProcAttr = ownGroup(nil)
	hold, err := watchdog.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("watchdog's pipe: %w", err)
	}
	answers, err := watchdog.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("watchdog's pipe: %w", err)
	}
	if err := watchdog.Start(); err != nil {
		return nil, fmt.Errorf("watchdog: %w", err)
	}
	f := &folder{path: path, owner: as, remove: sync.OnceValue(func() error { return end(watchdog, hold) })}
	// Its answer says that the folder is there and that signals no longer end
	// the watchdog.
	if _, err := bufio.NewReader(answers).ReadString('\n'); err != nil {
		return nil, fmt.Errorf("make the folder %s: %w", path, errOr(f.Remove(), err))
	}
	if err := errors.Join(as.own(path), as.own(f.file("run"))); err != nil {
		return nil, errOr(f.Remove(), err)
	}
	return f, nil
}

func end(watchdog *exec.Cmd, hold io.Closer) error {
	if err := hold.Close(); err != nil {
		return fmt.Errorf("watchdog's pipe: %w", err)
	}
	if err := watchdog.Wait(); err != nil {
		return fmt.Errorf("watchdog: %w", err)
	}
	return nil
}

// Remove stops what runs in the folder and removes it. It may be called again.
func (f *folder) Remove() error { return f.remove() }

// file returns a path in the folder.
func (f *folder) file(name ...string) string {
	return filepath.Join(append([]string{f.path}, name...)...)
}

// mkdir makes a folder in the folder, for those who run in it.
func (f *folder) mkdir(name ...string) (string, error) {
	path := f.file(name...)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", err
	}
	return path, f.owner.own(path)
}

// write makes a file that only those who run in the folder can read.
func (f *folder) write(content string, name ...string) (string, error) {
	path := f.file(name...)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return "", err
	}
	return path, f.owner.own(path)
}

// errOr returns err with a further failure of cleaning up beside it, if any.
func errOr(further, err error) error {
	if further != nil {
		return fmt.Errorf("%w (and cleaning up: %w)", err, further)
	}
	return err
}
