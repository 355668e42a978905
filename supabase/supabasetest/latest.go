package supabasetest

import (
	"encoding/json"
	"slices"
	"strings"
)

// latestFunction is the one that the migrations make.
const latestFunction = "latest_service_health_checks"

// latestArgs are its arguments, absent ones at their defaults.
type latestArgs struct {
	afterService *string // nil: from the first service
	maxServices  *int    // nil: all of them
}

// readLatestArgs says whether a call's arguments are those of the function: with
// others, PostgREST finds none of that name.
func readLatestArgs(args map[string]json.RawMessage) (parsed latestArgs, known bool, err error) {
	most := 1000
	parsed.maxServices = &most
	for name, value := range args {
		switch name {
		case "after_service":
			if json.Unmarshal(value, &parsed.afterService) != nil {
				return parsed, true, unsupported("after_service=%s", value)
			}
		case "max_services":
			if json.Unmarshal(value, &parsed.maxServices) != nil || parsed.maxServices != nil && *parsed.maxServices < 0 {
				return parsed, true, unsupported("max_services=%s", value)
			}
		default:
			return parsed, false, nil
		}
	}
	return parsed, true, nil
}

// latest returns what the function does: the check with the newest checked_at of
// each service, as one JSON array, which db-max-rows does not cut.
func (s *store) latest(args latestArgs) ([]byte, error) {
	t := s.table("service_health_checks")
	s.mu.Lock()
	rows := t.latest(args.afterService)
	s.mu.Unlock()
	if args.maxServices != nil && len(rows) > *args.maxServices {
		rows = rows[:*args.maxServices]
	}
	return t.appendRows(rows, t.all()), nil
}

// latest returns the row with the newest checked_at, and of several the greatest
// id, of each service whose name comes after a given one.
func (t *table) latest(after *string) []*row {
	service, checkedAt := t.index("service_name"), t.index("checked_at")
	newest := map[string]*row{}
	for _, r := range t.rows {
		name := r.values[service].(string)
		if r.values[checkedAt] == nil || after != nil && name <= *after {
			continue
		}
		if n := newest[name]; n != nil {
			order := t.columns[checkedAt].kind.compare(r.values[checkedAt], n.values[checkedAt])
			if order < 0 || order == 0 && r.id() < n.id() {
				continue
			}
		}
		newest[name] = r
	}
	rows := make([]*row, 0, len(newest))
	for _, r := range newest {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *row) int {
		return strings.Compare(a.values[service].(string), b.values[service].(string))
	})
	return rows
}
