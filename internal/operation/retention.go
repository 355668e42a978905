package operation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/timestamp"
	"github.com/supavigil/supavigil/supabase"
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
// machine's clock, oldest first, in slices. It returns how many, also beside an
// error. It takes one request to see that nothing is to be deleted, and two for a
// slice; one more where a table of less than a page holds nothing younger.
//
// PostgREST ignores a limit on DELETE, so a slice ends at the created_at of the
// row that stands so many places on. No slice is a transaction with the next:
// what was deleted stays deleted, and another call goes on from there.
func (o *Operation[R]) DeleteOlderThan(ctx context.Context, days int) (int64, error) {
	r := retention[R]{Operation: o, cutoff: cutoff(o.began, days), slice: firstSlice}
	err := r.run(ctx)
	return o.rows, err
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
	// low is where the next slice begins: nothing older is left. It is as the
	// server wrote it, since a time.Time cannot hold all that a column can.
	low string
}

func (r *retention[R]) run(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return r.Fail(err.Error(), err)
		}
		began := time.Now()
		done, err := r.deleteSlice(ctx)
		switch {
		case isStatementTimeout(err) && r.slice > leastSlice:
			r.slice = max(r.slice/4, leastSlice)
		case err != nil || done:
			return err
		case time.Since(began) < quick:
			r.slice = min(r.slice*2, mostSlice)
		case time.Since(began) > slow:
			r.slice = max(r.slice/2, leastSlice)
		}
	}
}

// deleteSlice deletes the oldest rows, and says whether they were the last.
func (r *retention[R]) deleteSlice(ctx context.Context) (done bool, err error) {
	high, none, err := r.boundary(ctx)
	if err != nil || none {
		return none, err
	}
	if high == r.low && high != "" {
		// More rows than a slice have one created_at, as after an import.
		return false, r.deleteEqual(ctx)
	}
	if err := r.delete(ctx, r.within(r.From().Delete("minimal", "exact"), high)); err != nil {
		return false, err
	}
	r.low = high
	return high == "", nil
}

// boundary returns the created_at of the row that comes a slice after the
// oldest, or "" where there are no more rows than a slice. none says that there are
// none at all.
func (r *retention[R]) boundary(ctx context.Context) (high string, none bool, err error) {
	if !r.looked {
		r.looked = true
		if high, none, known, err := r.look(ctx); known || err != nil {
			return high, none, err
		}
	}
	times, err := r.times(ctx, r.within(r.From().Select("created_at", "", false), "").Range(r.slice, r.slice, ""))
	if err != nil || len(times) == 0 {
		return "", false, err
	}
	return times[0], false, nil
}

// look reads the times of a page of the oldest rows, be they deleted or not. Where
// one of them stays, those before it are all that is to be deleted, and else they
// are the first slice: both take no other request. A shorter page that ends before
// may have been cut by the server's db-max-rows, so nothing is known.
func (r *retention[R]) look(ctx context.Context) (high string, none, known bool, err error) {
	query := r.From().Select("created_at", "", false).And("created_at.not.is.null", "")
	times, err := r.times(ctx, query.Limit(pageSize, ""))
	if err != nil || len(times) == 0 {
		return "", true, true, err
	}
	for i, text := range times {
		at, err := timestamp.Parse(text)
		if err != nil { // such as -infinity
			return "", false, false, nil
		}
		if !at.Before(r.cutoff) {
			return "", i == 0, true, nil
		}
	}
	high = times[len(times)-1]
	return high, false, len(times) >= pageSize && times[0] != high, nil
}

// times executes a query for created_at, oldest first.
func (r *retention[R]) times(ctx context.Context, query *postgrest.FilterBuilder) ([]string, error) {
	heard, err := r.send(ctx, query.Order("created_at", oldest))
	if err != nil {
		return nil, err
	}
	rows, err := decodeArray[struct {
		CreatedAt string `json:"created_at"`
	}](r.Operation, heard.Body)
	if err != nil {
		return nil, err
	}
	times := make([]string, len(rows))
	for i, row := range rows {
		if times[i] = row.CreatedAt; row.CreatedAt == "" {
			return nil, r.undecodable(errNoCreatedAt)
		}
	}
	return times, nil
}

// oldest is served by a plain index on created_at.
var oldest = &postgrest.OrderOpts{Ascending: true}

// within narrows a query to created_at from low on and before high; "" stands
// for no lower bound, and for the cutoff.
func (r *retention[R]) within(query *postgrest.FilterBuilder, high string) *postgrest.FilterBuilder {
	if high == "" {
		high = timestamp.Format(r.cutoff)
	}
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
		heard, err := r.send(ctx, r.From().Select("id", "", false).Eq("created_at", r.low).Limit(pageSize, ""))
		if err != nil {
			return err
		}
		rows, err := decodeArray[struct {
			ID string `json:"id"`
		}](r.Operation, heard.Body)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := make([]string, len(rows))
		for i, row := range rows {
			if ids[i] = row.ID; row.ID == "" {
				return r.undecodable(errNoID)
			}
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

func (r *retention[R]) delete(ctx context.Context, query *postgrest.FilterBuilder) error {
	deleted, err := r.count(ctx, query)
	r.rows += deleted
	if errors.Is(err, errNoCount) {
		return r.Uncertain(err)
	}
	return err
}

// isStatementTimeout also knows how @supabase/lite reports one.
func isStatementTimeout(err error) bool {
	e, ok := errors.AsType[*supabase.Error](err)
	return ok && (e.Code == "57014" || e.Code == "SUP" && strings.Contains(e.Message, "statement timeout"))
}
