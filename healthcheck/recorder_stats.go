package healthcheck

import (
	"encoding/json"
	"time"
)

// RecorderStats are figures: Recorded = Stored + Refused + Dropped + Buffered.
type RecorderStats struct {
	Recorded      int64         `json:"recorded"`       // rows taken by Record
	Stored        int64         `json:"stored"`         // rows certainly stored
	Refused       int64         `json:"refused"`        // rows refused by the database
	Dropped       int64         `json:"dropped"`        // rows dropped, with DropOldest
	Buffered      int           `json:"buffered"`       // rows held
	BufferedBytes int           `json:"buffered_bytes"` // their memory, as for RecorderOptions.MaxBytes
	Blocked       int           `json:"blocked"`        // calls of Record that wait for room
	Oldest        time.Duration `json:"-"`              // how long the oldest row has been held; 0: none is
	LastError     error         `json:"-"`              // the last failure; nil before the first
	LastErrorAt   time.Time     `json:"-"`              // when it was, by this machine's clock
}

// Stats returns the figures as they are now. It is cheap.
func (r *Recorder) Stats() RecorderStats {
	if r == nil || r.rows == nil {
		return RecorderStats{}
	}
	return RecorderStats(r.rows.Stats())
}

// MarshalJSON writes LastError as its text and Oldest in milliseconds.
func (s RecorderStats) MarshalJSON() ([]byte, error) {
	type plain RecorderStats
	fields := struct {
		plain
		OldestMS    int64      `json:"oldest_ms"`
		LastError   *string    `json:"last_error"`
		LastErrorAt *time.Time `json:"last_error_at"`
	}{plain: plain(s), OldestMS: s.Oldest.Milliseconds()}
	if s.LastError != nil {
		fields.LastError, fields.LastErrorAt = new(s.LastError.Error()), new(s.LastErrorAt.UTC())
	}
	return json.Marshal(fields)
}
