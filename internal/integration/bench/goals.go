package main

import (
	"fmt"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
)

// goal is a bound on how this library compares with another client.
type goal struct {
	of       metric
	at       Cell
	against  clients.Name
	atLeast  bool // else at most
	bound    float64
	absolute bool // the value itself, the worst of all cells with these callers
}

// goals are this library's. What is compared with hand-written holds over every
// protocol.
func goals() []goal {
	var all []goal
	for _, protocol := range []Protocol{HTTP1, TLS1, TLS2} {
		create := Cell{Protocol: protocol, Case: clients.Create, Callers: usual}
		list := Cell{Protocol: protocol, Case: clients.FindAll1000, Callers: usual}
		all = append(all,
			goal{of: cpu, at: create, against: clients.HandWritten, bound: 1.2},
			goal{of: perSecond, at: create, against: clients.HandWritten, atLeast: true, bound: 0.9},
			goal{of: allocations, at: create, against: clients.HandWritten, bound: 1.5},
			goal{of: cpu, at: list, against: clients.HandWritten, bound: 0.7},
		)
	}
	plain, secure := Cell{HTTP1, clients.Create, usual}, Cell{TLS1, clients.Create, usual}
	return append(all,
		goal{of: perSecond, at: plain, against: clients.SupabaseGo, atLeast: true, bound: 1.3},
		goal{of: perSecond, at: secure, against: clients.SupabaseGo, atLeast: true, bound: 3},
		goal{of: perSecond, at: plain, against: clients.PostgrestJS, atLeast: true, bound: 5},
		goal{of: connections, at: Cell{Callers: usual}, bound: 80, absolute: true},
	)
}

// Verdict is what the measurements say about a goal.
type Verdict struct {
	Goal     string `json:"goal"`
	Bound    string `json:"bound"`
	Measured Spread `json:"measured"` // a ratio, taken in each round by itself
	Met      bool   `json:"met"`      // the median's
	Certain  bool   `json:"certain"`  // all rounds say the same
}

// judge returns the verdicts on those goals that were measured.
func judge(records []Record) []Verdict {
	var verdicts []Verdict
	for _, g := range goals() {
		measured, ok := g.measured(records)
		if !ok {
			continue
		}
		v := Verdict{Goal: g.title(), Measured: measured, Met: g.met(measured.Median)}
		v.Certain = g.met(measured.Min) == v.Met && g.met(measured.Max) == v.Met
		v.Bound = fmt.Sprintf("≤ %g", g.bound)
		if g.atLeast {
			v.Bound = fmt.Sprintf("≥ %g", g.bound)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

func (g goal) title() string {
	if g.absolute {
		return fmt.Sprintf("%s of any case, %d callers", g.of, g.at.Callers)
	}
	return fmt.Sprintf("%s of %s over %s, to %s", g.of, g.at.Case, g.at.Protocol.Title(), g.against)
}

func (g goal) met(value float64) bool {
	if g.atLeast {
		return value >= g.bound
	}
	return value <= g.bound
}

func (g goal) measured(records []Record) (Spread, bool) {
	if !g.absolute {
		found, ok := ratios(records, g.at, clients.Ours, g.against)[g.of]
		return found, ok
	}
	var worst []float64
	for _, record := range records {
		value := g.of.of(record.Measurement)
		if record.Client == clients.Ours && record.Callers == g.at.Callers && value >= 0 {
			worst = append(worst, value)
		}
	}
	if worst == nil {
		return Spread{}, false
	}
	found := spreadOf(worst)
	found.Median = found.Max // the bound is for all of them
	return found, true
}
