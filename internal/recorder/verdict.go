package recorder

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

// verdict is what an answer says about the rows that were sent: how much it takes
// to know that they are at fault, if they are. The rule is the same for all, see
// the package's comment.
type verdict struct {
	known  bool // the row is at fault, and needs no proof
	away   bool // no answer came: another row would meet the same
	split  bool // fewer rows may be stored where many were not: try at once
	proofs int  // how often a row alone has to fail right after another was stored
	tries  int  // how often after Close, when no other is left to be stored; 0: never refused so
}

// Chance makes a row that is not at fault fail 30 times in a row once in a billion,
// where half of all requests fail.
const certainty = 30

var (
	known = verdict{known: true}
	// The database's own word on what was to be stored. It does not change its mind.
	ofData = verdict{split: true, proofs: 1, tries: 7}
	// A statement timeout, or a body too large: a smaller one may pass. Of a row alone
	// it may be a matter of load, or of a gateway that says so to others too.
	tooMuch = verdict{split: true, proofs: certainty, tries: certainty}
	// An answer that may be about what was sent: a firewall's, say.
	unclear = verdict{proofs: certainty, tries: certainty}
	// An answer about something else than what was sent, or none.
	trouble  = verdict{proofs: certainty}
	noAnswer = verdict{proofs: certainty, away: true}
)

var (
	// SQLSTATE classes of what is wrong with the server, its schema or the key:
	// connections, what is not supported (a plan that no longer fits), transactions,
	// authorization, names, contention, syntax and access, resources, state, the
	// operator, the system, its configuration, itself. See
	// https://www.postgresql.org/docs/current/errcodes-appendix.html.
	serverClasses = []string{"08", "0A", "0L", "0P", "25", "26", "28", "3D", "3F", "40", "42", "53", "55", "57", "58", "72", "F0", "XX"}
	// Statuses of what has nothing to do with what was sent: the key, the path, the
	// rate.
	serverStatuses = []int{
		http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired,
		http.StatusRequestTimeout, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests,
	}
)

// judge says what the error of an insert says about its rows.
func judge(rows []entry, err error) verdict {
	e, ok := errors.AsType[*supabase.Error](err)
	if !ok || e.Status == 0 {
		return noAnswer
	}
	sqlState := len(e.Code) == 5
	switch {
	case errors.Is(err, operation.ErrOtherRow) && len(rows) == 1:
		return known
	case operation.IsStatementTimeout(err), e.Status == http.StatusRequestEntityTooLarge && !sqlState:
		return tooMuch
	case e.Status < http.StatusBadRequest, e.Status > http.StatusInternalServerError, slices.Contains(serverStatuses, e.Status):
		return trouble
	case sqlState && slices.Contains(serverClasses, e.Code[:2]), e.Code == "23502" && !sends(rows, e.Message):
		return trouble
	case strings.HasPrefix(e.Code, "PGRST") && !strings.HasPrefix(e.Code, "PGRST1"): // all but what is wrong with a request
		return trouble
	case e.Status == http.StatusForbidden:
		return unclear
	case sqlState, strings.HasPrefix(e.Code, "PGRST1"), e.Code == "SUP": // @supabase/lite's for a CHECK constraint, among others
		return ofData
	default:
		return unclear
	}
}

// sends says whether one of the rows has a NULL in the column that a message of
// 23502 names. One that is not sent at all cannot be a row's fault.
func sends(rows []entry, message string) bool {
	words := strings.FieldsFunc(message, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.ContainsFunc(rows, func(e entry) bool {
		var columns map[string]json.RawMessage
		_ = json.Unmarshal(e.row.JSON, &columns) // it was found to read back when it was encoded
		for column, value := range columns {
			if string(value) == "null" && slices.Contains(words, column) {
				return true
			}
		}
		return false
	})
}
