package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Report is all that a run has to say; results.json holds it.
type Report struct {
	Finished   time.Time `json:"finished"`
	Go         string    `json:"go"`
	System     string    `json:"system"`
	Processors int       `json:"processors"`
	Rounds     int       `json:"rounds"`
	Duration   string    `json:"duration"` // of each measurement
	WarmUp     string    `json:"warm_up"`
	Requests   int       `json:"requests,omitempty"` // of each measurement, instead of Duration
	Notes      []string  `json:"notes"`
	Verdicts   []Verdict `json:"verdicts"`
	Summaries  []Summary `json:"summaries"`
	Records    []Record  `json:"records"`
}

func newReport(o options, notes []string, records []Record) *Report {
	return &Report{
		Finished: time.Now().UTC(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.NumCPU(),
		Rounds: o.rounds, Duration: o.duration.String(), WarmUp: o.warmUp.String(), Requests: o.requests,
		Notes: notes, Verdicts: judge(records), Summaries: summarize(records), Records: records,
	}
}

func (r *Report) write(folder string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "results.json"), append(content, '\n'), 0o600) //nolint:gosec // where the caller wants it
}
