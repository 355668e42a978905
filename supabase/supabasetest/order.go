package supabasetest

import (
	"slices"
	"strings"
)

// orderTerm is one column of an order.
type orderTerm struct {
	column     string
	descending bool
	nullsFirst bool
}

// parseOrder reads column[.asc|.desc][.nullsfirst|.nullslast] and more of them,
// separated by commas.
func parseOrder(text string) ([]orderTerm, error) {
	var terms []orderTerm
	for part := range strings.SplitSeq(text, ",") {
		words := strings.Split(strings.Trim(part, " \t"), ".")
		term := orderTerm{column: words[0]}
		words = words[1:]
		if len(words) > 0 && (words[0] == "asc" || words[0] == "desc") {
			term.descending = words[0] == "desc"
			words = words[1:]
		}
		term.nullsFirst = term.descending // PostgreSQL takes NULL for larger than all else
		if len(words) > 0 && (words[0] == "nullsfirst" || words[0] == "nullslast") {
			term.nullsFirst = words[0] == "nullsfirst"
			words = words[1:]
		}
		if len(words) > 0 || !isName(term.column) {
			return nil, unsupported("order=%s", text)
		}
		terms = append(terms, term)
	}
	return terms, nil
}

// comparison makes one of two rows; nil keeps the rows as they are. It may be by
// the given columns alone, where there are any.
func (t *table) comparison(terms []orderTerm, among []int) (func(a, b *row) int, error) {
	if len(terms) == 0 {
		return nil, nil
	}
	indexes := make([]int, len(terms))
	for n, term := range terms {
		indexes[n] = t.index(term.column)
		if indexes[n] < 0 || among != nil && !slices.Contains(among, indexes[n]) {
			return nil, unknownColumn(t.name, term.column)
		}
		if _, ok := t.columns[indexes[n]].kind.(jsonbKind); ok {
			return nil, unsupported("an order by the JSONB column %s", term.column)
		}
	}
	return func(a, b *row) int {
		for n, term := range terms {
			i := indexes[n]
			if order := term.compare(t.columns[i].kind, a.values[i], b.values[i]); order != 0 {
				return order
			}
		}
		return 0
	}, nil
}

func (o orderTerm) compare(k kind, a, b value) int {
	order := 0
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil || b == nil:
		if (a == nil) == o.nullsFirst {
			return -1
		}
		return 1
	default:
		order = k.compare(a, b)
	}
	if o.descending {
		return -order
	}
	return order
}

func sortRows(rows []*row, compare func(a, b *row) int) {
	if compare != nil {
		slices.SortStableFunc(rows, compare)
	}
}
