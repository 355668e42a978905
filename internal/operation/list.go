package operation

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/timestamp"
	"github.com/supavigil/supavigil/supabase"
)

// pageSize is how many rows a request asks for. It is Supabase's own
// db-max-rows: asking for more would bring no more.
const pageSize = 1000

// Both orders put the largest value first. Where they put NULL does not matter
// to the rows, since the queries filter it out, but says which index can serve
// them.
var (
	// Newest is what a plain index serves, read backwards.
	Newest = &postgrest.OrderOpts{NullsFirst: true}
	// NewestOfSome is for queries about some rows of many, such as a service's:
	// only an index made for it, DESC NULLS LAST, serves it. For Newest,
	// PostgreSQL may prefer the index on created_at alone and walk through all
	// the other rows, to the end of the table if these are old.
	NewestOfSome = &postgrest.OrderOpts{NullsFirst: false}
)

// Listing is what to list.
type Listing struct {
	// Query starts a select with one filter per column, none on created_at or id,
	// and no And or Or.
	Query func() *postgrest.FilterBuilder
	// Order is Newest or NewestOfSome.
	Order *postgrest.OrderOpts
	// Limit is the most rows; 0 means all of them.
	Limit int
	// Since and Until narrow created_at to [Since, Until), to the microsecond.
	// Zero times narrow nothing.
	Since, Until time.Time
}

// List yields rows, newest created_at first and those without one last, in pages
// by (created_at, id). An error comes once, last.
func List[R any](ctx context.Context, o *Operation, listing Listing, shape Shape[R]) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		left := listing.Limit
		for _, page := range listing.pagers() {
			var last cursor
			for {
				want := pageSize
				if listing.Limit > 0 {
					want = min(left, pageSize)
				}
				rows, err := Rows(ctx, o, page(listing.Query(), last).Limit(want, ""), shape)
				if err != nil {
					yield(nil, err)
					return
				}
				// A server cuts a page at its db-max-rows without a word, so only
				// an empty one is the end.
				if len(rows) == 0 {
					break
				}
				if listing.Limit > 0 && len(rows) > want { // a server that ignores the limit
					rows = rows[:want]
				}
				for i := range rows {
					if createdAt, id := shape.Key(&rows[i]); !last.before(createdAt, id) {
						yield(nil, o.Fail("the answer repeats rows: the server does not page by created_at and id", errPaging))
						return
					}
					if !yield(&rows[i], nil) {
						return
					}
				}
				if left -= len(rows); listing.Limit > 0 && left <= 0 {
					return
				}
				last.createdAt, last.id = shape.Key(&rows[len(rows)-1])
			}
		}
	}
}

// cursor is the key of the last row of a page; its zero value is the start.
type cursor struct {
	createdAt time.Time
	id        string
}

// A pager narrows a query to what follows the cursor, and orders it.
type pager func(query *postgrest.FilterBuilder, after cursor) *postgrest.FilterBuilder

func (l Listing) pagers() []pager {
	if l.Since.IsZero() && l.Until.IsZero() {
		return []pager{l.dated, l.undated}
	}
	return []pager{l.dated}
}

// dated pages through the rows that have a created_at. The condition on
// created_at alone is what an index can serve; an OR is not.
func (l Listing) dated(query *postgrest.FilterBuilder, after cursor) *postgrest.FilterBuilder {
	var conditions []string
	if !l.Since.IsZero() {
		conditions = append(conditions, "created_at.gte."+quote(timestamp.Format(roundUp(l.Since))))
	}
	switch {
	case after.id != "":
		at := timestamp.Format(after.createdAt)
		query = query.Lte("created_at", at)
		conditions = append(conditions, "or(created_at.lt."+quote(at)+",id.lt."+quote(after.id)+")")
	case !l.Until.IsZero():
		conditions = append(conditions, "created_at.lt."+quote(timestamp.Format(roundUp(l.Until))))
	case l.Since.IsZero():
		conditions = append(conditions, "created_at.not.is.null")
	}
	return query.And(strings.Join(conditions, ","), "").Order("created_at", l.Order).Order("id", l.Order)
}

// undated pages through the rows whose created_at is NULL, which others may
// have stored: the column has a default but no NOT NULL.
func (l Listing) undated(query *postgrest.FilterBuilder, after cursor) *postgrest.FilterBuilder {
	query = query.Is("created_at", "null")
	if after.id != "" {
		query = query.Lt("id", after.id)
	}
	return query.Order("id", l.Order)
}

// roundUp returns the first microsecond that is not before t: what PostgreSQL
// keeps is on one side of both or of neither.
func roundUp(t time.Time) time.Time {
	return t.Add(time.Microsecond - 1).Truncate(time.Microsecond)
}

// before says whether a row of the next page comes after the cursor, as it must
// unless the server ignores the query; going on would never end then.
func (c cursor) before(createdAt time.Time, id string) bool {
	if c.id == "" {
		return true
	}
	if !createdAt.Equal(c.createdAt) {
		return createdAt.Before(c.createdAt)
	}
	return id < c.id
}

var errPaging = errors.New("rows out of order")

// quote makes a value a literal inside and(…) or or(…); see
// https://docs.postgrest.org/en/stable/references/api/url_grammar.html#reserved-characters.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// Each yields the rows of an operation of its own, which ends with the last of
// them or when the caller breaks. An error comes once, last, beside a zero row.
func Each[R any](ctx context.Context, o *Operation, connect supabase.Connector, problems []string, rows func(*supabase.Client) iter.Seq2[*R, error], yield func(R, error) bool) {
	_, err := Run(ctx, o, connect, problems, func(client *supabase.Client) (struct{}, error) {
		for row, err := range rows(client) {
			if err != nil {
				return struct{}{}, err
			}
			if !yield(*row, nil) {
				break
			}
		}
		return struct{}{}, nil
	})
	if err != nil {
		var none R
		yield(none, err)
	}
}

// Collect returns what an iterator of List yields; without rows, an empty slice.
func Collect[R any](rows iter.Seq2[*R, error]) ([]R, error) {
	collected := []R{}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		collected = append(collected, *row)
	}
	return collected, nil
}
