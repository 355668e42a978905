package healthcheck

import (
	"errors"
	"net/http"
	"slices"

	"github.com/supavigil/supavigil/supabase"
)

// verdict is what an answer says about the rows that were sent.
type verdict int

const (
	stored      verdict = iota
	atFault             // one of them cannot be stored; what follows is trouble
	tooSlow             // they took too long; fewer may not
	unexplained         // it was their fault or the server's
	outage              // it was not their fault
)

var (
	// SQLSTATE classes of what is wrong with a row. See
	// https://www.postgresql.org/docs/current/errcodes-appendix.html.
	rowClasses = []string{"22", "23", "44", "54", "P0"}
	// Those of what is wrong with the server, its schema or the key: connections,
	// what is not supported (a plan that no longer fits), transactions,
	// authorization, names, contention, syntax and access, resources, the
	// operator, the system.
	serverClasses = []string{"08", "0A", "0L", "0P", "25", "26", "28", "3D", "3F", "40", "42", "53", "55", "57", "58", "72", "F0"}
	// PostgREST's groups of codes for its connection, the schema cache and tokens. See
	// https://docs.postgrest.org/en/stable/references/errors.html.
	serverGroups = []string{"PGRST0", "PGRST2", "PGRST3"}
	// What gateways say of themselves, or of the caller.
	serverStatuses = []int{
		http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusNotFound, http.StatusProxyAuthRequired, http.StatusRequestTimeout,
		http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests,
	}
)

func judge(err error) verdict {
	if err == nil {
		return stored
	}
	e, ok := errors.AsType[*supabase.Error](err)
	if !ok {
		return outage
	}
	class := sqlClass(e.Code)
	switch {
	case e.Code == "57014":
		return tooSlow
	case slices.Contains(rowClasses, class), e.Status == http.StatusRequestEntityTooLarge:
		return atFault
	case e.Status < http.StatusBadRequest, e.Status > http.StatusInternalServerError:
		return outage
	case slices.Contains(serverClasses, class), slices.Contains(serverStatuses, e.Status):
		return outage
	case len(e.Code) > 6 && slices.Contains(serverGroups, e.Code[:6]):
		return outage
	case class != "" && e.Status == http.StatusBadRequest: // a trigger's own
		return atFault
	default:
		return unexplained
	}
}

// sqlClass returns the class of an SQLSTATE; "" for what is none.
func sqlClass(code string) string {
	if len(code) != 5 {
		return ""
	}
	return code[:2]
}

// answered says that a server refused, so that nothing was stored by the last try.
func answered(err error) bool {
	e, ok := errors.AsType[*supabase.Error](err)
	return ok && (e.Status >= http.StatusBadRequest && !errors.Is(err, supabase.ErrUnavailable) && e.Status != http.StatusRequestTimeout ||
		errors.Is(err, supabase.ErrInvalid))
}
