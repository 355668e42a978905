package alertevent

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
)

// ResponseTimesOptions narrow what is counted. The zero value counts all.
type ResponseTimesOptions struct {
	ServiceName  string    // "": every service
	AlertType    AlertType // "": every type. A recovery is never counted
	Since, Until time.Time // created_at in [Since, Until); zero: no bound
}

// ResponseTimes count alerts, those with acknowledged_at and those with resolved_at.
type ResponseTimes struct {
	Raised, Acknowledged, Resolved int64
	ToAcknowledge, ToResolve       Durations // from created_at on
}

// Durations sum up spans of time, to the microsecond: zero where there are none, and a
// negative span as zero. P50 and P90 are spans that occurred (percentile_disc).
type Durations struct {
	Mean, P50, P90, Max time.Duration
}

// ResponseTimes sums up how long alerts waited to be acknowledged and resolved.
func (m AlertEventModel) ResponseTimes(ctx context.Context, options ResponseTimesOptions) (times ResponseTimes, err error) {
	op := alerts.Begin(operation.Select, operation.Service(options.ServiceName))
	defer op.End(ctx, &err)
	err = op.Open(ctx, m.Connect,
		column.OptionalName("service_name", options.ServiceName), column.OptionalName("alert_type", string(options.AlertType)),
		column.Period(options.Since, options.Until))
	if err != nil {
		return ResponseTimes{}, err
	}
	args := map[string]*string{"since": operation.Bound(options.Since), "until": operation.Bound(options.Until)}
	if options.ServiceName != "" {
		args["service_name"] = &options.ServiceName
	}
	if options.AlertType != "" {
		args["alert_type"] = new(string(options.AlertType))
	}
	var answer *struct {
		Raised        int64        `json:"raised"`
		Acknowledged  int64        `json:"acknowledged"`
		Resolved      int64        `json:"resolved"`
		ToAcknowledge microseconds `json:"to_acknowledge"`
		ToResolve     microseconds `json:"to_resolve"`
	}
	if err := op.CallInto(ctx, &answer, "alert_response_times", args); err != nil {
		return ResponseTimes{}, err
	}
	if answer == nil {
		return ResponseTimes{}, op.Fail("the answer cannot be decoded: null", errors.New("no object"))
	}
	return ResponseTimes{answer.Raised, answer.Acknowledged, answer.Resolved, answer.ToAcknowledge.durations(), answer.ToResolve.durations()}, nil
}

type microseconds struct {
	Mean int64 `json:"mean_us"`
	P50  int64 `json:"p50_us"`
	P90  int64 `json:"p90_us"`
	Max  int64 `json:"max_us"`
}

func (m microseconds) durations() Durations {
	return Durations{duration(m.Mean), duration(m.P50), duration(m.P90), duration(m.Max)}
}

// duration is at most what a time.Duration can hold, 292 years: less than timestamps
// can be apart.
func duration(microseconds int64) time.Duration {
	return time.Duration(min(microseconds, math.MaxInt64/int64(time.Microsecond))) * time.Microsecond
}
