package faults_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/supabase"
)

// A recording has probes hand checks to a Recorder, and compares what is stored.
// Check i says so in its latency, and was made i µs after epoch.
type recording struct {
	*healthcheck.Recorder
	good    supabase.Config
	offered atomic.Int64
}

var epoch = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func newRecording(t *testing.T, good, bad supabase.Config, options healthcheck.RecorderOptions) *recording {
	t.Helper()
	options.OnRefused = func(data healthcheck.CreateHealthCheckData, err error) { t.Errorf("%s is refused: %v", data.ID, err) }
	return &recording{Recorder: healthcheck.NewRecorder(healthcheck.HealthCheckModel{Connect: bad.ServiceClient}, options), good: good}
}

func (r *recording) offer(ctx context.Context) error {
	i := r.offered.Add(1) - 1
	return r.Record(ctx, healthcheck.CreateHealthCheckData{
		ServiceName: "recorded", Status: healthcheck.StatusHealthy, LatencyMS: new(int(i)),
		CheckedAt: epoch.Add(time.Duration(i) * time.Microsecond),
	})
}

// probe has probes hand in checks at a rate per second, until stop is called. What
// they are late with for more than half a second they do not make up for.
func (r *recording) probe(t *testing.T, rate int) (stop func()) {
	t.Helper()
	const probes = 8
	done := make(chan struct{})
	var running sync.WaitGroup
	for range probes {
		running.Go(func() {
			ticker := time.NewTicker(10 * time.Millisecond)
			defer ticker.Stop()
			began, handed := time.Now(), 0
			for {
				select {
				case <-done:
					return
				case <-ticker.C:
				}
				due := int(time.Since(began).Seconds() * float64(rate) / probes)
				for handed = max(handed, due-rate/probes/2); handed < due; handed++ {
					if err := r.offer(context.Background()); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	return func() {
		close(done)
		running.Wait()
	}
}

// watch looks at the Stats until what must come has come; at full length for so
// long at least, so that there are rates to report.
func (r *recording) watch(t *testing.T, phase string, full time.Duration, come func(healthcheck.RecorderStats) bool) {
	t.Helper()
	began, before, peak := time.Now(), r.Stats(), 0
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	blocked, looks := 0, 0
	now := before
	for !come(now) || long() && time.Since(began) < full {
		require.Less(t, time.Since(began), enough(), "%s: %+v", phase, now)
		<-ticker.C
		now = r.Stats()
		require.Equal(t, now.Recorded, now.Stored+now.Refused+now.Dropped+int64(now.Buffered))
		peak = max(peak, now.Buffered)
		looks++
		if now.Blocked > 0 {
			blocked++
		}
	}
	took := time.Since(began)
	t.Logf("%-8s %6.1f s: %6.0f rows/s in, %6.0f rows/s out, at most %6d held, %6d at the end in %5.1f MiB, callers blocked in %3.0f %% of the looks",
		phase, took.Seconds(), float64(now.Recorded-before.Recorded)/took.Seconds(), float64(now.Stored-before.Stored)/took.Seconds(),
		peak, now.Buffered, float64(now.BufferedBytes)/(1<<20), 100*float64(blocked)/float64(max(1, looks)))
}

// stored has come when so many more rows are stored.
func (r *recording) stored(rows int64) func(healthcheck.RecorderStats) bool {
	least := r.Stats().Stored + rows
	return func(now healthcheck.RecorderStats) bool { return now.Stored >= least }
}

// settle closes the Recorder, and wants every check stored once, with its time.
func (r *recording) settle(t *testing.T, database string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), enough())
	defer cancel()
	require.NoError(t, r.Close(ctx))
	stats := r.Stats()
	require.Equal(t, r.offered.Load(), stats.Stored)
	require.Zero(t, stats.Buffered+stats.BufferedBytes+int(stats.Refused+stats.Dropped))
	if database != "" {
		r.count(t, database)
		return
	}
	seen := map[int]bool{}
	for _, check := range all[healthcheck.ServiceHealthCheck](t, r.good, checksTable, func(c healthcheck.ServiceHealthCheck) string { return c.ID }) {
		i := *check.LatencyMS
		require.False(t, seen[i], "check %d is there twice", i)
		require.Equal(t, epoch.Add(time.Duration(i)*time.Microsecond), check.CheckedAt)
		seen[i] = true
	}
	require.Len(t, seen, int(r.offered.Load()))
}

// count is for many rows.
func (r *recording) count(t *testing.T, database string) {
	t.Helper()
	session, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close(context.WithoutCancel(t.Context()))) }()
	var rows, checks, onTime int64
	require.NoError(t, session.QueryRow(t.Context(),
		`SELECT count(*), count(DISTINCT latency_ms), count(*) FILTER (WHERE checked_at = $1::timestamptz + latency_ms * interval '1 microsecond')
		FROM service_health_checks`, epoch).Scan(&rows, &checks, &onTime))
	require.Equal(t, r.offered.Load(), rows)
	require.Equal(t, rows, checks)
	require.Equal(t, rows, onTime)
}

// A network that loses every tenth request and every fifth answer.
func TestRecorderOnLossyNetwork(t *testing.T) {
	t.Parallel()
	onKinds(t, killable, func(t *testing.T, good supabase.Config) {
		t.Helper()
		bad, proxy := through(t, good)
		bad.Timeout, bad.MaxAttempts = time.Second, 2 // for its own retries to be needed
		r := newRecording(t, good, bad, healthcheck.RecorderOptions{BatchRows: 20})
		for range bounded(2000, 40_000) {
			require.NoError(t, r.offer(t.Context()))
		}
		r.settle(t, "")
		require.Positive(t, proxy.lostRequests.Load())
		require.Positive(t, proxy.lostAnswers.Load())
		t.Logf("%d rows; %d requests, %d lost; %d answers, %d lost", r.offered.Load(),
			proxy.requests.Load(), proxy.lostRequests.Load(), proxy.answers.Load(), proxy.lostAnswers.Load())
	})
}

// The REST server is killed. At full length 20,000 checks a second are handed in,
// and it stays away for two minutes. Not parallel: memory is measured, and rates.
func TestRecorderWhileServerIsAway(t *testing.T) { //nolint:paralleltest // see above
	for _, kind := range killable {
		t.Run(string(kind), func(t *testing.T) {
			server := start(t, kind, nil)
			ride(t, server, server.Kill, func() error { return server.Restart(t.Context()) })
		})
	}
}

// PostgreSQL crashes, and the REST server stays to say so.
func TestRecorderWhileDatabaseIsAway(t *testing.T) { //nolint:paralleltest // see above
	for _, kind := range killable {
		t.Run(string(kind), func(t *testing.T) {
			server, postgres := startBoth(t, kind)
			ride(t, server, func() error { return postgres.Shutdown(realserver.Immediate) }, func() error { return postgres.Restart(t.Context()) })
		})
	}
}

// A buffer that has room for the whole outage: nobody waits. What was held is
// stored when the server is back.
func TestRecorderWithRoomForTheOutage(t *testing.T) { //nolint:paralleltest // see above
	for _, kind := range killable {
		t.Run(string(kind), func(t *testing.T) {
			server := start(t, kind, nil)
			before := heap()
			options := healthcheck.RecorderOptions{MaxRows: bounded(500_000, 3_000_000), MaxBytes: bounded(256, 1024) * mebibyte}
			r := newRecording(t, server.Config(), server.Config(), options)
			stop := r.probe(t, fullRate())
			r.watch(t, "normal", 30*time.Second, r.stored(1000))
			require.NoError(t, server.Kill())
			r.watch(t, "outage", 2*time.Minute, func(s healthcheck.RecorderStats) bool {
				require.Zero(t, s.Blocked)
				return s.LastError != nil && s.Buffered >= 3000
			})
			stop()
			during := heap()
			require.NoError(t, server.Restart(t.Context()))
			r.watch(t, "catch-up", 0, func(s healthcheck.RecorderStats) bool { return s.Buffered == 0 })
			r.settle(t, server.DatabaseURL)
			r.weigh(t, options.MaxBytes, before, during, heap())
		})
	}
}

const mebibyte = 1 << 20

// fullRate is of checks a second.
func fullRate() int { return bounded(2000, 20_000) }

// ride has a Recorder ride out an outage that is longer than its buffer holds.
func ride(t *testing.T, server *realserver.REST, down, up func() error) {
	t.Helper()
	before := heap()
	options := healthcheck.RecorderOptions{BatchAge: 50 * time.Millisecond, MaxRows: bounded(1000, 100_000), MaxBytes: 64 * mebibyte}
	r := newRecording(t, server.Config(), server.Config(), options)
	stop := r.probe(t, fullRate())
	r.watch(t, "normal", 30*time.Second, r.stored(1000))
	require.NoError(t, down())
	r.watch(t, "outage", 2*time.Minute, func(s healthcheck.RecorderStats) bool { return s.Blocked > 0 && s.LastError != nil })
	during := heap()
	require.NoError(t, up())
	r.watch(t, "catch-up", 0, func(s healthcheck.RecorderStats) bool { return s.Blocked == 0 && s.Buffered < fullRate()/2 })
	r.watch(t, "normal", 30*time.Second, r.stored(1000))
	stop()
	r.settle(t, server.DatabaseURL)
	r.weigh(t, options.MaxBytes, before, during, heap())
}

// weigh wants the memory to have stayed within bounds.
func (r *recording) weigh(t *testing.T, maxBytes int, before, during, after uint64) {
	t.Helper()
	t.Logf("heap %.1f MiB before, %.1f MiB in the outage, %.1f MiB after; %d checks, 0 lost, 0 doubled",
		float64(before)/mebibyte, float64(during)/mebibyte, float64(after)/mebibyte, r.offered.Load())
	require.Less(t, during, before+uint64(maxBytes)+8*mebibyte) //nolint:gosec // not negative
	require.Less(t, after, before+8*mebibyte)
}
