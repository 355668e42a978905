package reference

import (
	"cmp"
	"slices"
	"time"
)

// State is what a service is like now.
type State struct {
	Latest Check
	Since  time.Time // the first CheckedAt of the run of one status that Latest ends
	Checks int       // of the run, counted to 10
}

// States returns the state of each service that has a check with a time, by name. nil
// asks for every service, the zero time for those too that were not seen for long.
func (d *Database) States(services []string, seenSince time.Time) []State {
	byService := map[string][]Check{}
	for _, c := range d.rows {
		if !c.CheckedAt.IsZero() && (services == nil || slices.Contains(services, c.Service)) {
			byService[c.Service] = append(byService[c.Service], c)
		}
	}
	states := []State{}
	for _, checks := range byService {
		slices.SortFunc(checks, func(a, b Check) int { // the newest first
			return cmp.Or(b.CheckedAt.Compare(a.CheckedAt), cmp.Compare(b.ID, a.ID))
		})
		s := State{Latest: checks[0]}
		if s.Latest.CheckedAt.Before(seenSince) {
			continue
		}
		for _, c := range checks {
			if c.Status != s.Latest.Status {
				break
			}
			s.Since = c.CheckedAt
			s.Checks = min(s.Checks+1, 10)
		}
		states = append(states, s)
	}
	slices.SortFunc(states, func(a, b State) int { return cmp.Compare(a.Latest.Service, b.Latest.Service) })
	return states
}
