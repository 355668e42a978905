package supabasetest

import (
	"regexp"
	"strings"
)

// truth is SQL's three-valued logic, ordered so that AND is the least and OR the
// greatest of its operands, and NOT the negative.
type truth int8

const (
	no truth = iota - 1
	unknown
	yes
)

func truthOf(holds bool) truth {
	if holds {
		return yes
	}
	return no
}

// predicate says whether a row passes.
type predicate func(*row) truth

// condition is a filter or a group. PostgreSQL looks up all names before it
// reads the first value, so both are done one after the other.
type condition interface {
	lookUp(t *table) error
	bind(t *table) (predicate, error)
}

// filter is column=operator.value.
type filter struct {
	column   string
	negated  bool
	operator string
	value    string
	list     []string // of in
}

func (f *filter) lookUp(t *table) error {
	if t.index(f.column) < 0 {
		return unknownColumn(t.name, f.column)
	}
	return nil
}

func (f *filter) bind(t *table) (predicate, error) {
	i := t.index(f.column)
	test, err := f.test(t.columns[i].kind)
	if err != nil {
		return nil, err
	}
	sign := truth(1)
	if f.negated {
		sign = -1
	}
	return func(r *row) truth { return sign * test(r.values[i]) }, nil
}

// test makes a test of one value.
func (f *filter) test(k kind) (func(value) truth, error) {
	if f.operator == "is" {
		return func(v value) truth { return truthOf(v == nil) }, nil
	}
	if _, ok := k.(jsonbKind); ok {
		return nil, unsupported("the operator %s on the JSONB column %s", f.operator, f.column)
	}
	switch f.operator {
	case "in":
		return f.testIn(k)
	case "like", "ilike":
		return f.testLike(k)
	}
	operand, err := k.parse(f.value)
	if err != nil {
		return nil, err
	}
	if f.operator == "isdistinct" {
		return func(v value) truth { return truthOf(v == nil || k.compare(v, operand) != 0) }, nil
	}
	holds := map[string]func(order int) bool{
		"eq":  func(order int) bool { return order == 0 },
		"neq": func(order int) bool { return order != 0 },
		"gt":  func(order int) bool { return order > 0 },
		"gte": func(order int) bool { return order >= 0 },
		"lt":  func(order int) bool { return order < 0 },
		"lte": func(order int) bool { return order <= 0 },
	}[f.operator]
	return notNull(func(v value) bool { return holds(k.compare(v, operand)) }), nil
}

func notNull(holds func(value) bool) func(value) truth {
	return func(v value) truth {
		if v == nil {
			return unknown
		}
		return truthOf(holds(v))
	}
}

func (f *filter) testIn(k kind) (func(value) truth, error) {
	if len(f.list) == 1 && f.list[0] == "" { // = ANY('{}'), which is false for NULL too
		return func(value) truth { return no }, nil
	}
	operands := make([]value, len(f.list))
	for i, text := range f.list {
		var err error
		if operands[i], err = k.parse(text); err != nil {
			return nil, err
		}
	}
	return notNull(func(v value) bool {
		for _, operand := range operands {
			if k.compare(v, operand) == 0 {
				return true
			}
		}
		return false
	}), nil
}

// testLike makes a regular expression of a pattern. PostgREST takes * for %.
func (f *filter) testLike(k kind) (func(value) truth, error) {
	if _, ok := k.(textKind); !ok {
		return nil, unsupported("the operator %s on the column %s", f.operator, f.column)
	}
	expression := "(?s)^"
	if f.operator == "ilike" {
		expression = "(?is)^"
	}
	escaped := false
	for _, char := range strings.ReplaceAll(f.value, "*", "%") {
		switch {
		case escaped:
			expression += regexp.QuoteMeta(string(char))
			escaped = false
		case char == '\\':
			escaped = true
		case char == '%':
			expression += ".*"
		case char == '_':
			expression += "."
		default:
			expression += regexp.QuoteMeta(string(char))
		}
	}
	pattern, err := regexp.Compile(expression + "$")
	if err != nil || escaped {
		return nil, unsupported("the pattern %s", f.value)
	}
	return notNull(func(v value) bool { return pattern.MatchString(v.(string)) }), nil
}

// group is and(…) or or(…).
type group struct {
	negated bool
	any     bool // or
	members []condition
}

func (g *group) lookUp(t *table) error {
	for _, member := range g.members {
		if err := member.lookUp(t); err != nil {
			return err
		}
	}
	return nil
}

func (g *group) bind(t *table) (predicate, error) {
	predicates := make([]predicate, len(g.members))
	for i, member := range g.members {
		var err error
		if predicates[i], err = member.bind(t); err != nil {
			return nil, err
		}
	}
	return func(r *row) truth {
		result := yes
		if g.any {
			result = no
		}
		for _, holds := range predicates {
			if g.any {
				result = max(result, holds(r))
			} else {
				result = min(result, holds(r))
			}
		}
		if g.negated {
			return -result
		}
		return result
	}, nil
}
