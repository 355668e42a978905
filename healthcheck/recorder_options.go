package healthcheck

import (
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

// RecorderOptions say how much a Recorder holds, and how it sends. The zero
// value is the default; what is negative is ErrInvalid at the first Record.
type RecorderOptions struct {
	// MaxRows is how many rows are held at most, those that wait and those that
	// are being sent; up to 32 more where all of them are refused alone, so that it
	// shows whether others can be stored. Defaults to 100,000.
	MaxRows int
	// MaxBytes is how many bytes of memory they may take: their JSON, and 160
	// bytes for each. The request under way needs a few MiB besides. Defaults to
	// 64 MiB.
	MaxBytes int
	// BatchRows is how many rows make a batch, which is sent at once; at most
	// 1,000. A batch has no more than a quarter of MaxRows and MaxBytes either, so
	// that one is gathered while others are sent, nor more than 1 MiB, unless one
	// row alone has. Defaults to 1,000.
	BatchRows int
	// BatchAge is how long a row waits, in time without failures, for others to
	// make a batch with. Defaults to 1 s.
	BatchAge time.Duration
	// DropOldest makes room, where there is none, by dropping the oldest rows that
	// are not being sent; Stats counts them. Defaults to false: Record blocks.
	DropOldest bool
	// OnRefused is told of each row that the database refuses: the data as it was
	// sent, with its ID, CheckedAt in UTC and the numbers in ProbeDetails as float64;
	// and why. There is one call at a time, and sending waits for it, so it must
	// return soon, and call neither Record, which may wait for it, nor Flush, nor
	// Close. Defaults to counting alone.
	OnRefused func(data CreateHealthCheckData, err error)
	// Logger gets one event for each batch, as the model's operations write it.
	// Defaults to that of the first Record's context.
	Logger *zerolog.Logger
}

const (
	defaultMaxRows  = 100_000
	defaultMaxBytes = 64 << 20
	defaultBatchAge = time.Second
)

// check returns the options with their defaults, or what is wrong with them.
func (o RecorderOptions) check() (RecorderOptions, error) {
	var problems []string
	for _, limit := range []struct {
		name     string
		negative bool
	}{
		{"MaxRows", o.MaxRows < 0},
		{"MaxBytes", o.MaxBytes < 0},
		{"BatchRows", o.BatchRows < 0},
		{"BatchAge", o.BatchAge < 0},
	} {
		if limit.negative {
			problems = append(problems, limit.name+" must not be negative; 0 means its default")
		}
	}
	if o.BatchRows > operation.MaxBatchRows {
		problems = append(problems, fmt.Sprintf("BatchRows must be at most %d, not %d", operation.MaxBatchRows, o.BatchRows))
	}
	if problems != nil {
		return o, notRecorded(supabase.ErrInvalid, "RecorderOptions: "+strings.Join(problems, "; "))
	}
	if o.MaxRows == 0 {
		o.MaxRows = defaultMaxRows
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.BatchRows == 0 {
		o.BatchRows = operation.MaxBatchRows
	}
	if o.BatchAge == 0 {
		o.BatchAge = defaultBatchAge
	}
	o.BatchRows = min(o.BatchRows, max(1, o.MaxRows/4))
	return o, nil
}
