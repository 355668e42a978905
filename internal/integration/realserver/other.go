//go:build !unix

package realserver

import (
	"errors"
	"os"
	"syscall"
)

var errUnix = errors.New("servers for tests are started on Unix only")

func ownGroup(*owner) *syscall.SysProcAttr { return nil }

func signalGroup(int, string) error { return errUnix }

func lock(*os.File) error { return errUnix }
