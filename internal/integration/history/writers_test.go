package history

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/internal/integration/history/reference"
)

const (
	writers  = 8
	services = 10
	batch    = 50
)

// loses reads every fifth answer and breaks it off, so that the request is repeated.
type loses struct {
	*http.Transport
	lost atomic.Int64
}

func (l *loses) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := l.Transport.RoundTrip(request)
	if err != nil || rand.IntN(5) > 0 { //nolint:gosec // not a secret
		return answer, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	l.lost.Add(1)
	return nil, errors.New("read: connection reset by peer")
}

// Writers whose answers are lost store the same hours of the same services, new and
// late ones, while others rebuild those hours, sum up their days and delete checks.
// Nobody is told of a deadlock, and in the end every hour is the reference's.
func TestEveryHourIsRightWhileManyWrite(t *testing.T) {
	t.Parallel()
	server, _ := start(t)
	transport := &loses{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	t.Cleanup(transport.CloseIdleConnections)
	config := server.Config()
	config.Transport, config.MaxAttempts = transport, 20
	model := healthcheck.HealthCheckModel{Connect: config.ServiceClient}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()

	rounds := 20
	if long() {
		rounds = 400
	}
	now := time.Now().UTC().Truncate(time.Hour)
	began := now.AddDate(0, 0, -6)
	var mu sync.Mutex
	var stored reference.Database
	var writing, others sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range rounds {
				checks, data := someChecks(began)
				n, err := model.CreateMany(ctx, data)
				require.NoError(t, err)
				require.EqualValues(t, batch, n)
				mu.Lock()
				stored.Insert(checks...)
				mu.Unlock()
			}
		})
	}
	done := make(chan struct{})
	again := func(do func() error) {
		others.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					require.NoError(t, do())
				}
			}
		})
	}
	options := healthcheck.HistoryOptions{
		Periods:   append(healthcheck.Days(8, now.AddDate(0, 0, 1), nil), healthcheck.TimeRange{Start: began.Add(-time.Hour), End: now.Add(24 * time.Hour)}),
		Quantiles: []float64{0, 0.5, 0.95, 1},
	}
	again(func() error { return model.RebuildHistory(ctx, began, now.Add(time.Hour)) })
	again(func() error {
		_, err := model.FindHistory(ctx, options)
		return err
	})
	writing.Wait()
	close(done)
	others.Wait()

	query := reference.Query{SlotMinutes: 1, Quantiles: options.Quantiles}
	for at := began.AddDate(0, 0, -1); at.Before(now.AddDate(0, 0, 2)); at = at.Add(time.Hour) {
		query.Periods = append(query.Periods, reference.Range{Start: at, End: at.Add(time.Hour)})
	}
	for _, r := range options.Periods {
		query.Periods = append(query.Periods, reference.Range(r))
	}
	options.Periods = options.Periods[:0]
	for _, r := range query.Periods {
		options.Periods = append(options.Periods, healthcheck.TimeRange(r))
	}
	found, err := model.FindHistory(ctx, options)
	require.NoError(t, err)
	want := stored.History(query)
	require.Len(t, found, len(want))
	for i, service := range want {
		require.Equal(t, service.Name, found[i].ServiceName)
		for n, p := range service.Periods {
			got := found[i].Periods[n]
			require.Equal(t, [3]int{p.Healthy, p.Degraded, p.Down},
				[3]int{int(got.Healthy.Minutes()), int(got.Degraded.Minutes()), int(got.Down.Minutes())}, "%s, %v", service.Name, got.TimeRange)
			if p.Latency == nil {
				require.Zero(t, got.Latency)
				continue
			}
			require.Equal(t, p.Latency.Checks, got.Latency.Checks, "%s, %v", service.Name, got.TimeRange)
			require.InDelta(t, float64(p.Latency.SumMS), got.Latency.MeanMS*float64(got.Latency.Checks), 0.5)
			require.Equal(t, p.Latency.QuantilesMS, got.Latency.QuantilesMS)
		}
	}
	t.Logf("%d checks in %d requests of %d writers, %d answers lost", len(stored.Rows()), writers*rounds, writers, transport.lost.Load())
	require.Positive(t, transport.lost.Load())
}

// someChecks are of a few services, of the last minutes or days late.
func someChecks(began time.Time) (checks []reference.Check, data []healthcheck.CreateHealthCheckData) {
	statuses := []string{"healthy", "healthy", "degraded", "down"}
	for range batch {
		c := reference.Check{
			ID: uuid.NewString(), Service: fmt.Sprint("service ", rand.IntN(services)), Status: statuses[rand.IntN(len(statuses))], //nolint:gosec // not a secret
			LatencyMS: new(rand.IntN(1 << rand.IntN(20))),                         //nolint:gosec // not a secret
			CheckedAt: began.Add(time.Duration(rand.IntN(6*24*60)) * time.Minute), //nolint:gosec // not a secret
		}
		if rand.IntN(2) == 0 { //nolint:gosec // not a secret
			c.CheckedAt = began.AddDate(0, 0, 6).Add(time.Duration(rand.IntN(60)) * time.Minute) //nolint:gosec // not a secret
		}
		checks = append(checks, c)
		data = append(data, healthcheck.CreateHealthCheckData{
			ID: c.ID, ServiceName: c.Service, Status: healthcheck.Status(c.Status), LatencyMS: c.LatencyMS, CheckedAt: c.CheckedAt,
		})
	}
	return checks, data
}
