package healthcheck

import (
	"encoding/json"
	"time"
)

// RecorderStats are figures: Recorded = Stored + Refused + Dropped + Buffered.
type RecorderStats struct {
	Recorded      int64         // rows taken by Record
	Stored        int64         // rows certainly stored
	Refused       int64         // rows refused by the database
	Dropped       int64         // rows dropped, with DropOldest
	Buffered      int           // rows held
	BufferedBytes int           // their memory, as for RecorderOptions.MaxBytes
	Blocked       int           // calls of Record that wait for room
	Oldest        time.Duration // how long the oldest row has been held; 0: none is
	LastError     error         // the last failure; nil before the first
	LastErrorAt   time.Time     // when it was, by this machine's clock
}

// Stats returns the figures as they are now. It is cheap.
func (r *Recorder) Stats() RecorderStats {
	if r == nil || r.face == nil {
		return RecorderStats{}
	}
	return RecorderStats(r.rows.Stats())
}

// MarshalJSON writes LastError as its text and Oldest in milliseconds.
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
