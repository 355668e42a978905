package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/supavigil/supavigil/healthcheck"
)

const (
	callers = 2
	perCall = 10_000
)

// load fills the table by CreateMany, and measures at each power of ten from
// 10,000 rows on.
func (s *stand) load(ctx context.Context, rows int) error {
	if err := s.spread(ctx, rows); err != nil {
		return err
	}
	loaded, took := 0, time.Duration(0)
	for _, size := range sizes(rows) {
		began := time.Now()
		if err := s.create(ctx, loaded, size, rows); err != nil {
			return err
		}
		took += time.Since(began)
		loaded = size
		if err := s.measure(ctx, size); err != nil {
			return err
		}
	}
	s.row("`CreateMany`", "%d rows in %v: %.0f rows/s from %d callers, 1,000 rows a request; the longest request took %v",
		rows, took.Round(time.Second), float64(rows)/took.Seconds(), callers, s.requests.of("POST").longest().Round(time.Millisecond))
	for _, size := range s.sizes {
		s.row(fmt.Sprintf("finding, in %d rows", size.rows), "`FindLatestByService` %v, `FindLatest` %v at the median of %d and %d",
			median(size.latest).Round(10*time.Microsecond), median(size.latestOfAll).Round(100*time.Microsecond), len(size.latest), len(size.latestOfAll))
	}
	first, last := s.sizes[0], s.sizes[len(s.sizes)-1]
	s.row("`FindLatestByService`", "%.2f × of its median in %d rows, in %d", float64(median(last.latest))/float64(median(first.latest)), first.rows, last.rows)
	return nil
}

func sizes(rows int) (sizes []int) {
	for size := 10_000; size < rows; size *= 10 {
		sizes = append(sizes, size)
	}
	return append(sizes, rows)
}

// spread makes created_at, which the model leaves to the database, cover a year
// that ends now, a thousand rows at a time as requests bring them.
func (s *stand) spread(ctx context.Context, rows int) error {
	step := 365 * 24 * time.Hour / time.Duration(max(rows/1000, 1))
	_, err := s.session.Exec(ctx, fmt.Sprintf(`CREATE SEQUENCE tick; GRANT ALL ON SEQUENCE tick TO PUBLIC;
		ALTER TABLE service_health_checks ALTER COLUMN created_at SET DEFAULT
			'%s'::timestamptz + (nextval('tick') / 1000) * interval '%d microseconds'`,
		time.Now().UTC().AddDate(-1, 0, 0).Format(time.RFC3339Nano), step.Microseconds()))
	return err
}

// create stores the rows from one number to another, of all.
func (s *stand) create(ctx context.Context, from, to, all int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	began := time.Now().AddDate(-1, 0, 0)
	step := 365 * 24 * time.Hour / time.Duration(all)
	next := atomic.Int64{}
	next.Store(int64(from))
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			for ctx.Err() == nil {
				first := int(next.Add(perCall)) - perCall
				if first >= to {
					return
				}
				data := make([]healthcheck.CreateHealthCheckData, min(perCall, to-first))
				for i := range data {
					data[i] = s.check(first+i, began.Add(time.Duration(first+i)*step))
				}
				if stored, err := s.checks.CreateMany(ctx, data); err != nil || stored != int64(len(data)) {
					cancel(fmt.Errorf("%d of %d stored: %w", stored, len(data), err))
				}
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

// check is as probes report: three of a hundred find something.
func (s *stand) check(i int, at time.Time) healthcheck.CreateHealthCheckData {
	data := healthcheck.CreateHealthCheckData{
		ServiceName: s.service(i % s.services), Status: healthcheck.StatusHealthy, LatencyMS: new(i % 900), CheckedAt: at,
		ProbeDetails: map[string]any{"http_status": 200, "region": "eu"},
	}
	switch i / s.services % 100 {
	case 0:
		data.Status, data.ErrorMessage = healthcheck.StatusDown, new("no answer within 5s")
	case 1, 2:
		data.Status = healthcheck.StatusDegraded
	}
	return data
}

func (s *stand) service(i int) string { return fmt.Sprintf("service-%04d.example.test", i) }

// measure takes the times of finding. The table is analyzed first, as autovacuum
// does in its own time.
func (s *stand) measure(ctx context.Context, rows int) error {
	if _, err := s.session.Exec(ctx, "VACUUM ANALYZE service_health_checks"); err != nil {
		return err
	}
	runtime.GC()
	m := size{rows: rows}
	for i := range s.finds + s.finds/10 {
		began := time.Now()
		found, err := s.checks.FindLatestByService(ctx, s.service(i*7919%s.services))
		if err != nil || found == nil {
			return fmt.Errorf("latest: %v, %w", found, err)
		}
		if i >= s.finds/10 { // warm
			m.latest = append(m.latest, time.Since(began))
		}
	}
	for i := range s.finds/20 + s.finds/200 {
		began := time.Now()
		found, err := s.checks.FindLatest(ctx)
		if err != nil || len(found) != s.services {
			return fmt.Errorf("latest of every service: %d, %w", len(found), err)
		}
		if i >= s.finds/200 {
			m.latestOfAll = append(m.latestOfAll, time.Since(began))
		}
	}
	s.sizes = append(s.sizes, m)
	return nil
}
