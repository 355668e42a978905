//go:build !linux

package canned

import "time"

// pause waits as well as Go's timers do here.
func pause(d time.Duration) { <-time.After(d) }
