package supabasetest

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// parameter is one of a query string, decoded.
type parameter struct{ key, value string }

// query is what a query string asks for.
type query struct {
	parameters []parameter
	selected   []string // as sent, * included
	where      []condition
	order      []orderTerm
	limit      *string  // as sent, nil: none
	offset     *string  // likewise
	columns    []string // nil: those of the payload
	onConflict []string // nil: the primary key
}

func readParameters(raw string) ([]parameter, error) {
	var parameters []parameter
	if strings.Contains(raw, ";") { // a separator to some
		return nil, unsupported("a semicolon in the query")
	}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		key, text, found := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		if err != nil {
			return nil, unsupported("the query's escape %v", err)
		}
		if text, err = url.QueryUnescape(text); err != nil {
			return nil, unsupported("the query's escape %v", err)
		}
		if !utf8.ValidString(key+text) || strings.ContainsRune(text, 0) {
			return nil, unsupported("a query with NUL, or that is not UTF-8")
		}
		if !found {
			return nil, unsupported("the query parameter %s without a value", key)
		}
		parameters = append(parameters, parameter{key: key, value: text})
	}
	return parameters, nil
}

func readQuery(raw string) (*query, error) {
	parameters, err := readParameters(raw)
	if err != nil {
		return nil, err
	}
	q := &query{parameters: parameters, selected: []string{"*"}}
	seen := map[string]bool{}
	for _, p := range parameters {
		switch p.key {
		case "select", "order", "limit", "offset", "columns", "on_conflict":
			if seen[p.key] {
				return nil, unsupported("the query parameter %s twice", p.key)
			}
			seen[p.key] = true
			err = q.set(p)
		case "and", "or", "not.and", "not.or":
			var tree condition
			tree, err = parseLogic(p.key, p.value)
			q.where = append(q.where, tree)
		default:
			var f condition
			f, err = parseFilter(p.key, p.value)
			q.where = append(q.where, f)
		}
		if err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (q *query) set(p parameter) (err error) {
	switch p.key {
	case "select":
		q.selected, err = parseNames(p, true)
	case "columns":
		q.columns, err = parseNames(p, false)
	case "order":
		q.order, err = parseOrder(p.value)
	case "limit":
		q.limit = &p.value
	case "offset":
		q.offset = &p.value
	case "on_conflict":
		q.onConflict, err = parseNames(p, false)
	}
	return err
}

// parseNames reads a list of columns. Casts, aliases, JSON paths, embedding and
// aggregates are more than that.
func parseNames(p parameter, star bool) ([]string, error) {
	names := strings.Split(p.value, ",")
	for i, name := range names {
		names[i] = unquoted(strings.Trim(name, " \t"))
		if !isName(names[i]) && (!star || names[i] != "*") {
			return nil, unsupported("%s=%s", p.key, p.value)
		}
	}
	return names, nil
}

// unquoted drops the quotes that Supabase's other clients put around columns.
func unquoted(name string) string {
	if len(name) > 2 && name[0] == '"' && name[len(name)-1] == '"' {
		return name[1 : len(name)-1]
	}
	return name
}

// isName says whether a text is a column's name without quotes.
func isName(text string) bool {
	for i := range len(text) {
		b := text[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '_' && b != '$' {
			return false
		}
	}
	return text != ""
}

// canonical prints the parameters as PostgREST does in Content-Location: sorted
// by key, values of one key joined by a comma.
func (q *query) canonical() string {
	sorted := slices.Clone(q.parameters)
	slices.SortStableFunc(sorted, func(a, b parameter) int { return strings.Compare(a.key, b.key) })
	var text strings.Builder
	for i, p := range sorted {
		switch {
		case i == 0:
			text.WriteString("?" + escape(p.key) + "=")
		case p.key == sorted[i-1].key:
			text.WriteByte(',')
		default:
			text.WriteString("&" + escape(p.key) + "=")
		}
		text.WriteString(escape(p.value))
	}
	return text.String()
}

// escape percent-encodes as PostgREST does, which takes each byte for a
// character, so that what is not ASCII is encoded to UTF-8 twice.
func escape(text string) string {
	var escaped strings.Builder
	for i := range len(text) {
		b := text[i]
		if isName(text[i:i+1]) && b != '$' || strings.IndexByte("-.~", b) >= 0 {
			escaped.WriteByte(b)
			continue
		}
		for _, unit := range []byte(string(rune(b))) {
			escaped.WriteByte('%')
			escaped.WriteString(strings.ToUpper(string([]byte{hexDigits[unit>>4], hexDigits[unit&15]})))
		}
	}
	return escaped.String()
}
