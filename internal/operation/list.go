package operation

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/timestamp"
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

// List yields up to limit rows (0: all of them), newest created_at first and
// those without one last, in pages by (created_at, id). An error comes once,
// last. query starts a select with one filter per column, none on created_at
// or id, and no And or Or; order is Newest or NewestOfSome.
func List[R any](ctx context.Context, o *Operation, limit int, query func() *postgrest.FilterBuilder, order *postgrest.OrderOpts, key Key[R]) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		left := limit
		for _, page := range []pager{dated, undated} {
			var last cursor
			for {
				want := pageSize
				if limit > 0 {
					want = min(left, pageSize)
				}
				rows, err := Rows(ctx, o, page(query(), order, last).Limit(want, ""), key)
				if err != nil {
					yield(nil, err)
					return
				}
				// A server cuts a page at its db-max-rows without a word, so only
				// an empty one is the end.
				if len(rows) == 0 {
					break
				}
				if limit > 0 && len(rows) > want { // a server that ignores the limit
					rows = rows[:want]
				}
				for i := range rows {
					if createdAt, id := key(&rows[i]); !last.before(createdAt, id) {
						yield(nil, o.fail("the answer repeats rows: the server does not page by created_at and id", errPaging))
						return
					}
					if !yield(&rows[i], nil) {
						return
					}
				}
				if left -= len(rows); limit > 0 && left <= 0 {
					return
				}
				last.createdAt, last.id = key(&rows[len(rows)-1])
			}
		}
	}
}

// cursor is the key of the last row of a page; its zero value is the start.
type cursor struct {
	createdAt time.Time
	id        string
}

// A pager narrows a query to what follows the cursor.
type pager func(query *postgrest.FilterBuilder, order *postgrest.OrderOpts, after cursor) *postgrest.FilterBuilder

// dated pages through the rows that have a created_at. The condition on
// created_at alone is what an index can serve; an OR is not.
func dated(query *postgrest.FilterBuilder, order *postgrest.OrderOpts, after cursor) *postgrest.FilterBuilder {
	if after.id == "" {
		query = query.And("created_at.not.is.null", "")
	} else {
		at := timestamp.Format(after.createdAt)
		query = query.Lte("created_at", at).Or("created_at.lt."+quote(at)+",id.lt."+quote(after.id), "")
	}
	return query.Order("created_at", order).Order("id", order)
}

// undated pages through the rows whose created_at is NULL, which others may
// have stored: the column has a default but no NOT NULL.
func undated(query *postgrest.FilterBuilder, order *postgrest.OrderOpts, after cursor) *postgrest.FilterBuilder {
	query = query.Is("created_at", "null")
	if after.id != "" {
		query = query.Lt("id", after.id)
	}
	return query.Order("id", order)
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
