package supabasetest

import (
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// window is a range of rows, both ends included, which PostgREST makes of limit,
// offset and Range: https://github.com/PostgREST/postgrest/blob/v16.2/src/library/PostgREST/RangeQuery.hs.
type window struct{ first, last int64 }

const endless = math.MaxInt64

var (
	allRows = window{0, endless}
	noRows  = window{0, -1} // what a limit of 0 asks for
)

func (w window) empty() bool { return w.last < w.first }

// limitZero tells noRows from other empty windows by their end alone, as
// PostgREST does: limit=-1 with offset=1 is one, limit=0 with offset=1 is not.
func (w window) limitZero() bool { return w.last == noRows.last }

func (w window) intersect(other window) window {
	return window{max(w.first, other.first), min(w.last, other.last)}
}

// of returns the rows in the window.
func (w window) of(rows []*row) []*row {
	end := int64(len(rows))
	if w.last < end {
		end = max(w.last+1, 0)
	}
	return rows[min(w.first, end):end]
}

// readWindow returns the range that a request asks for. Only a GET heeds its
// Range header, but the limit of every method is checked.
func readWindow(q *query, method string, header http.Header) (window, error) {
	inHeader, inQuery := allRows, allRows
	var err error
	if method == http.MethodGet {
		if inHeader, err = parseRange(header.Get("Range")); err != nil {
			return window{}, err
		}
	}
	limit, err := readCount(q.limit, "limit")
	if err != nil {
		return window{}, err
	}
	offset, err := readCount(q.offset, "offset")
	if err != nil {
		return window{}, err
	}
	switch {
	case q.limit != nil && q.offset != nil:
		start, most := int64(0), int64(0)
		if offset != nil {
			start = *offset
		}
		if limit != nil {
			most = *limit
		}
		inQuery = window{start, start + most - 1}
	case limit != nil:
		inQuery.last = *limit - 1
	case offset != nil:
		inQuery.first = *offset
	}
	if inQuery.limitZero() {
		return noRows, nil
	}
	asked := inQuery.intersect(inHeader)
	switch {
	case inHeader.empty():
		return window{}, unsatisfiable("The lower boundary must be lower than or equal to the upper boundary in the Range header.")
	case inQuery.empty() || asked.empty():
		return window{}, unsatisfiable("Limit should be greater than or equal to zero.")
	}
	return asked, nil
}

func unsatisfiable(format string, args ...any) *failure {
	return (&failure{
		status:  http.StatusRequestedRangeNotSatisfiable,
		code:    "PGRST103",
		message: "Requested range not satisfiable",
	}).withDetails(format, args...)
}

var rangeForm = regexp.MustCompile(`^([0-9]+)-([0-9]*)$`)

// parseRange reads the value of a Range header, without a unit. One of another
// form asks for everything.
func parseRange(text string) (window, error) {
	match := rangeForm.FindStringSubmatch(text)
	if match == nil {
		return allRows, nil
	}
	w := allRows
	var err error
	if w.first, err = parseRow(match[1]); err == nil && match[2] != "" {
		w.last, err = parseRow(match[2])
	}
	return w, err
}

// countForm is what a limit or an offset may be; oddForm is what Haskell's read
// may take for a number, such as (5) and 0x5.
var (
	countForm = regexp.MustCompile(`^-?[0-9]+$`)
	oddForm   = regexp.MustCompile(`[()\s[:^ascii:]]|[0-9][xXoObB_]`)
)

// readCount reads a limit or an offset. PostgREST ignores what is no number, but
// heeds that the parameter is there.
func readCount(text *string, name string) (*int64, error) {
	switch {
	case text == nil:
		return nil, nil
	case countForm.MatchString(*text):
		n, err := parseRow(*text)
		return &n, err
	case oddForm.MatchString(*text):
		return nil, unsupported("%s=%s", name, *text)
	}
	return nil, nil
}

// parseRow reads a number of rows, small enough to be added to another.
func parseRow(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 62)
	if err != nil {
		return 0, unsupported("the number of rows %s", strings.TrimSpace(text))
	}
	return n, nil
}
