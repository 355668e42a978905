package healthcheck

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// HistoryOptions say which services, and which periods of their past.
type HistoryOptions struct {
	ServiceNames []string // nil: every service that has a history
	// Periods are 1…1,000, which may overlap: 90 days and "the last 24 hours" take one
	// request.
	Periods []TimeRange
	// Slot is how long a check speaks for, whole minutes that divide an hour: at least
	// twice the probes' interval, or their jitter leaves gaps. Defaults to 1 minute.
	Slot time.Duration
	// AnyHealthy lets the best check of a slot count: it is healthy if any check in it
	// was, else degraded if any was. By default the worst does: it is down if any was,
	// else degraded if any was.
	AnyHealthy bool
	// Quantiles are those of latency to return, each within [0, 1]. Without any, no
	// latency is read.
	Quantiles []float64
}

// ServiceHistory is what a service was like in the periods that were asked for, in
// their order.
type ServiceHistory struct {
	ServiceName string
	Periods     []Period
}

// Period is how long a service was what: sums of the slots that begin in the range. A
// slot without a check is unknown, never up and never down.
type Period struct {
	TimeRange                        // as it was asked for
	Healthy, Degraded, Down, Unknown time.Duration
	Latency                          Latency
}

// Availability returns (Healthy+Degraded)/(Healthy+Degraded+Down), within [0, 1]. Where
// nothing is known, known is false.
func (p Period) Availability() (ratio float64, known bool) {
	up := p.Healthy + p.Degraded
	if up+p.Down == 0 {
		return 0, false
	}
	return float64(up) / float64(up+p.Down), true
}

// Latency sums up latency_ms, in milliseconds, of the checks that are not down, in the
// hours (UTC) that begin in the period. Without any, Checks is 0 and QuantilesMS nil.
type Latency struct {
	Checks       int64
	MeanMS       float64
	MinMS, MaxMS int
	// QuantilesMS are as Quantiles of HistoryOptions: within 1/33 of those that
	// PostgreSQL's percentile_disc has, and exact below 32 ms.
	QuantilesMS []float64
}

// periodsPerRequest is the most periods of services that a request asks for.
const periodsPerRequest = 100_000

// FindHistory returns what services were like over time, ordered by name, byte by
// byte. A named service without a history is there, all Unknown. Bounds are cut to
// whole minutes. Slots are aligned to the hour (UTC), and count whole in the period in
// which they begin. It takes a request for 1,000 services, or 100,000 periods of
// services, whose cost does not grow with the checks.
//
// Migration 017 keeps the history, of every check that is stored since, whether it is
// deleted later or not; RebuildHistory adds those of before. Without that migration the
// error is ErrSchema.
func (m HealthCheckModel) FindHistory(ctx context.Context, options HistoryOptions) (history []ServiceHistory, err error) {
	op := checks.Begin(operation.Select, operation.Filter{})
	defer op.End(ctx, &err)
	if options.Slot == 0 {
		options.Slot = time.Minute
	}
	if err := op.Open(ctx, m.Connect, options.check()); err != nil {
		return nil, err
	}
	history = []ServiceHistory{}
	args := options.args()
	w := walkThrough(options.ServiceNames)
	for !w.done {
		args.page = w.next(op.Ask(periodsPerRequest / len(options.Periods)))
		var answer []historyAnswer
		err := op.CallInto(ctx, &answer, "service_history", args)
		if op.AskFewer(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range answer {
			periods, err := answer[i].periods(options)
			if err = errors.Join(err, w.came(answer[i].ServiceName)); err != nil {
				return nil, op.Fail(err.Error(), err)
			}
			history = append(history, ServiceHistory{answer[i].ServiceName, periods})
		}
		w.turn(len(answer))
	}
	for _, name := range options.ServiceNames {
		if !w.seen[name] {
			w.seen[name] = true
			history = append(history, ServiceHistory{name, options.unknown()})
		}
	}
	slices.SortFunc(history, func(a, b ServiceHistory) int { return strings.Compare(a.ServiceName, b.ServiceName) })
	return history, nil
}

func (options HistoryOptions) check() error {
	const mostPeriods = 1000
	faults := []error{serviceNames(options.ServiceNames)}
	if n := len(options.Periods); n < 1 || n > mostPeriods {
		faults = append(faults, fmt.Errorf("periods must be 1…%d, not %d", mostPeriods, n))
	}
	for i, p := range options.Periods {
		if err := p.check(); err != nil {
			faults = append(faults, fmt.Errorf("period %d: %w", i+1, err))
		}
	}
	if s := options.Slot; s < time.Minute || s%time.Minute != 0 || time.Hour%s != 0 {
		faults = append(faults, fmt.Errorf("slot must be whole minutes that divide an hour (0: 1 minute), not %s", s))
	}
	for i, q := range options.Quantiles {
		if !(q >= 0 && q <= 1) { // NaN too
			faults = append(faults, fmt.Errorf("quantile %d must be within 0…1, not %v", i+1, q))
		}
	}
	return errors.Join(faults...)
}

func (r TimeRange) check() error {
	const longest = 290 * 365 * 24 * time.Hour // about what a time.Duration can hold
	switch {
	case r.Start.IsZero() || r.End.IsZero():
		return errors.New("start and end must be set")
	case r.End.Before(r.Start):
		return errors.New("end must not be before start")
	case r.End.Sub(r.Start) > longest:
		return errors.New("end must be at most 290 years after start")
	}
	return errors.Join(column.Time("start", r.Start), column.Time("end", r.End))
}

// slots is how long the slots are together that begin in a range.
func (r TimeRange) slots(slot time.Duration) time.Duration {
	return roundUp(r.End.Truncate(time.Minute), slot).Sub(roundUp(r.Start.Truncate(time.Minute), slot))
}

// roundUp returns the first instant that a slot begins at, not before t.
func roundUp(t time.Time, slot time.Duration) time.Time {
	if down := t.Truncate(slot); down.Before(t) {
		return down.Add(slot)
	}
	return t
}

// unknown are the periods of a service without a history.
func (options HistoryOptions) unknown() []Period {
	periods := make([]Period, len(options.Periods))
	for i, r := range options.Periods {
		periods[i] = Period{TimeRange: r, Unknown: r.slots(options.Slot)}
	}
	return periods
}

type historyArgs struct {
	page
	Starts      []string  `json:"starts"`
	Ends        []string  `json:"ends"`
	SlotMinutes int64     `json:"slot_minutes"`
	AnyHealthy  bool      `json:"any_healthy"`
	Quantiles   []float64 `json:"quantiles"`
}

func (options HistoryOptions) args() historyArgs {
	args := historyArgs{SlotMinutes: int64(options.Slot / time.Minute), AnyHealthy: options.AnyHealthy, Quantiles: options.Quantiles}
	for _, r := range options.Periods {
		args.Starts = append(args.Starts, timestamp.Format(r.Start.Truncate(time.Minute)))
		args.Ends = append(args.Ends, timestamp.Format(r.End.Truncate(time.Minute)))
	}
	return args
}

// historyAnswer is what the function says of a service: for each period the minutes
// healthy, degraded and down, and, where quantiles were asked for, its latency.
type historyAnswer struct {
	ServiceName string           `json:"service_name"`
	Minutes     [][]int64        `json:"minutes"`
	Latency     []*latencyAnswer `json:"latency"`
}

type latencyAnswer struct {
	Checks      int64     `json:"checks"`
	SumMS       float64   `json:"sum_ms"`
	MinMS       int       `json:"min_ms"`
	MaxMS       int       `json:"max_ms"`
	QuantilesMS []float64 `json:"quantiles_ms"`
}

// periods returns what an answer says of the periods that were asked for, unless it
// cannot be so.
func (a *historyAnswer) periods(options HistoryOptions) ([]Period, error) {
	periods := options.unknown()
	if len(a.Minutes) != len(periods) || a.Latency != nil && len(a.Latency) != len(periods) {
		return nil, errors.New("the answer has another number of periods")
	}
	for i := range periods {
		p, minutes := &periods[i], a.Minutes[i]
		if len(minutes) != 3 || slices.Min(minutes) < 0 {
			return nil, errors.New("the answer has a period without three sums of minutes")
		}
		if most := int64(p.Unknown / time.Minute); slices.Max(minutes) > most || minutes[0]+minutes[1]+minutes[2] > most {
			return nil, errors.New("the answer has more minutes than there are in a period")
		}
		p.Healthy, p.Degraded, p.Down = time.Duration(minutes[0])*time.Minute, time.Duration(minutes[1])*time.Minute, time.Duration(minutes[2])*time.Minute
		p.Unknown -= p.Healthy + p.Degraded + p.Down
		if a.Latency == nil || a.Latency[i] == nil {
			continue
		}
		l := a.Latency[i]
		if l.Checks < 1 || len(l.QuantilesMS) != len(options.Quantiles) {
			return nil, errors.New("the answer has another number of quantiles")
		}
		if l.SumMS < 0 || l.MinMS < 0 || l.MaxMS < l.MinMS || slices.ContainsFunc(l.QuantilesMS, func(q float64) bool { return q < float64(l.MinMS) || q > float64(l.MaxMS) }) {
			return nil, errors.New("the answer has latencies that are none")
		}
		p.Latency = Latency{l.Checks, l.SumMS / float64(l.Checks), l.MinMS, l.MaxMS, l.QuantilesMS}
	}
	return periods, nil
}
