package operation

import (
	"cmp"
	"errors"
	"strings"

	"github.com/supavigil/supavigil/supabase"
)

const (
	// pageSize is the most rows that a request asks for. It is Supabase's own
	// db-max-rows: asking for more would bring no more.
	pageSize = 1000
	// steadyPages is how many pages come whole before larger ones are tried again.
	steadyPages = 10
)

// size is how many rows the requests of one operation ask for: a page that does
// not come whole is asked for smaller, by a tenth or what came last, so that the
// default four attempts at an answer that does not come in time go from 1,000 rows
// to one. After a while sizes double again: rows can be large in one place, or
// everywhere.
type size struct {
	next   int // 0: pageSize
	came   int // that came last; 0: none since a failure
	steady int // pages since a failure
	asked  int // of the request under way; 0: it is not one for pages
	spent  int // attempts at the page that brought no answer
}

// Ask returns how many rows the next request is to ask for, at most most.
func (o *Operation[R]) Ask(most int) int {
	o.size.asked = min(most, cmp.Or(o.size.next, pageSize))
	return o.size.asked
}

// AskFewer takes note of how the request that followed Ask went, and says whether
// it is to be made again, for fewer rows.
func (o *Operation[R]) AskFewer(err error) bool {
	s, heard := &o.size, o.heard
	asked, spent := s.asked, s.spent
	s.asked, s.spent = 0, 0
	if err == nil {
		s.came = asked
		if s.steady++; s.steady >= steadyPages {
			s.next = min(2*s.next, pageSize)
		}
		return false
	}
	if asked == 1 || !heard.TooMuch && !isTooMuch(err) {
		return false
	}
	if heard.TooMuch && heard.Status != 200 {
		s.spent = spent + heard.Attempts // a server that is away is not asked ever again
	}
	s.next = max(asked/10, 1)
	if s.came > 0 && s.came < asked {
		s.next = s.came
	}
	s.came, s.steady = 0, 0
	return true
}

// isTooMuch says that PostgreSQL had too little time or memory for a statement:
// https://www.postgresql.org/docs/current/errcodes-appendix.html. 53300, too many
// connections, is not about the statement.
func isTooMuch(err error) bool {
	e, ok := errors.AsType[*supabase.Error](err)
	return ok && (IsStatementTimeout(err) || e.Code == "54000" || e.Code != "53300" && len(e.Code) == 5 && strings.HasPrefix(e.Code, "53"))
}

// IsStatementTimeout says that PostgreSQL gave up a statement for its time. It also
// knows how @supabase/lite reports one.
func IsStatementTimeout(err error) bool {
	e, ok := errors.AsType[*supabase.Error](err)
	return ok && (e.Code == "57014" || e.Code == "SUP" && strings.Contains(e.Message, "statement timeout"))
}
