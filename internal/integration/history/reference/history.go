package reference

import (
	"maps"
	"math"
	"slices"
	"time"
)

// Range is [Start, End), of which a history takes both cut to the minute.
type Range struct{ Start, End time.Time }

// Query is what a history is asked for.
type Query struct {
	Services    []string // nil: every one with history
	Periods     []Range
	SlotMinutes int
	AnyHealthy  bool
	Quantiles   []float64
}

// Service is the history of one, by the periods that were asked for.
type Service struct {
	Name    string
	Periods []Period
}

// Period is in minutes, and has no Latency where nothing was measured.
type Period struct {
	Healthy, Degraded, Down, Unknown int
	Latency                          *Latency
}

// Latency is of the checks in the hours that begin in a period.
type Latency struct {
	Checks, SumMS int64
	MinMS, MaxMS  int
	QuantilesMS   []float64 // those of the histogram
	ExactMS       []int     // those of percentile_disc
}

// History returns the services by name, byte by byte. A named one without history is
// there, all Unknown.
func (d *Database) History(q Query) []Service {
	names := slices.Clone(q.Services)
	if q.Services == nil {
		names = slices.Collect(maps.Keys(d.noted))
	}
	slices.Sort(names)
	history := []Service{}
	for _, name := range slices.Compact(names) {
		s := Service{Name: name}
		for _, r := range q.Periods {
			p := d.minutes(name, r, q)
			if len(q.Quantiles) > 0 {
				p.Latency = d.latency(name, r, q.Quantiles)
			}
			s.Periods = append(s.Periods, p)
		}
		history = append(history, s)
	}
	return history
}

// minutes asks of each minute whether a slot begins in it, and which checks the slot
// has.
func (d *Database) minutes(service string, r Range, q Query) (p Period) {
	slot := int64(q.SlotMinutes)
	for m := minute(r.Start); m < minute(r.End); m++ {
		// Of an hour in UTC: it has no other, whatever the zone.
		if ofHour := ((m % 60) + 60) % 60; ofHour%slot != 0 {
			continue
		}
		seen := map[string]bool{}
		for in := m; in < m+slot; in++ {
			for _, c := range d.noted[service][in] {
				seen[c.Status] = true
			}
		}
		order := []string{"down", "degraded", "healthy"}
		if q.AnyHealthy {
			order = []string{"healthy", "degraded", "down"}
		}
		decides := slices.IndexFunc(order, func(status string) bool { return seen[status] })
		if decides < 0 {
			p.Unknown += q.SlotMinutes
			continue
		}
		*map[string]*int{"healthy": &p.Healthy, "degraded": &p.Degraded, "down": &p.Down}[order[decides]] += q.SlotMinutes
	}
	return p
}

func (d *Database) latency(service string, r Range, quantiles []float64) *Latency {
	var all []int
	for _, checks := range d.noted[service] {
		for _, c := range checks {
			hour := minute(c.CheckedAt.Truncate(time.Hour))
			if c.Status != "down" && c.LatencyMS != nil && *c.LatencyMS >= 0 && hour >= minute(r.Start) && hour < minute(r.End) {
				all = append(all, *c.LatencyMS)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	l := &Latency{Checks: int64(len(all)), MinMS: all[0], MaxMS: all[len(all)-1]}
	for _, ms := range all {
		l.SumMS += int64(ms)
	}
	for _, q := range quantiles {
		// As percentile_disc: the first row whose place among all is at least the quantile.
		exact := all[max(int(math.Ceil(q*float64(len(all)))), 1)-1]
		l.ExactMS = append(l.ExactMS, exact)
		l.QuantilesMS = append(l.QuantilesMS, min(max(Middle(exact), float64(l.MinMS)), float64(l.MaxMS)))
	}
	return l
}

// Middle returns what stands for a latency in a histogram: the harmonic mean of the
// least and the greatest in its bucket, which is at most a 33rd from any of them.
func Middle(ms int) float64 {
	low, high := Bucket(ms)
	if high == 0 {
		return 0
	}
	return 2 * float64(low) * float64(high) / float64(low+high)
}

// Bucket returns the least and the greatest latency in a latency's bucket: itself below
// 32, and else one of the 16 of equal width from one power of two to the next.
func Bucket(ms int) (low, high int) {
	octave := 1
	for 2*octave <= ms {
		octave *= 2
	}
	width := max(octave/16, 1)
	low = ms / width * width
	return low, low + width - 1
}
