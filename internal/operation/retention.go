package operation

import (
	"context"
	"errors"
	"slices"
	"time"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/timestamp"
)

// A slice is what one DELETE takes. Supabase ends a statement after 8 s and rolls
// it back, so slices begin small, grow while they are quick and shrink when one
// is slow or timed out.
const (
	firstSlice = 2_500 // rows
	mostSlice  = 20_000
	leastSlice = 100
	quick      = 500 * time.Millisecond
	slow       = 2 * time.Second
)

// DeleteOlderThan deletes the rows created before days before now, by this
// machine's clock, oldest first, in slices. It returns the number deleted, even when
// err is non-nil. It takes one request to see that nothing is to be deleted, and two
// for a slice; one more where a table of less than a page holds nothing younger.
//
// PostgREST ignores a limit on DELETE, so a slice ends at the created_at of the
// row that stands so many places on. No slice is a transaction with the next:
// what was deleted stays deleted, and another call goes on from there.
func (o *Operation[R]) DeleteOlderThan(ctx context.Context, days int) (int64, error) {
	end := cutoff(o.began, days)
	r := retention[R]{Operation: o, cutoff: end, end: timestamp.Format(end), slice: firstSlice}
	for r.low != r.end {
		if err := ctx.Err(); err != nil {
			return o.rows, o.Fail(err.Error(), err)
		}
		began := time.Now()
		err := r.deleteSlice(ctx)
		switch took := time.Since(began); {
		case IsStatementTimeout(err) && r.slice > leastSlice:
			r.slice = max(r.slice/4, leastSlice)
		case err != nil:
			return o.rows, err
		case took < quick:
			r.slice = min(r.slice*2, mostSlice)
		case took > slow:
			r.slice = max(r.slice/2, leastSlice)
		}
	}
	return o.rows, nil
}

// cutoff goes back by calendar days, which cannot wrap as a product of durations
// does.
func cutoff(now time.Time, days int) time.Time {
	return now.UTC().AddDate(0, 0, -days).Truncate(time.Microsecond)
}

type retention[R any] struct {
	*Operation[R]
	cutoff time.Time
	slice  int  // rows of the next one
	looked bool // at the oldest rows
	// low is where the next slice begins: nothing older is left. It is as the server
	// wrote it, since a time.Time cannot hold all that a column can; "" at first, and
	// end, the cutoff, when all is deleted.
	low, end string
}

// deleteSlice deletes the oldest rows, if there are any.
func (r *retention[R]) deleteSlice(ctx context.Context) error {
	high, err := r.boundary(ctx)
	if err != nil || r.low == r.end {
		return err
	}
	if high == r.low { // more rows than a slice have one created_at, as after an import
		return r.deleteEqual(ctx)
	}
	err = r.delete(ctx, r.between(r.From().Delete("minimal", "exact"), high))
	if err == nil {
		r.low = high
	}
	return err
}

// boundary returns the created_at of the row that comes a slice after the oldest, or
// the end.
func (r *retention[R]) boundary(ctx context.Context) (high string, err error) {
	if !r.looked {
		r.looked = true
		if high, err = r.look(ctx); high != "" || err != nil {
			return high, err
		}
	}
	query := r.between(r.From().Select("created_at", "", false), r.end).Order("created_at", oldest)
	times, err := r.texts(ctx, "created_at", query.Range(r.slice, r.slice, ""))
	if err != nil || len(times) == 0 {
		return r.end, err
	}
	return times[0], nil
}

// look reads the times of a page of the oldest rows, be they deleted or not. Where
// one of them stays, those before it are all that is to be deleted, and else they
// are the first slice: both take no other request. A shorter page that ends before
// may have been cut by the server's db-max-rows, so nothing is known: "".
func (r *retention[R]) look(ctx context.Context) (high string, err error) {
	query := r.From().Select("created_at", "", false).And("created_at.not.is.null", "").Order("created_at", oldest)
	times, err := r.texts(ctx, "created_at", query.Limit(pageSize, ""))
	if err != nil {
		return "", err
	}
	if len(times) == 0 {
		r.low = r.end
		return r.end, nil
	}
	for i, text := range times {
		at, err := timestamp.Parse(text)
		switch {
		case err != nil:
			return "", nil //nolint:nilerr // such as -infinity
		case !at.Before(r.cutoff):
			if i == 0 {
				r.low = r.end
			}
			return r.end, nil
		}
	}
	if len(times) < pageSize || times[0] == times[pageSize-1] {
		return "", nil
	}
	return times[len(times)-1], nil
}

// oldest is served by a plain index on created_at.
var oldest = &postgrest.OrderOpts{Ascending: true}

// between narrows a query to created_at from low on and before high.
func (r *retention[R]) between(query *postgrest.FilterBuilder, high string) *postgrest.FilterBuilder {
	if r.low == "" {
		return query.Lt("created_at", high)
	}
	return query.And("created_at.gte."+quote(r.low)+",created_at.lt."+quote(high), "")
}

// deleteEqual deletes the rows whose created_at is low, by their ids: they
// cannot be told apart by an index otherwise.
func (r *retention[R]) deleteEqual(ctx context.Context) error {
	var before []string
	for {
		ids, err := r.texts(ctx, "id", r.From().Select("id", "", false).Eq("created_at", r.low).Limit(pageSize, ""))
		if err != nil || len(ids) == 0 {
			return err
		}
		if slices.Equal(ids, before) {
			return r.Fail("the server does not delete what it lists", errors.New("rows stay"))
		}
		for some := range slices.Chunk(ids, idsPerQuery) {
			if err := r.delete(ctx, r.From().Delete("minimal", "exact").In("id", some)); err != nil {
				return err
			}
		}
		before = ids
	}
}

// delete executes a query that asks for an exact count.
func (r *retention[R]) delete(ctx context.Context, query *postgrest.FilterBuilder) error {
	heard, err := r.send(ctx, query)
	if err != nil {
		return err
	}
	if !heard.Counted {
		return r.Uncertain(r.Fail("the answer does not say how many rows it counted", errors.New("no count in Content-Range")))
	}
	r.rows += heard.Count
	return nil
}

// DeleteBy deletes rows older than days by a function, which says how many of at most
// max_rows it deleted, until it finds no more. It returns the number deleted, even when
// err is non-nil.
func (o *Operation[R]) DeleteBy(ctx context.Context, function string, days int) (int64, error) {
	for {
		asked := o.Ask(pageSize)
		var answer struct {
			Deleted *int64 `json:"deleted"`
		}
		err := o.CallInto(ctx, &answer, function, map[string]int{"older_than_days": days, "max_rows": asked})
		if o.AskFewer(err) {
			continue
		}
		if err != nil {
			return o.rows, err
		}
		if answer.Deleted == nil || *answer.Deleted < 0 || *answer.Deleted > int64(asked) {
			return o.rows, o.Uncertain(o.Fail("the answer does not say how many rows were deleted", errors.New("no number")))
		}
		o.rows += *answer.Deleted
		if *answer.Deleted < int64(asked) {
			return o.rows, nil
		}
	}
}
