//go:build !unix

package load

import (
	"errors"
	"time"
)

func processorTime() (time.Duration, error) {
	return 0, errors.New("the processor time of a process is read by getrusage, which is not here")
}
