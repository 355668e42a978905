package supabasetest

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"time"
)

// historyFunctions are those of migration 017, by their names.
var historyFunctions = map[string]historyFunction{
	"service_states": {func() historyCall { return &statesCall{servicesOf: servicesOf{MaxServices: 1000}} }, nil},
	"service_history": {func() historyCall {
		return &historyOfServices{servicesOf: servicesOf{MaxServices: 1000}, SlotMinutes: 1}
	}, []string{"starts", "ends"}},
	"rebuild_service_history": {func() historyCall { return &rebuildCall{} }, []string{"since", "until"}},
	"delete_service_history":  {func() historyCall { return &pruneCall{MaxRows: 1000} }, []string{"older_than_days"}},
}

// historyFunction makes a call with the defaults of its arguments, of which some have
// none.
type historyFunction struct {
	call     func() historyCall
	required []string
}

// historyCall is a call's arguments; it runs as a transaction by itself, under the
// store's lock.
type historyCall interface {
	run(t *table, l *checkLog) (any, error)
}

// readHistoryCall reads the arguments of a call. Those of another function are not
// known.
func readHistoryCall(name string, body []byte) (c historyCall, known bool, err error) {
	f, known := historyFunctions[name]
	if !known {
		return nil, false, nil
	}
	c = f.call()
	var given, all map[string]json.RawMessage
	encoded, err := json.Marshal(c)
	if err != nil {
		return nil, true, err
	}
	_, _ = json.Unmarshal(body, &given), json.Unmarshal(encoded, &all)
	for _, argument := range slices.AppendSeq(slices.Clip(f.required), maps.Keys(given)) {
		_, is := all[argument]
		if _, there := given[argument]; !is || !there {
			return nil, false, nil
		}
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(c); err != nil {
		return nil, true, unsupported("an argument of %s: %v", name, err)
	}
	return c, true, nil
}

func (s *store) callHistoryFunction(c historyCall) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	returned, err := c.run(s.table("service_health_checks"), s.checks)
	if err != nil {
		return nil, err
	}
	return json.Marshal(returned)
}

// UnmarshalJSON reads an argument.
func (i *instant) UnmarshalJSON(data []byte) error {
	v, err := fromJSON(timestampKind{}, data, false)
	if v != nil {
		*i = v.(instant)
	}
	return err
}

// servicesOf are the services that a call is about.
type servicesOf struct {
	ServiceNames []string `json:"service_names"` // null: every one
	AfterService *string  `json:"after_service"`
	MaxServices  int      `json:"max_services"`
}

// of returns which of some services a call is about, but for the most.
func (s servicesOf) of(names []string) []string {
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool {
		return s.ServiceNames != nil && !slices.Contains(s.ServiceNames, name) || s.AfterService != nil && name <= *s.AfterService
	})
}

type statesCall struct {
	servicesOf
	SeenSince *instant `json:"seen_since"`
}

type serviceState struct {
	Latest json.RawMessage `json:"latest"`
	Since  json.RawMessage `json:"since"`
	Checks int             `json:"checks"`
}

func (c *statesCall) run(t *table, _ *checkLog) (any, error) {
	const most = 10
	service, status, checkedAt := t.index("service_name"), t.index("status"), t.index("checked_at")
	checks := map[string][]*row{}
	for _, r := range t.rows {
		if r.values[checkedAt] != nil {
			name := r.values[service].(string)
			checks[name] = append(checks[name], r)
		}
	}
	at := func(r *row) instant { return r.values[checkedAt].(instant) }
	states := []serviceState{}
	for _, name := range c.of(slices.Collect(maps.Keys(checks))) {
		rows := checks[name]
		slices.SortFunc(rows, func(a, b *row) int { // the newest first
			if a == b || at(a) > at(b) || at(a) == at(b) && a.id() > b.id() {
				return -1
			}
			return 1
		})
		if c.SeenSince != nil && at(rows[0]) < *c.SeenSince || len(states) >= c.MaxServices {
			continue
		}
		run := slices.IndexFunc(rows, func(r *row) bool { return r.values[status] != rows[0].values[status] })
		if run < 0 {
			run = len(rows)
		}
		states = append(states, serviceState{
			Latest: t.appendRow(nil, rows[0], t.all()), Since: timestampKind{}.appendJSON(nil, at(rows[run-1])), Checks: min(run, most),
		})
	}
	return states, nil
}

type historyOfServices struct {
	servicesOf
	Starts      []instant `json:"starts"`
	Ends        []instant `json:"ends"`
	SlotMinutes int64     `json:"slot_minutes"`
	AnyHealthy  bool      `json:"any_healthy"`
	Quantiles   []float64 `json:"quantiles"`
}

type historyOfService struct {
	ServiceName string             `json:"service_name"`
	Minutes     [][3]int64         `json:"minutes"`
	Latency     []*latencyOfPeriod `json:"latency"`
}

type latencyOfPeriod struct {
	Checks    int       `json:"checks"`
	Sum       int64     `json:"sum_ms"`
	Min       int64     `json:"min_ms"`
	Max       int64     `json:"max_ms"`
	Quantiles []float64 `json:"quantiles_ms"`
}

func (c *historyOfServices) run(_ *table, l *checkLog) (any, error) {
	if len(c.Starts) != len(c.Ends) || c.SlotMinutes < 1 || 60%c.SlotMinutes != 0 {
		return nil, unsupported("a history of such periods or slots")
	}
	history := []historyOfService{}
	for _, name := range c.of(slices.Collect(maps.Keys(l.services))) {
		if len(history) == c.MaxServices {
			break
		}
		of := historyOfService{ServiceName: name, Minutes: make([][3]int64, len(c.Starts))}
		if len(c.Quantiles) > 0 {
			of.Latency = make([]*latencyOfPeriod, len(c.Starts))
		}
		for i := range c.Starts {
			start, end := floor(c.Starts[i], minute), floor(c.Ends[i], minute)
			of.Minutes[i] = l.minutes(name, start, end, c.SlotMinutes, c.AnyHealthy)
			if of.Latency != nil {
				of.Latency[i] = sumUp(l.latencies(name, start, end), c.Quantiles)
			}
		}
		history = append(history, of)
	}
	return history, nil
}

// sumUp returns nil for no latencies. They come in their order.
func sumUp(latencies []int64, quantiles []float64) *latencyOfPeriod {
	n := len(latencies)
	if n == 0 {
		return nil
	}
	p := &latencyOfPeriod{Checks: n, Min: latencies[0], Max: latencies[n-1]}
	for _, latency := range latencies {
		p.Sum += latency
	}
	for _, q := range quantiles {
		at := max(int(math.Ceil(q*float64(n))), 1) - 1
		p.Quantiles = append(p.Quantiles, min(max(asHistogram(latencies[at]), float64(p.Min)), float64(p.Max)))
	}
	return p
}

type rebuildCall struct {
	Since *instant `json:"since"`
	Until *instant `json:"until"`
}

func (c *rebuildCall) run(t *table, l *checkLog) (any, error) {
	if c.Since == nil || c.Until == nil {
		return nil, unsupported("a rebuild without since or until")
	}
	return map[string]int{"hours": l.rebuild(t, -floor(-*c.Since, hour), -floor(-*c.Until, hour))}, nil
}

type pruneCall struct {
	OlderThanDays *int  `json:"older_than_days"`
	MaxRows       int64 `json:"max_rows"`
}

func (c *pruneCall) run(_ *table, l *checkLog) (any, error) {
	if c.OlderThanDays == nil {
		return nil, unsupported("a deletion without older_than_days")
	}
	cutoff := instantOf(time.Now().UTC().AddDate(0, 0, -*c.OlderThanDays))
	return map[string]int64{"deleted": l.prune(floor(cutoff, hour), c.MaxRows)}, nil
}
