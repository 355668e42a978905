package operation

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/supavigil/supavigil/supabase"
)

// manyTied is how many pages of one time alone come before those that are left of it
// are asked for by that time and the id: an index goes to the next one at once, where
// the condition of every other page walks through those that came. To find the end of
// them costs a request.
const manyTied = 10

// List is a list that is read page by page: newest first, and rows without a time
// last.
//
// A short page does not prove the end of a list: a server cuts it at its
// db-max-rows without a word. An empty one does, and so does the last row of all,
// read from the other end of the index, where it is the one that came last.
type List[R any] struct {
	*Operation[R]
	Listing
	part part   // what the next page is of
	last cursor // the row before it
	left int    // rows that are wanted still

	tied  int  // pages of the cursor's time alone, one after the other
	nulls bool // there may be rows without a time
	full  int  // a page of so many rows may have been cut
	whole bool // the page has as many rows as there are
	short []R  // the last page, where it may be the end of the list
	rest  []R  // the first page's rows without a time; they come again unless it was
}

// List returns the list of a listing, before its first page.
func (o *Operation[R]) List(listing Listing) *List[R] {
	l := &List[R]{Operation: o, Listing: listing, left: listing.Limit, full: pageSize}
	if l.left == 0 {
		l.left = math.MaxInt
	}
	if l.narrowed() {
		l.part = withTime
	}
	return l
}

// Next returns the rows of the next page; none at the end.
func (l *List[R]) Next(ctx context.Context) ([]R, error) {
	for l.left > 0 {
		if ends, err := l.ends(ctx); err != nil {
			return nil, err
		} else if ends {
			page := l.take(l.rest)
			l.left = 0
			return page, nil
		}
		l.rows -= int64(len(l.rest))
		l.short, l.rest = nil, nil
		page, short, err := l.page(ctx)
		switch {
		case err != nil:
			return nil, err
		case len(page) == 0 && l.part == withTime && l.nulls:
			l.part, l.last = withoutTime, cursor{}
			continue
		case len(page) == 0 && l.part == oneTime:
			l.part, l.last.id, l.tied = withTime, "", 0
			continue
		case len(page) == 0:
			l.left = 0
			return nil, nil
		}
		rows := page
		if l.part == anyTime {
			rows, l.rest = l.split(page)
			l.part, l.nulls = withTime, len(l.rest) > 0 || !l.nullsFirst()
		}
		if short && (len(l.rest) > 0 || l.nulls && !l.nullsFirst()) {
			l.short = page
		}
		if err := l.follow(rows); err != nil {
			return nil, err
		}
		if l.whole {
			page := l.take(slices.Concat(rows, l.rest))
			l.left = 0
			return page, nil
		}
		if l.tied >= manyTied {
			l.part = oneTime
		}
		if len(rows) > 0 {
			return l.take(rows), nil
		}
	}
	return nil, nil
}

// ends says whether nothing follows the last page but its rows without a time: they
// are as many as are wanted, or its last row is the last of all.
func (l *List[R]) ends(ctx context.Context) (bool, error) {
	if !l.nullsFirst() && len(l.rest) >= l.left {
		return true, nil
	}
	if l.short == nil {
		return false, nil
	}
	oldest, err := l.texts(ctx, "id", l.oldest(l.From()))
	if err != nil {
		return false, err
	}
	l.full = len(l.short)
	return len(oldest) > 0 && oldest[0] == l.table.text(&l.short[len(l.short)-1], "id"), nil
}

// page reads as many rows as are wanted and may come at once. short says that they
// are fewer.
func (l *List[R]) page(ctx context.Context) (page []R, short bool, err error) {
	query := l.query(l.From(), l.part, l.last)
	for {
		asked := l.Ask(l.left)
		heard, err := l.send(ctx, query.Limit(asked, ""))
		if l.AskFewer(err) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		if page, err = l.decodeRows(heard.Body, l.Where...); err != nil {
			return nil, false, err
		}
		l.whole = heard.Counted && heard.Count == int64(len(page))
		return page, len(page) < min(asked, l.full), nil
	}
}

// split tells rows with a time from those without, which come first or last. One
// of the year 1 is taken for NULL too: a Go program's zero time, stored. So nothing
// may follow from NULL alone.
func (l *List[R]) split(page []R) (timed, untimed []R) {
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

func (l *List[R]) at(row *R) time.Time { return l.table.time(row, l.By) }

// follow moves the cursor to the last of rows, unless they do not follow one another
// and those before: then the server ignores the query, and going on would never end.
func (l *List[R]) follow(rows []R) error {
	before := l.last.at
	for i := range rows {
		next := cursor{l.at(&rows[i]), l.table.text(&rows[i], "id")}
		if !l.within(next.at) || l.part == withoutTime && !next.at.IsZero() || l.part == oneTime && !next.at.Equal(before) {
			return l.another(l.By)
		}
		if !next.after(l.last) {
			return l.Fail("the answer repeats rows, or mixes them: the server does not page by "+l.By+" and id", errors.New("rows out of order"))
		}
		l.last = next
	}
	if l.tied++; before.IsZero() || !l.last.at.Equal(before) {
		l.tied = 0
	}
	return nil
}

// take returns as many of rows as are wanted.
func (l *List[R]) take(rows []R) []R {
	rows = rows[:min(len(rows), l.left)]
	l.left -= len(rows)
	return rows
}

// Each yields the rows of all pages, until a yield returns false.
func (l *List[R]) Each(ctx context.Context, yield func(R, error) bool) error {
	for {
		page, err := l.Next(ctx)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, row := range page {
			if !yield(row, nil) {
				return nil
			}
		}
	}
}

// Collect returns the rows of all pages; without any, an empty slice.
func (l *List[R]) Collect(ctx context.Context) ([]R, error) {
	rows := []R{}
	for {
		page, err := l.Next(ctx)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return rows, nil
		}
		rows = append(rows, page...)
	}
}

// Newest returns the newest row of a listing that has a time, or nil where there is
// none.
func (o *Operation[R]) Newest(ctx context.Context, listing Listing) (*R, error) {
	row, err := o.Get(ctx, listing.query(o.From(), withTime, cursor{}).Limit(1, "").Single(), listing.Where...)
	if errors.Is(err, supabase.ErrNotFound) {
		return nil, nil //nolint:nilnil // the models' contract: no row is no error
	}
	if err != nil {
		return nil, err
	}
	if !listing.within(o.table.time(row, listing.By)) {
		return nil, o.another(listing.By)
	}
	return row, nil
}
