package healthcheck

import (
	"context"
	"errors"
	"time"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// RebuildHistory makes the history of the hours (UTC) from since to until anew, from
// the checks that are there: after migration 017 on a table in use, and after checks
// were corrected. The bounds are cut outwards to whole hours. An hour without any
// check stays as it is. Programs may store checks meanwhile.
//
// It takes a request for a day, and for fewer hours where a day takes the database too
// long. After an error, what was made stays, and another call does no harm.
func (m HealthCheckModel) RebuildHistory(ctx context.Context, since, until time.Time) (err error) {
	op := checks.Begin(operation.Update, operation.Filter{})
	defer op.End(ctx, &err)
	var unset error
	if since.IsZero() || until.IsZero() {
		unset = errors.New("since and until must be set")
	}
	if err := op.Open(ctx, m.Connect, unset, column.Period(since, until)); err != nil {
		return err
	}
	const day = 24 * time.Hour
	step := day
	for begin, end := since.Truncate(time.Hour), roundUp(until, time.Hour); begin.Before(end); {
		next := begin.Add(step)
		if next.After(end) {
			next = end
		}
		var answer struct {
			Hours *int64 `json:"hours"`
		}
		err := op.CallInto(ctx, &answer, "rebuild_service_history", map[string]string{
			"since": timestamp.Format(begin), "until": timestamp.Format(next),
		})
		switch {
		case operation.IsStatementTimeout(err) && step > time.Hour:
			step = max(step/4, time.Hour)
		case err != nil:
			return err
		case answer.Hours == nil || *answer.Hours < 0:
			return op.Uncertain(op.Fail("the answer does not say how many hours were rebuilt", errors.New("no number")))
		default:
			begin, step = next, min(2*step, day)
		}
	}
	return nil
}

// DeleteHistoryOlderThan deletes the history of the hours that ended more than days
// ago, 1…36,500, by the database's clock, and so of services that are no longer there.
// It returns the number of hours of services deleted, even when err is non-nil: a lower
// bound where an answer was lost. It deletes 1,000 at a time, each a request. The error
// is ErrSchema without migration 017.
func (m HealthCheckModel) DeleteHistoryOlderThan(ctx context.Context, days int) (deleted int64, err error) {
	op := checks.Begin(operation.Delete, operation.Filter{})
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, column.Days(days)); err != nil {
		return 0, err
	}
	return op.DeleteBy(ctx, "delete_service_history", days)
}
