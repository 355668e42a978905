package operation

import (
	"errors"
	"slices"
	"strings"
	"time"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/timestamp"
	"github.com/supavigil/supavigil/supabase"
)

// Listing is what to list.
type Listing struct {
	// Where are the rows to list: those with each of these values.
	Where []Match
	// By is the column of times that orders the rows, newest first.
	By string
	// Limit is the most rows; 0 means all of them.
	Limit int
	// Since and Until narrow By to [Since, Until), to the microsecond. Zero times
	// narrow nothing.
	Since, Until time.Time
}

// Match is a value of a text column, or of id. "" stands for all.
type Match struct{ Column, Value string }

func (m Match) holds(value string) bool {
	return m.Value == "" || value == m.Value || m.Column == "id" && strings.EqualFold(value, m.Value)
}

// check returns an error unless a row has an id, and the values that it was asked
// for by: not every server, or what stands before it, heeds every filter.
func check[R any](o *Operation, row *R, shape Shape[R], where []Match) error {
	if shape.id(row) == "" {
		return o.undecodable(errNoID)
	}
	for _, m := range where {
		if value, _ := shape.Value(row, m.Column); !m.holds(value) {
			return o.another(m.Column)
		}
	}
	return nil
}

func (o *Operation) another(column string) error {
	return o.Fail("the answer has a row of another "+column, errAnother)
}

var errAnother = errors.New("a row that was not asked for")

// cursor is the place of the last row of a page; its zero value is the start.
type cursor struct {
	at time.Time
	id string
}

// after says whether a row comes after the cursor, as those of a next page must
// unless the server ignores the query; going on would never end then.
func (c cursor) after(last cursor) bool {
	if last.id == "" {
		return true
	}
	if !c.at.Equal(last.at) {
		return c.at.Before(last.at)
	}
	return c.id < last.id
}

// query starts a select, with a filter for each column: postgrest-go spoils more.
func (l Listing) query(o *Operation, client *supabase.Client, columns string) *postgrest.FilterBuilder {
	query := client.From(o.table).Select(columns, "", false)
	for _, m := range l.Where {
		if m.Value != "" {
			query = query.Eq(m.Column, m.Value)
		}
	}
	return query
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
	return !slices.ContainsFunc(l.Where, func(m Match) bool { return m.Value != "" })
}

// sorted puts the newest rows first, and those without a time where nullsFirst says.
func (l Listing) sorted(query *postgrest.FilterBuilder) *postgrest.FilterBuilder {
	order := &postgrest.OrderOpts{NullsFirst: l.nullsFirst()}
	return query.Order(l.By, order).Order("id", order)
}

// reversed puts last what sorted puts first. The same index serves it.
func (l Listing) reversed(query *postgrest.FilterBuilder) *postgrest.FilterBuilder {
	order := &postgrest.OrderOpts{Ascending: true, NullsFirst: !l.nullsFirst()}
	return query.Order(l.By, order).Order("id", order)
}

// dated narrows a query to the rows that have a time and come after the cursor. The
// condition on the time alone is what an index can serve; an OR is not.
func (l Listing) dated(query *postgrest.FilterBuilder, after cursor) *postgrest.FilterBuilder {
	var conditions []string
	if !l.Since.IsZero() {
		conditions = append(conditions, l.By+".gte."+quote(timestamp.Format(roundUp(l.Since))))
	}
	switch {
	case after.id != "":
		at := timestamp.Format(after.at)
		query = query.Lte(l.By, at)
		conditions = append(conditions, "or("+l.By+".lt."+quote(at)+",id.lt."+quote(after.id)+")")
	case !l.Until.IsZero():
		conditions = append(conditions, l.By+".lt."+quote(timestamp.Format(roundUp(l.Until))))
	case l.Since.IsZero():
		conditions = append(conditions, l.By+".not.is.null")
	}
	return l.sorted(query.And(strings.Join(conditions, ","), ""))
}

// undated narrows a query to the rows that have no time, which others may have
// stored: the column has a default but no NOT NULL.
func (l Listing) undated(query *postgrest.FilterBuilder, after cursor) *postgrest.FilterBuilder {
	query = query.Is(l.By, "null")
	if after.id != "" {
		query = query.Lt("id", after.id)
	}
	return l.sorted(query)
}

// roundUp returns the first microsecond that is not before t: what PostgreSQL
// keeps is on one side of both or of neither.
func roundUp(t time.Time) time.Time {
	return t.Add(time.Microsecond - 1).Truncate(time.Microsecond)
}

// quote makes a value a literal inside and(…) or or(…); see
// https://docs.postgrest.org/en/stable/references/api/url_grammar.html#reserved-characters.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
