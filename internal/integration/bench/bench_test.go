package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
)

// The test's program is also that of the children, as the bench's own is.
func TestMain(m *testing.M) {
	if isChild(os.Args[1:]) {
		os.Exit(program())
	}
	goleak.VerifyTestMain(m)
}

// Lists of 1,000 rows are left to fewer callers, and TLS to one case: under the
// race detector, which the children run with as well, they take long.
func TestBench(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0") // else each child waits for a second at its end
	for name, args := range map[string][]string{
		"plain": {"-protocols", "http1", "-requests", "64", "-cases", "Create,FindLatestByService,FindAll/100,Acknowledge"},
		"TLS":   {"-protocols", "tls1,tls2", "-requests", "64", "-cases", "Create"},
		"many":  {"-protocols", "http1", "-requests", "8", "-cases", "FindAll/1000,CreateMany/1000", "-callers", "8", "-full"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			profiles := filepath.Join(folder, "profiles")
			args := append([]string{"-quick", "-warmup", "1ms", "-clients", "hand-written,supavigil", "-out", folder, "-profile", profiles}, args...)
			var stdout, stderr bytes.Buffer
			require.NoError(t, run(t.Context(), args, &stdout, &stderr), &stderr)

			content, err := os.ReadFile(filepath.Join(folder, "results.json"))
			require.NoError(t, err)
			var report Report
			require.NoError(t, json.Unmarshal(content, &report))
			o, err := parse(args, &stderr)
			require.NoError(t, err)
			for _, cell := range grid(o) {
				requireSane(t, &report, cell, clients.HandWritten, o.requests)
				if cell.Case != clients.CreateMany {
					requireSane(t, &report, cell, clients.Ours, o.requests)
				}
				require.Contains(t, stdout.String(), cell.Case)
			}
			pictures, err := filepath.Glob(filepath.Join(folder, "*.png"))
			require.NoError(t, err)
			for _, path := range pictures {
				file, err := os.Open(path)
				require.NoError(t, err)
				picture, err := png.DecodeConfig(file)
				require.NoError(t, err)
				require.NoError(t, file.Close())
				require.Greater(t, picture.Width, 500)
			}
			files, err := filepath.Glob(filepath.Join(profiles, "*.pprof"))
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(files), len(report.Records))
		})
	}
}

// requireSane says nothing of how fast anything was.
func requireSane(t *testing.T, report *Report, cell Cell, client clients.Name, requests int) {
	t.Helper()
	s, ok := report.find(cell, client)
	require.True(t, ok, "%s at %v", client, cell)
	require.Zero(t, s.Errors, "%s at %v: %s", client, cell, s.Error)
	require.Equal(t, requests, s.Requests, "%s at %v", client, cell)
	for _, m := range metrics() {
		require.Positive(t, s.Values[m].Median, "%s of %s at %v", m, client, cell)
		require.Positive(t, s.Ratios[m].Median, "%s of %s at %v", m, client, cell)
	}
}

func TestCommandLineRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-clients", "x"}, {"-cases", "create"}, {"-callers", "2"}, {"-protocols", "h3"}, {"-rounds", "0"}, {"x"}} {
		var stderr bytes.Buffer
		_, err := parse(args, &stderr)
		require.Error(t, err, args)
	}
}

func TestGoalIsJudgedRoundByRound(t *testing.T) {
	t.Parallel()
	var records []Record
	for round, cost := range []float64{1.1, 1.3, 1.15} {
		for client, factor := range map[clients.Name]float64{clients.HandWritten: 1, clients.Ours: cost} {
			record := Record{Cell: Cell{HTTP1, clients.Create, usual}, Client: client, Round: round}
			record.CPU = 40 * factor * float64(round+1) // the machine slows down
			record.Connections = 64 + float64(10*round)
			records = append(records, record)
		}
	}
	verdicts := judge(records)
	require.Len(t, verdicts, 2)
	require.InDelta(t, 1.15, verdicts[0].Measured.Median, 1e-9)
	require.InDelta(t, 1.3, verdicts[0].Measured.Max, 1e-9)
	require.True(t, verdicts[0].Met)
	require.Equal(t, "yes, but not in every round", verdicts[0].word())
	require.InDelta(t, 84, verdicts[1].Measured.Median, 1e-9, "the most of all")
	require.False(t, verdicts[1].Met)
}
