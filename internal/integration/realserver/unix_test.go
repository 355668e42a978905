//go:build unix

package realserver

import (
	"errors"
	"syscall"
)

// gone tells whether there is no such process, or group if the number is negative.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
