package healthcheck

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

// RecorderOptions limit what a Recorder holds. Negative values are ErrInvalid.
type RecorderOptions struct {
	MaxRows  int // most rows held, those in flight included. Defaults to 100,000
	MaxBytes int // most bytes held: each row's JSON and 160. Defaults to 64 MiB
	// BatchRows is the most rows in a batch, at most 1,000. A batch has at most 1 MiB,
	// and a quarter of MaxRows and MaxBytes. Defaults to 1,000.
	BatchRows  int
	BatchAge   time.Duration // how long a row waits for others. Defaults to 1 s
	DropOldest bool          // without room, drop the oldest rows not in flight
	// OnRefused is called for each row that the database refuses, one call at a time:
	// with the row as sent, its ID set, and why. Sending waits for it, so it must
	// return soon, and must not call Record, Flush or Close.
	OnRefused func(data CreateHealthCheckData, err error)
	Logger    *zerolog.Logger // one event for each batch. Defaults to the first ctx's
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
	o.MaxRows = cmp.Or(o.MaxRows, defaultMaxRows)
	o.MaxBytes = cmp.Or(o.MaxBytes, defaultMaxBytes)
	o.BatchRows = min(cmp.Or(o.BatchRows, operation.MaxBatchRows), max(1, o.MaxRows/4))
	o.BatchAge = cmp.Or(o.BatchAge, defaultBatchAge)
	return o, nil
}
