package faults_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
)

// settle runs a ledger to its end, and reports.
func (l *alertLedger) settle(t *testing.T, proxy *lossy, each func(done int)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), enough())
	defer cancel()
	began := time.Now()
	doubled := l.run(ctx, each)
	took := time.Since(began).Round(time.Second)
	require.Empty(t, doubled, "keys with two open alerts")
	require.Positive(t, l.looks.Load())
	refused, alerts, transitions := l.verify(t)
	t.Logf("%d raises, transitions and resolutions each in %v: %d calls repeated, %d transitions refused; %d requests, %d lost; %d answers, %d lost; %d looks; %d alerts, %d transitions, 0 twice, 0 told to nobody",
		l.size, took, l.repeats.Load(), refused, proxy.requests.Load(), proxy.lostRequests.Load(), proxy.answers.Load(), proxy.lostAnswers.Load(),
		l.looks.Load(), alerts, transitions)
	require.Positive(t, proxy.lostRequests.Load())
	require.Positive(t, proxy.lostAnswers.Load())
}

// run has the callers work through all items, and watches what is open meanwhile. It
// returns the keys of which two alerts were.
func (l *alertLedger) run(ctx context.Context, each func(done int)) (doubled []string) {
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { doubled = l.watch(watching) })
	work(l.size, func(i int) { l.do(ctx, i) }, each)
	stop()
	watcher.Wait()
	return doubled
}

// watch looks at what is open, as often as the server answers, and returns the keys of
// which two alerts were. It is one statement, which FindOpen is not on every server.
func (l *alertLedger) watch(ctx context.Context) (doubled []string) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return doubled
		case <-ticker.C:
		}
		client, err := l.config.ServiceClient()
		if err != nil {
			return append(doubled, err.Error())
		}
		var open []alertevent.AlertEvent
		_, err = client.From(alertsTable).Select("service_name,dedup_key", "", false).Neq("status", "resolved").ExecuteToWithContext(ctx, &open)
		if err != nil {
			continue // the server is down
		}
		l.looks.Add(1)
		seen := map[string]bool{}
		for _, alert := range open {
			key := alert.ServiceName + "/" + *alert.DedupKey
			if seen[key] {
				doubled = append(doubled, key)
			}
			seen[key] = true
		}
	}
}
