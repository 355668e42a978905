package healthcheck

import (
	"encoding/json"
	"time"
)

// RecorderStats say how a Recorder is doing. At any time Recorded = Stored +
// Refused + Dropped + Buffered.
type RecorderStats struct {
	Recorded int64 // rows that Record has taken
	Stored   int64 // rows that are in the table for certain
	Refused  int64 // rows that the database refused
	Dropped  int64 // rows that made room for others, with DropOldest
	Buffered int   // rows held: waiting or being sent
	// BufferedBytes is the memory that they take, as RecorderOptions.MaxBytes
	// counts it.
	BufferedBytes int
	// Blocked is how many calls of Record wait for room. Their rows are not among
	// those above.
	Blocked int
	// Oldest is how long the oldest row held has been so; 0 without any.
	Oldest time.Duration
	// LastError is the last failure, a row refused included, and LastErrorAt when
	// it was, by this machine's clock. Both stay when things go well again; nil
	// and the zero time before the first.
	LastError   error
	LastErrorAt time.Time
}

// Stats returns how the Recorder is doing. It is cheap.
func (r *Recorder) Stats() RecorderStats {
	if r == nil || r.face == nil {
		return RecorderStats{}
	}
	s := r.rows.Stats()
	return RecorderStats{
		Recorded: s.Recorded, Stored: s.Stored, Refused: s.Refused, Dropped: s.Dropped,
		Buffered: s.Held, BufferedBytes: s.HeldBytes, Blocked: s.Waiters, Oldest: s.Oldest,
		LastError: s.LastError, LastErrorAt: s.LastErrorAt,
	}
}

// MarshalJSON has LastError as its one line of text, without the details, which can
// hold a row's data, and Oldest in milliseconds.
func (s RecorderStats) MarshalJSON() ([]byte, error) {
	fields := struct {
		Recorded      int64      `json:"recorded"`
		Stored        int64      `json:"stored"`
		Refused       int64      `json:"refused"`
		Dropped       int64      `json:"dropped"`
		Buffered      int        `json:"buffered"`
		BufferedBytes int        `json:"buffered_bytes"`
		Blocked       int        `json:"blocked"`
		OldestMS      int64      `json:"oldest_ms"`
		LastError     *string    `json:"last_error"`
		LastErrorAt   *time.Time `json:"last_error_at"`
	}{
		Recorded: s.Recorded, Stored: s.Stored, Refused: s.Refused, Dropped: s.Dropped,
		Buffered: s.Buffered, BufferedBytes: s.BufferedBytes, Blocked: s.Blocked, OldestMS: s.Oldest.Milliseconds(),
	}
	if s.LastError != nil {
		fields.LastError, fields.LastErrorAt = new(s.LastError.Error()), new(s.LastErrorAt.UTC())
	}
	return json.Marshal(fields)
}
