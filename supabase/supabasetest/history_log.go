package supabasetest

import (
	"cmp"
	"math/bits"
	"slices"
)

// checkLog is what migration 017 keeps beside the checks. It sums up there; here it is
// the checks themselves, beyond their deletion.
type checkLog struct {
	services map[string]map[int64][]seenCheck // by name, and by the hour since 1970
}

func newCheckLog() *checkLog { return &checkLog{services: map[string]map[int64][]seenCheck{}} }

type seenCheck struct {
	minute  int // of its hour
	status  string
	latency int64 // in ms; -1: it counts in nothing of latency
}

// In the units of an instant.
const (
	minute = 60_000_000
	hour   = 60 * minute
)

// note is the trigger of service_health_checks, which sees inserts alone.
func (l *checkLog) note(t *table, old, r *row) {
	if old != nil || r == nil {
		return
	}
	if name, at, seen, counts := countable(t, r); counts {
		if l.services[name] == nil {
			l.services[name] = map[int64][]seenCheck{}
		}
		l.services[name][at] = append(l.services[name][at], seen)
	}
}

// countable returns what the history keeps of a row, and whether it keeps it.
func countable(t *table, r *row) (service string, at int64, seen seenCheck, counts bool) {
	when, timed := r.values[t.index("checked_at")].(instant)
	if !timed || when == infinity || when == minusInfinity {
		return "", 0, seenCheck{}, false
	}
	at = floor(when, hour)
	seen = seenCheck{int(floor(when, minute) - at*60), r.values[t.index("status")].(string), -1}
	if latency, measured := r.values[t.index("latency_ms")].(int32); measured && seen.status != "down" {
		seen.latency = max(int64(latency), -1)
	}
	return r.values[t.index("service_name")].(string), at, seen, true
}

// floor divides, and rounds down: also before 1970.
func floor(at, unit instant) int64 {
	n := at / unit
	if at%unit < 0 {
		n--
	}
	return int64(n)
}

// rebuild makes the hours in [since, until) anew, for which there are rows, and returns
// how many those are.
func (l *checkLog) rebuild(t *table, since, until int64) int {
	type hourOf struct {
		service string
		at      int64
	}
	made := map[hourOf]bool{}
	for _, r := range t.rows {
		name, at, _, counts := countable(t, r)
		if !counts || at < since || at >= until {
			continue
		}
		if key := (hourOf{name, at}); !made[key] {
			made[key] = true
			delete(l.services[name], at)
		}
		l.note(t, nil, r)
	}
	return len(made)
}

// prune deletes the oldest hours that begin before a given one, at most so many, and
// returns how many it deleted. A service without hours is gone.
func (l *checkLog) prune(before int64, most int64) (deleted int64) {
	var hours []int64
	for _, of := range l.services {
		for at := range of {
			if at < before {
				hours = append(hours, at)
			}
		}
	}
	slices.Sort(hours)
	for _, at := range slices.Compact(hours) {
		for name, of := range l.services {
			if _, there := of[at]; there && deleted < most {
				delete(of, at)
				deleted++
			}
			if len(of) == 0 {
				delete(l.services, name)
			}
		}
	}
	return deleted
}

// minutes sums up the slots of a service that begin in [start, end), minutes since
// 1970: those that are healthy, degraded and down.
func (l *checkLog) minutes(service string, start, end, slot int64, anyHealthy bool) (sums [3]int64) {
	found := map[int64][3]bool{} // by the minute at which a slot begins
	for at, checks := range l.services[service] {
		for _, c := range checks {
			begin := at*60 + int64(c.minute)/slot*slot
			if begin < start || begin >= end {
				continue
			}
			seen := found[begin]
			seen[slices.Index(worseAndWorse, c.status)] = true
			found[begin] = seen
		}
	}
	order := []int{2, 1, 0} // the worst first
	if anyHealthy {
		order = []int{0, 1, 2}
	}
	for _, seen := range found {
		for _, status := range order {
			if seen[status] {
				sums[status] += slot
				break
			}
		}
	}
	return sums
}

var worseAndWorse = []string{"healthy", "degraded", "down"}

// latencies returns those of a service in the hours that begin in [start, end),
// minutes since 1970, in their order.
func (l *checkLog) latencies(service string, start, end int64) (found []int64) {
	for at, checks := range l.services[service] {
		if at*60 < start || at*60 >= end {
			continue
		}
		for _, c := range checks {
			if c.latency >= 0 {
				found = append(found, c.latency)
			}
		}
	}
	slices.Sort(found)
	return found
}

// asHistogram returns a latency as a histogram knows it: of buckets of 1 ms below
// 32 ms, and of 16 an octave from there on, the value that is as far, in proportion, from
// the least of its bucket as from the greatest.
func asHistogram(latency int64) float64 {
	const exact = 5                                    // bits
	shift := max(bits.Len64(uint64(latency))-exact, 0) //nolint:gosec // none is negative
	low := latency >> shift << shift
	high := low + 1<<shift - 1
	return 2 * float64(low) * float64(high) / float64(cmp.Or(low+high, 1))
}
