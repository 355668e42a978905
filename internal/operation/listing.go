package operation

import (
	"errors"
	"slices"
	"strings"
	"time"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// Listing is what to list.
type Listing struct {
	// Where are the rows to list: those with each of these values.
	Where []Filter
	// By is the column of times that orders the rows, newest first.
	By string
	// Limit is the most rows; 0 means all of them.
	Limit int
	// Since and Until narrow By to [Since, Until), to the microsecond. Zero times
	// narrow nothing.
	Since, Until time.Time
	// Counted asks for the number of rows with the first page, so that it is known to
	// be the whole list: for lists that are short, and costly to read from the other end.
	Counted bool
}

// Filter is a value of a text column, or of id, that rows have, or have Not. "" stands
// for all.
type Filter struct {
	Column, Value string
	Not           bool
}

// Service is a filter for the rows of a service.
func Service(name string) Filter { return Filter{Column: "service_name", Value: name} }

// ID is a filter for one row.
func ID(id string) Filter { return Filter{Column: "id", Value: id} }

func (f Filter) holds(value string) bool {
	same := value == f.Value || f.Column == "id" && strings.EqualFold(value, f.Value)
	return f.Value == "" || same != f.Not
}

// Check returns what is invalid in a listing.
func (l Listing) Check() error {
	faults := []error{column.Limit(l.Limit)}
	for _, f := range l.Where {
		faults = append(faults, column.OptionalName(f.Column, f.Value))
	}
	return errors.Join(append(faults, column.Period(l.Since, l.Until))...)
}

// narrowed says that Since or Until leaves out the rows without a time.
func (l Listing) narrowed() bool { return !l.Since.IsZero() || !l.Until.IsZero() }

// within says whether a time is within [Since, Until).
func (l Listing) within(at time.Time) bool {
	return !(!l.Since.IsZero() && at.Before(roundUp(l.Since)) || !l.Until.IsZero() && !at.Before(roundUp(l.Until)))
}

// nullsFirst says where NULL is put, and so which index serves the query: a list of
// all rows is read from a plain one, backwards. What is about some rows of many, such
// as a service's, says NULLS LAST, which only an index made for it serves: else
// PostgreSQL may prefer the one on the time alone and walk through all the other
// rows, to the end of the table if these are old.
func (l Listing) nullsFirst() bool {
	return !slices.ContainsFunc(l.Where, func(f Filter) bool { return f.Value != "" })
}

// part is a part of a list. The first page is of both parts, as the index has them.
type part int

const (
	anyTime part = iota
	withTime
	oneTime     // that of the cursor
	withoutTime // NULL, which others may have stored: the column has a default but no NOT NULL
)

// query asks for the rows of a part that come after the cursor, in their order.
func (l Listing) query(from *postgrest.QueryBuilder, p part, after cursor) *postgrest.FilterBuilder {
	count := ""
	if l.Counted && p == anyTime {
		count = "exact"
	}
	query := l.filter(from.Select("*", count, false))
	switch p {
	case withTime:
		query = l.timed(query, after)
	case oneTime:
		query = query.Eq(l.By, timestamp.Format(after.at)).Lt("id", after.id)
	case withoutTime:
		if query = query.Is(l.By, "null"); after.id != "" {
			query = query.Lt("id", after.id)
		}
	case anyTime:
	}
	order := &postgrest.OrderOpts{NullsFirst: l.nullsFirst()}
	return query.Order(l.By, order).Order("id", order)
}

// oldest asks for the id of the row that a query of any time puts last. The same
// index serves it.
func (l Listing) oldest(from *postgrest.QueryBuilder) *postgrest.FilterBuilder {
	order := &postgrest.OrderOpts{Ascending: true, NullsFirst: !l.nullsFirst()}
	return l.filter(from.Select("id", "", false)).Order(l.By, order).Order("id", order).Limit(1, "")
}

// filter narrows a query to Where, with a filter for each column: postgrest-go spoils
// more.
func (l Listing) filter(query *postgrest.FilterBuilder) *postgrest.FilterBuilder {
	for _, f := range l.Where {
		switch {
		case f.Value == "":
		case f.Not:
			query = query.Neq(f.Column, f.Value)
		default:
			query = query.Eq(f.Column, f.Value)
		}
	}
	return query
}

// timed narrows a query to the rows that have a time and come after the cursor. The
// condition on the time alone is what an index can serve; an OR is not.
func (l Listing) timed(query *postgrest.FilterBuilder, after cursor) *postgrest.FilterBuilder {
	var conditions []string
	if !l.Since.IsZero() {
		conditions = append(conditions, l.By+".gte."+quote(timestamp.Format(roundUp(l.Since))))
	}
	switch {
	case after.id != "":
		at := timestamp.Format(after.at)
		query = query.Lte(l.By, at)
		conditions = append(conditions, "or("+l.By+".lt."+quote(at)+",id.lt."+quote(after.id)+")")
	case !after.at.IsZero():
		conditions = append(conditions, l.By+".lt."+quote(timestamp.Format(after.at)))
	case !l.Until.IsZero():
		conditions = append(conditions, l.By+".lt."+quote(timestamp.Format(roundUp(l.Until))))
	case l.Since.IsZero():
		conditions = append(conditions, l.By+".not.is.null")
	}
	return query.And(strings.Join(conditions, ","), "")
}

// cursor is the place of a row in a list, or, without an id, of the last that has its
// time; its zero value is the start.
type cursor struct {
	at time.Time
	id string
}

// after says whether a row comes after another.
func (c cursor) after(last cursor) bool {
	if last.id == "" {
		return last.at.IsZero() || c.at.Before(last.at)
	}
	if !c.at.Equal(last.at) {
		return c.at.Before(last.at)
	}
	return c.id < last.id
}

// roundUp returns the first microsecond that is not before t: what PostgreSQL
// keeps is on one side of both or of neither.
func roundUp(t time.Time) time.Time {
	return t.Add(time.Microsecond - 1).Truncate(time.Microsecond)
}

// Bound is one of Since and Until as a function's argument, nil for none.
func Bound(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(timestamp.Format(roundUp(t)))
}

// quote makes a value a literal inside and(…) or or(…); see
// https://docs.postgrest.org/en/stable/references/api/url_grammar.html#reserved-characters.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
