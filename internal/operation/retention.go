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
	firstSlice = 5_000 // rows
	mostSlice  = 20_000
	leastSlice = 100
	quick      = 500 * time.Millisecond
	slow       = 2 * time.Second
)

// DeleteOlderThan deletes the rows created before days before now, by this
// machine's clock, oldest first, in slices. It returns how many, also beside an
// error.
//
// PostgREST ignores a limit on DELETE, so a slice ends at the created_at of the
// row that stands so many places on. No slice is a transaction with the next:
// what was deleted stays deleted, and another call goes on from there.
func DeleteOlderThan(ctx context.Context, o *Operation, client *supabase.Client, days int) (int64, error) {
	r := retention{Operation: o, client: client, cutoff: timestamp.Format(cutoff(o.began, days)), size: firstSlice}
	err := r.run(ctx)
	return o.rows, err
}

// cutoff goes back by calendar days, which cannot wrap as a product of durations
// does.
func cutoff(now time.Time, days int) time.Time { return now.UTC().AddDate(0, 0, -days) }

type retention struct {
	*Operation
	client *supabase.Client
	cutoff string
	size   int // rows of the next slice
	// low is where the next slice begins: nothing older is left. It is as the
	// server wrote it, since a time.Time cannot hold all that a column can.
	low string
}

func (r *retention) run(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return r.Fail(err.Error(), err)
		}
		began := time.Now()
		done, err := r.slice(ctx)
		switch {
		case isStatementTimeout(err) && r.size > leastSlice:
			r.size = max(r.size/4, leastSlice)
		case err != nil || done:
			return err
		case time.Since(began) < quick:
			r.size = min(r.size*2, mostSlice)
		case time.Since(began) > slow:
			r.size = max(r.size/2, leastSlice)
		}
	}
}

// slice deletes the oldest rows, and says whether they were the last.
func (r *retention) slice(ctx context.Context) (done bool, err error) {
	high, err := r.boundary(ctx)
	if err != nil {
		return false, err
	}
	if high == r.low && high != "" {
		// More rows than a slice have one created_at, as after an import.
		return false, r.deleteEqual(ctx)
	}
	if err := r.delete(ctx, r.within(r.client.From(r.table).Delete("minimal", "exact"), high)); err != nil {
		return false, err
	}
	r.low = high
	return high == "", nil
}

// boundary returns the created_at of the row that comes a slice after the
// oldest, or "" where there are no more rows than a slice.
func (r *retention) boundary(ctx context.Context) (string, error) {
	query := r.within(r.client.From(r.table).Select("created_at", "", false), "")
	got, _, err := r.send(ctx, query.Order("created_at", oldest).Range(r.size, r.size, ""))
	if err != nil {
		return "", err
	}
	rows, err := decodeArray[struct {
		CreatedAt string `json:"created_at"`
	}](r.Operation, got.body)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	if rows[0].CreatedAt == "" {
		return "", r.undecodable(errNoCreatedAt)
	}
	return rows[0].CreatedAt, nil
}

// oldest is served by a plain index on created_at.
var oldest = &postgrest.OrderOpts{Ascending: true}

// within narrows a query to created_at from low on and before high; "" stands
// for no lower bound, and for the cutoff.
func (r *retention) within(query *postgrest.FilterBuilder, high string) *postgrest.FilterBuilder {
	if high == "" {
		high = r.cutoff
	}
	if r.low == "" {
		return query.Lt("created_at", high)
	}
	return query.And("created_at.gte."+quote(r.low)+",created_at.lt."+quote(high), "")
}

// deleteEqual deletes the rows whose created_at is low, by their ids: they
// cannot be told apart by an index otherwise.
func (r *retention) deleteEqual(ctx context.Context) error {
	var before []string
	for {
		got, _, err := r.send(ctx, r.client.From(r.table).Select("id", "", false).Eq("created_at", r.low).Limit(pageSize, ""))
		if err != nil {
			return err
		}
		rows, err := decodeArray[struct {
			ID string `json:"id"`
		}](r.Operation, got.body)
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
			return r.Fail("the server does not delete what it lists", errStays)
		}
		for some := range slices.Chunk(ids, idsPerQuery) {
			if err := r.delete(ctx, r.client.From(r.table).Delete("minimal", "exact").In("id", some)); err != nil {
				return err
			}
		}
		before = ids
	}
}

func (r *retention) delete(ctx context.Context, query *postgrest.FilterBuilder) error {
	deleted, err := r.count(ctx, query)
	r.rows += deleted
	return err
}

// isStatementTimeout also knows how @supabase/lite reports one.
func isStatementTimeout(err error) bool {
	e, ok := errors.AsType[*supabase.Error](err)
	return ok && (e.Code == "57014" || e.Code == "SUP" && strings.Contains(e.Message, "statement timeout"))
}

var (
	errNoCreatedAt = errors.New("a row has no created_at")
	errStays       = errors.New("rows stay")
)
