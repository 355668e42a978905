//go:build unix

package realserver

import (
	"errors"
	"os"
	"syscall"
)

// ownGroup makes a process lead a group of its own, so that it is signalled with
// all its children, and an interrupt at the terminal does not reach it.
func ownGroup(as *owner) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if as != nil {
		attributes.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid}
	}
	return attributes
}

// signals by the names that kill(1) knows them by.
var signals = map[string]syscall.Signal{"INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT, "KILL": syscall.SIGKILL}

// signalGroup sends a signal to a process and all its children.
func signalGroup(pid int, name string) error {
	err := syscall.Kill(-pid, signals[name])
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// lock waits until no other process holds the file. Closing the file, or the
// end of this process, lets it go.
func lock(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
