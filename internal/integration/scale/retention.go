package main

import (
	"context"
	"fmt"
	"time"
)

// retain deletes the older half of the rows while others are stored.
func (s *stand) retain(ctx context.Context, rows int) error {
	// From now on rows are as old as they are.
	if _, err := s.session.Exec(ctx, "ALTER TABLE service_health_checks ALTER COLUMN created_at SET DEFAULT CURRENT_TIMESTAMP"); err != nil {
		return err
	}
	var old int64
	const days = 182
	cutoff := time.Now().UTC().AddDate(0, 0, -days)
	if err := s.session.QueryRow(ctx, "SELECT count(*) FROM service_health_checks WHERE created_at < $1", cutoff).Scan(&old); err != nil {
		return err
	}
	s.requests.reset()
	live, inserted := make(chan error), 0
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				live <- nil
				return
			default:
			}
			if _, err := s.checks.Create(ctx, s.check(inserted, time.Now())); err != nil {
				live <- err
				return
			}
			inserted++
		}
	}()
	began := time.Now()
	deleted, err := s.checks.DeleteOlderThan(ctx, days)
	took := time.Since(began)
	close(done)
	if err := <-live; err != nil {
		return fmt.Errorf("insert beside retention: %w", err)
	}
	if err != nil {
		return err
	}
	// The two cutoffs are a moment apart.
	if deleted < old || deleted > old+int64(rows/1000)+1000 {
		return fmt.Errorf("%d deleted of %d", deleted, old)
	}
	var left int64
	if err := s.session.QueryRow(ctx, "SELECT count(*) FROM service_health_checks").Scan(&left); err != nil {
		return err
	}
	if left != int64(rows+inserted)-deleted {
		return fmt.Errorf("%d rows are left of %d and %d, %d deleted", left, rows, inserted, deleted)
	}
	deletes, inserts := s.requests.of("DELETE"), s.requests.of("POST")
	s.row("`DeleteOlderThan`", "%d rows in %v: %.0f rows/s in %d slices; a slice took %v at the median and %v at most, %d were refused",
		deleted, took.Round(time.Second), float64(deleted)/took.Seconds(), len(deletes.took), median(deletes.took).Round(time.Millisecond), deletes.longest().Round(time.Millisecond), deletes.failed)
	s.row("`Create` beside it", "%d rows, %v at the median and %v at most, %d refused",
		inserted, median(inserts.took).Round(10*time.Microsecond), inserts.longest().Round(time.Millisecond), inserts.failed)
	return nil
}
