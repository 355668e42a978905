package operation

import (
	"context"
	"errors"
	"iter"
	"math"
	"time"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/supabase"
)

// List yields rows, newest first and those without a time last, in pages. An error
// comes once, last.
//
// A short page does not prove the end of a list: a server cuts it at its
// db-max-rows without a word. An empty one does, and so does the last row of all,
// read from the other end of the index, where it is the one that came last.
func List[R any](ctx context.Context, o *Operation, client *supabase.Client, listing Listing, shape Shape[R]) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		l := &list[R]{Operation: o, Listing: listing, client: client, shape: shape, yield: yield, left: listing.Limit, full: pageSize}
		if l.left == 0 {
			l.left = math.MaxInt
		}
		if err := l.run(ctx); err != nil {
			yield(nil, err)
		}
	}
}

type list[R any] struct {
	*Operation
	Listing
	client *supabase.Client
	shape  Shape[R]
	yield  func(*R, error) bool
	left   int    // rows still to yield at most; 0: no more are wanted, or there are none
	last   cursor // the row that came last
	full   int    // a page of so many rows may have been cut
}

func (l *list[R]) run(ctx context.Context) error {
	undated := false // there may be rows without a time
	if !l.narrowed() {
		var err error
		if undated, err = l.first(ctx); err != nil {
			return err
		}
	}
	for l.left > 0 {
		page, short, err := l.page(ctx, l.dated(l.query(l.Operation, l.client, "*"), l.last))
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		if err := l.emit(page); err != nil {
			return err
		}
		if short && undated && !l.nullsFirst() && l.left > 0 {
			if whole, err := l.ends(ctx, page); whole || err != nil {
				return err
			}
		}
	}
	l.last = cursor{}
	for undated && l.left > 0 {
		page, _, err := l.page(ctx, l.undated(l.query(l.Operation, l.client, "*"), l.last))
		if err != nil || len(page) == 0 {
			return err
		}
		if dated, _ := l.split(page); len(dated) > 0 {
			return l.another(l.By)
		}
		if err := l.emit(page); err != nil {
			return err
		}
	}
	return nil
}

// first reads the first page, of rows with a time and without as the index has
// them. It yields those with one and, if the list ends there, the others. It says
// whether there may be others.
func (l *list[R]) first(ctx context.Context) (undated bool, err error) {
	page, short, err := l.page(ctx, l.sorted(l.query(l.Operation, l.client, "*")))
	if err != nil {
		return false, err
	}
	if len(page) == 0 {
		l.left = 0
		return false, nil
	}
	dated, others := l.split(page)
	undated = len(others) > 0 || !l.nullsFirst()
	if err := l.emit(dated); err != nil || !undated || l.left == 0 {
		return undated, err
	}
	whole := len(others) >= l.left && !l.nullsFirst() // the limit is reached
	if short && !whole {
		if whole, err = l.ends(ctx, page); err != nil {
			return undated, err
		}
	}
	if whole {
		l.give(others)
		l.left = 0
	} else {
		l.rows -= int64(len(others)) // they come again
	}
	return undated, nil
}

// split tells rows with a time from those without, which come first or last. One
// of the year 1 is taken for NULL too: a Go program's zero time, stored. So nothing
// may follow from NULL alone.
func (l *list[R]) split(page []R) (dated, undated []R) {
	if l.narrowed() {
		return page, nil
	}
	first, after := 0, len(page)
	if l.nullsFirst() {
		for first < after && l.at(&page[first]).IsZero() {
			first++
		}
		return page[first:], page[:first]
	}
	for after > 0 && l.at(&page[after-1]).IsZero() {
		after--
	}
	return page[:after], page[after:]
}

func (l *list[R]) at(row *R) time.Time {
	_, at := l.shape.Value(row, l.By)
	return at
}

// page executes a query for as many rows as are wanted and may come at once. short
// says that they are fewer.
func (l *list[R]) page(ctx context.Context, query *postgrest.FilterBuilder) (page []R, short bool, err error) {
	for {
		asked := l.Ask(l.left)
		page, err = Rows(ctx, l.Operation, query.Limit(asked, ""), l.shape, l.Where...)
		if l.AskFewer(err) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		return page, len(page) < min(asked, l.full), nil
	}
}

// emit yields rows that follow one another and those before.
func (l *list[R]) emit(rows []R) error {
	for i := range rows {
		next := cursor{l.at(&rows[i]), l.shape.id(&rows[i])}
		if !next.after(l.last) {
			return l.Fail("the answer repeats rows, or mixes them: the server does not page by "+l.By+" and id", errPaging)
		}
		if !l.within(next.at) {
			return l.another(l.By)
		}
		l.last = next
	}
	l.give(rows)
	return nil
}

var errPaging = errors.New("rows out of order")

// give yields rows until no more are wanted.
func (l *list[R]) give(rows []R) {
	for i := range rows {
		if l.left == 0 {
			return
		}
		if l.left--; !l.yield(&rows[i], nil) {
			l.left = 0
		}
	}
}

// ends says whether the last row of a page is the last of all.
func (l *list[R]) ends(ctx context.Context, page []R) (bool, error) {
	got, _, err := l.send(ctx, l.reversed(l.query(l.Operation, l.client, "id")).Limit(1, ""))
	if err != nil {
		return false, err
	}
	last, err := decodeArray[struct {
		ID string `json:"id"`
	}](l.Operation, got.body)
	if err != nil {
		return false, err
	}
	l.full = len(page)
	return len(last) > 0 && last[0].ID == l.shape.id(&page[len(page)-1]), nil
}

// Find returns the newest row of a listing that has a time, or nil where there is
// none.
func Find[R any](ctx context.Context, o *Operation, client *supabase.Client, listing Listing, shape Shape[R]) (*R, error) {
	row, err := Get(ctx, o, listing.dated(listing.query(o, client, "*"), cursor{}).Limit(1, "").Single(), shape, listing.Where...)
	if errors.Is(err, supabase.ErrNotFound) {
		return nil, nil //nolint:nilnil // the models' contract: no row is no error
	}
	if err != nil {
		return nil, err
	}
	if _, at := shape.Value(row, listing.By); !listing.within(at) {
		return nil, o.another(listing.By)
	}
	return row, nil
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
