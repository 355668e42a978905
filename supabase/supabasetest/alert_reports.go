package supabasetest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

func alertHistory(c *alertCall) ([]byte, error) {
	data := []byte{'['}
	for _, made := range c.log.transitions {
		if made.alertID != c.text("alert_id") {
			continue
		}
		if len(data) > 1 {
			data = append(data, ", "...)
		}
		data = append(data, `{"id" : "`+strconv.FormatInt(made.id, 10)+`", "alert_id" : "`+made.alertID+`", "at" : `...)
		data = timestampKind{}.appendJSON(data, made.at)
		for _, column := range []struct{ name, text string }{
			{"from_status", made.from}, {"to_status", made.to}, {"by", made.request.by}, {"reason", made.request.reason},
		} {
			data = appendOrNull(append(data, `, "`+column.name+`" : `...), column.text)
		}
		data = append(data, '}')
	}
	return append(data, ']'), nil
}

func alertResponseTimes(c *alertCall) ([]byte, error) {
	var raised, acknowledged, resolved int
	var toAcknowledge, toResolve []int64
	for _, r := range c.table.rows {
		created, timed := c.get(r, "created_at").(instant)
		since, bounded := c.args["since"].(instant)
		until, alsoBounded := c.args["until"].(instant)
		switch {
		case c.get(r, "alert_type") == "recovery",
			c.args["service_name"] != nil && c.args["service_name"] != c.get(r, "service_name"),
			c.args["alert_type"] != nil && c.args["alert_type"] != c.get(r, "alert_type"),
			bounded && (!timed || created < since), alsoBounded && (!timed || created >= until):
			continue
		}
		raised++
		for _, span := range []struct {
			column string
			count  *int
			all    *[]int64
		}{{"acknowledged_at", &acknowledged, &toAcknowledge}, {"resolved_at", &resolved, &toResolve}} {
			if at, ok := c.get(r, span.column).(instant); ok {
				*span.count++
				if timed {
					*span.all = append(*span.all, max(int64(at-created), 0))
				}
			}
		}
	}
	return fmt.Appendf(nil, `{"raised" : %d, "acknowledged" : %d, "resolved" : %d, "to_acknowledge" : %s, "to_resolve" : %s}`,
		raised, acknowledged, resolved, spans(toAcknowledge), spans(toResolve)), nil
}

// spans are the mean of spans in microseconds, and those that so many are not above.
func spans(all []int64) string {
	slices.Sort(all)
	at := func(fraction float64) int64 {
		if len(all) == 0 {
			return 0
		}
		return all[int(math.Ceil(fraction*float64(len(all))))-1]
	}
	mean := 0.0
	for _, span := range all {
		mean += float64(span) / float64(len(all))
	}
	return fmt.Sprintf(`{"mean_us" : %.0f, "max_us" : %d, "p50_us" : %d, "p90_us" : %d}`, math.Round(mean), at(1), at(0.5), at(0.9))
}

func deleteResolvedAlerts(c *alertCall) ([]byte, error) {
	days, err := c.number("older_than_days", 0)
	if err != nil {
		return nil, err
	}
	most, err := c.number("max_rows", 1000)
	if err != nil {
		return nil, err
	}
	before := instantOf(time.UnixMicro(int64(c.now)).UTC().AddDate(0, 0, -int(days)))
	since := func(r *row) (instant, bool) {
		at, ok := c.get(r, "resolved_at").(instant)
		if !ok {
			at, ok = c.get(r, "created_at").(instant)
		}
		return at, ok && at < before && c.get(r, "status") == "resolved"
	}
	var old []*row
	for _, r := range c.table.rows {
		if _, is := since(r); is {
			old = append(old, r)
		}
	}
	slices.SortStableFunc(old, func(a, b *row) int {
		x, _ := since(a)
		y, _ := since(b)
		return int(min(max(x-y, -1), 1))
	})
	old = old[:min(int64(len(old)), most)]
	var done change
	for _, r := range old {
		done.remove(r)
	}
	c.table.apply(&done)
	return fmt.Appendf(nil, `{"deleted" : %d}`, len(old)), nil
}
