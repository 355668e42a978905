package supabasetest

import (
	"slices"
	"strings"
)

// parser reads filters and logic trees, in the grammar of
// https://docs.postgrest.org/en/stable/references/api/tables_views.html. What it
// cannot read is not supported: most of it PostgREST would refuse as well, but
// in the words of its own parser.
type parser struct {
	text string
	at   int
	tree bool // inside a logic tree values end at a comma or parenthesis
}

// comparisons are the operators that compare a column with one value.
var comparisons = []string{"eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "isdistinct"}

// operatorStarts are the letters that PostgREST's operators and not begin with.
const operatorStarts = "acefgilmnopsw"

// parseFilter reads column=operator.value.
func parseFilter(key, text string) (condition, error) {
	if !isName(key) {
		return nil, unsupported("the query parameter %s", key)
	}
	p := &parser{text: text}
	f, err := p.operation(key)
	if err != nil {
		return nil, err
	}
	if p.at < len(text) {
		return nil, p.unreadable()
	}
	return f, nil
}

func (p *parser) unreadable() *failure {
	return unsupported("the filter %s, from its character %d on", p.text, p.at+1)
}

func (p *parser) rest() string { return p.text[p.at:] }

func (p *parser) accept(prefix string) bool {
	if !strings.HasPrefix(p.rest(), prefix) {
		return false
	}
	p.at += len(prefix)
	return true
}

func (p *parser) spaces() {
	p.at = len(p.text) - len(strings.TrimLeft(p.rest(), " \t"))
}

// parenthesis reads one with the spaces around it.
func (p *parser) parenthesis(which string) bool {
	p.spaces()
	if !p.accept(which) {
		return false
	}
	p.spaces()
	return true
}

// operation reads operator.value, negated or not.
func (p *parser) operation(column string) (*filter, error) {
	f := &filter{column: column, negated: p.accept("not.")}
	start := p.at
	operator, _, found := strings.Cut(p.rest(), ".")
	switch {
	case found && operator == "in":
		p.at += len("in.")
		f.operator = operator
		return f, p.list(f)
	case found && operator == "is":
		p.at += len("is.")
		f.operator = operator
		return f, p.nullness(f)
	case found && slices.Contains(comparisons, operator):
		p.at += len(operator) + 1
		f.operator, f.value = operator, p.value()
		return f, nil
	case !p.tree && start == 0 && p.text != "" && isName(p.text[:1]) && !strings.Contains(operatorStarts, p.text[:1]):
		return nil, badRequest("PGRST100", `"failed to parse filter (%s)" (line 1, column 1)`, p.text).
			withDetails(`unexpected "%s" expecting "not" or operator (eq, gt, ...)`, p.text[:1])
	}
	return nil, p.unreadable()
}

// nullness reads what follows is: null or not_null, in any case.
func (p *parser) nullness(f *filter) error {
	for _, word := range []string{"null", "not_null"} {
		if rest := p.rest(); len(rest) >= len(word) && strings.EqualFold(rest[:len(word)], word) {
			p.at += len(word)
			f.negated = f.negated != (word == "not_null")
			return nil
		}
	}
	return p.unreadable()
}

// value reads a single value: all the rest, or, inside a tree, a quoted value, an
// array literal, or what comes before a comma or parenthesis.
func (p *parser) value() string {
	if !p.tree {
		value := p.rest()
		p.at = len(p.text)
		return value
	}
	if value, ok := p.quoted(); ok {
		return value
	}
	if array := p.rest(); strings.HasPrefix(array, "{") {
		if end := strings.IndexAny(array[1:], "{}"); end >= 0 && array[1+end] == '}' {
			p.at += end + 2
			return array[:end+2]
		}
	}
	return p.bare()
}

// bare reads up to a comma or a closing parenthesis. All else is part of the
// value, quotes and spaces included.
func (p *parser) bare() string {
	value := p.rest()
	if end := strings.IndexAny(value, ",)"); end >= 0 {
		value = value[:end]
	}
	p.at += len(value)
	return value
}

// quoted reads a value in quotes, with \" and \\ in it. When the quotes end
// anywhere but before a comma, a parenthesis or the end, they are no quotes.
func (p *parser) quoted() (string, bool) {
	rest := p.rest()
	if !strings.HasPrefix(rest, `"`) {
		return "", false
	}
	var value []byte
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			if i++; i == len(rest) {
				return "", false
			}
		case '"':
			if i++; i < len(rest) && rest[i] != ',' && rest[i] != ')' {
				return "", false
			}
			p.at += i
			return string(value), true
		}
		value = append(value, rest[i])
	}
	return "", false
}

// list reads in's (…).
func (p *parser) list(f *filter) error {
	if !p.parenthesis("(") {
		return p.unreadable()
	}
	for {
		element, ok := p.quoted()
		if !ok {
			element = p.bare()
		}
		f.list = append(f.list, element)
		if p.accept(",") {
			continue
		}
		if !p.parenthesis(")") {
			return p.unreadable()
		}
		return nil
	}
}
