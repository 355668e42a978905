package supabasetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseFilter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]filter{
		"eq.a":                    {operator: "eq", value: "a"},
		"eq.":                     {operator: "eq"},
		`eq."a",b)`:               {operator: "eq", value: `"a",b)`}, // no quotes at the top level
		"eq.not.eq.a":             {operator: "eq", value: "not.eq.a"},
		"not.eq.a":                {operator: "eq", value: "a", negated: true},
		"gte.2026-01-02T03:04:05": {operator: "gte", value: "2026-01-02T03:04:05"},
		"is.null":                 {operator: "is"},
		"not.is.NULL":             {operator: "is", negated: true},
		"is.not_null":             {operator: "is", negated: true},
		"not.is.NOT_NULL":         {operator: "is"},
		"isdistinct.a":            {operator: "isdistinct", value: "a"},
		"in.(a,b)":                {operator: "in", list: []string{"a", "b"}},
		`in.("a,b","c)\"\\",d)`:   {operator: "in", list: []string{"a,b", `c)"\`, "d"}},
		`in.("a"b, c)`:            {operator: "in", list: []string{`"a"b`, " c"}},
		"in.()":                   {operator: "in", list: []string{""}},
		"in.( a ) ":               {operator: "in", list: []string{"a "}},
	} {
		got, err := parseFilter("c", text)
		require.NoError(t, err, text)
		want.column = "c"
		require.Equal(t, &want, got, text)
	}
}

func TestParseFilterRefuses(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]string{
		"zz.1":         "PGRST100",
		"1":            "PGRST100",
		"":             codeUnsupported,
		"eqq.1":        codeUnsupported,
		"eq":           codeUnsupported,
		"not.zz.1":     codeUnsupported,
		"not.not.eq.1": codeUnsupported,
		"cs.{a}":       codeUnsupported,
		"eq(any).{a}":  codeUnsupported,
		"fts.a":        codeUnsupported,
		"is.true":      codeUnsupported,
		"is.nullx":     codeUnsupported,
		"is.not_nul":   codeUnsupported,
		"in.a":         codeUnsupported,
		"in.(a":        codeUnsupported,
		"in.(a)b":      codeUnsupported,
	} {
		_, err := parseFilter("c", text)
		var refusal *failure
		require.ErrorAs(t, err, &refusal, text)
		require.Equal(t, code, refusal.code, text)
	}
	_, err := parseFilter("probe_details->>code", "eq.1")
	require.ErrorContains(t, err, codeUnsupported)
}

func TestParseLogic(t *testing.T) {
	t.Parallel()
	eq := func(column, value string) condition { return &filter{column: column, operator: "eq", value: value} }
	for text, want := range map[string]group{
		"and=(a.eq.1)":                {members: []condition{eq("a", "1")}},
		"or=(a.eq.1,b.eq.2)":          {any: true, members: []condition{eq("a", "1"), eq("b", "2")}},
		"not.and=( a.eq.1 , b.eq.2)":  {negated: true, members: []condition{eq("a", "1 "), eq("b", "2")}},
		`or=(a.eq."1,)",b.eq.x y)`:    {any: true, members: []condition{eq("a", "1,)"), eq("b", "x y")}},
		`or=(a.eq."\"\\",b.eq."")`:    {any: true, members: []condition{eq("a", `"\`), eq("b", "")}},
		`or=(a.eq."1"2,b.eq."x)`:      {any: true, members: []condition{eq("a", `"1"2`), eq("b", `"x`)}},
		"or=(a.eq.{1,2},b.eq.{x)":     {any: true, members: []condition{eq("a", "{1,2}"), eq("b", "{x")}},
		"or=(a.eq.a,status.eq.down)":  {any: true, members: []condition{eq("a", "a"), eq("status", "down")}},
		"and=(or(a.eq.1,b.eq.2))":     {members: []condition{&group{any: true, members: []condition{eq("a", "1"), eq("b", "2")}}}},
		"and=(not.or(a.eq.1),b.eq.2)": {members: []condition{&group{negated: true, any: true, members: []condition{eq("a", "1")}}, eq("b", "2")}},
		"or=(a.not.is.null,b.not.in.(1,2))": {any: true, members: []condition{
			&filter{column: "a", operator: "is", negated: true},
			&filter{column: "b", operator: "in", negated: true, list: []string{"1", "2"}},
		}},
	} {
		key, value, _ := strings.Cut(text, "=")
		got, err := parseLogic(key, value)
		require.NoError(t, err, text)
		require.Equal(t, &want, got, text)
	}
}

func TestParseLogicRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "()", "(", ")(", "(a)", "(a.eq)", "(a.zz.1)", "(a.eq.1", "(a.eq.1,)", "(a.eq.1))", "(a.eq.1)x",
		"(a.eq.{1}2)", "(a.is.nullx)", "(a->b.eq.1)", "(ord(a.eq.1))", "(and(a.eq.1)", "(not.not.and(a.eq.1))",
	} {
		_, err := parseLogic("and", text)
		require.ErrorContains(t, err, codeUnsupported, text)
	}
}

// FuzzParseLogic looks for trees that do not survive being printed and read
// again, and for values that break out of their quotes.
func FuzzParseLogic(f *testing.F) {
	for _, seed := range []string{
		`(created_at.lt."2026-01-02T03:04:05Z",and(created_at.eq.2026-01-02T03:04:05Z,id.lt."x"))`,
		`(a.not.in.("x,y",z),not.or(b.is.null,c.like.a*))`,
		`a,status.eq.down`, `a"b\`, `),(`, `"x"`, `{1,2}`, ` not.and ( `, "\x00\xff", `\`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, key := range []string{"and", "or", "not.and", "not.or"} {
			tree, err := parseLogic(key, text)
			if err != nil {
				continue
			}
			again, err := parseLogic(key, strings.TrimPrefix(printed(tree), key))
			require.NoError(t, err)
			require.Equal(t, tree, again)
		}
		tree, err := parseLogic("or", "(a.eq."+quote(text)+",b.in.("+quote(text)+"),c.gt.1)")
		require.NoError(t, err)
		require.Equal(t, &group{any: true, members: []condition{
			&filter{column: "a", operator: "eq", value: text},
			&filter{column: "b", operator: "in", list: []string{text}},
			&filter{column: "c", operator: "gt", value: "1"},
		}}, tree)
	})
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

func printed(c condition) string {
	switch c := c.(type) {
	case *group:
		members := make([]string, len(c.members))
		for i, member := range c.members {
			members[i] = printed(member)
		}
		return negation(c.negated) + map[bool]string{false: "and", true: "or"}[c.any] + "(" + strings.Join(members, ",") + ")"
	case *filter:
		operation := c.column + "." + negation(c.negated) + c.operator + "."
		switch c.operator {
		case "is":
			return operation + "null"
		case "in":
			elements := make([]string, len(c.list))
			for i, element := range c.list {
				elements[i] = quote(element)
			}
			return operation + "(" + strings.Join(elements, ",") + ")"
		}
		return operation + quote(c.value)
	}
	return ""
}

func negation(negated bool) string {
	if negated {
		return "not."
	}
	return ""
}
