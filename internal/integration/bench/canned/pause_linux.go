package canned

import (
	"syscall"
	"time"
)

// pause blocks its thread, to within the kernel's 50 µs.
func pause(d time.Duration) {
	left := syscall.NsecToTimespec(d.Nanoseconds())
	for {
		before := left
		if err := syscall.Nanosleep(&before, &left); err != syscall.EINTR {
			return
		}
	}
}
