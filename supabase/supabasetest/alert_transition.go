package supabasetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

func resolveOpenAlerts(c *alertCall) ([]byte, error) {
	service, alertType, named := c.text("service_name"), c.text("alert_type"), c.text("dedup_key")
	again, err := c.log.begin(c.text("request_id"), callOf("resolve_open_alerts", service, alertType, named), c.now)
	if err != nil {
		return nil, err
	}
	if !again {
		open := c.open(service, func(r *row) bool {
			key := c.get(r, "dedup_key")
			return key == cmp.Or(named, alertType) || named == "" && key == nil && c.get(r, "alert_type") == alertType
		})
		slices.SortFunc(open, func(a, b *row) int { return strings.Compare(a.id(), b.id()) })
		for _, r := range open {
			if _, err := c.move(r, "resolved"); err != nil {
				return nil, err
			}
		}
	}
	resolved := []*row{}
	for _, made := range c.log.of(c.text("request_id")) {
		resolved = append(resolved, c.table.byID[made.alertID])
	}
	return c.table.appendRows(resolved, c.table.all()), nil
}

func transitionAlert(c *alertCall) (said []byte, err error) {
	id, to, request := c.text("id"), c.text("to_status"), c.text("request_id")
	again, err := c.log.begin(request, callOf("transition_alert", id, to), c.now)
	if err != nil {
		return nil, err
	}
	r := c.table.byID[id]
	if again {
		if r == nil {
			return []byte("null"), nil
		}
		changed := slices.ContainsFunc(c.log.of(request), func(made alertTransition) bool { return made.alertID == id })
		return c.said(r, "changed", changed), nil
	}
	defer func() {
		if r == nil || err != nil { // rolled back
			delete(c.log.requests, request)
		}
	}()
	switch {
	case r == nil:
		return []byte("null"), nil
	case c.get(r, "status") == "resolved" && to == "acknowledged":
		return nil, conflict("a resolved alert cannot be acknowledged")
	case c.get(r, "status") == to:
		return c.said(r, "changed", false), nil
	}
	moved, err := c.move(r, to)
	if err != nil {
		return nil, err
	}
	return c.said(moved, "changed", true), nil
}

// move changes the status of an alert for the call's request.
func (c *alertCall) move(old *row, to string) (*row, error) {
	r := &row{values: slices.Clone(old.values)}
	c.set(r, "status", to)
	switch to {
	case "active":
		c.set(r, "acknowledged_at", nil)
		c.set(r, "resolved_at", nil)
	case "acknowledged", "resolved":
		c.set(r, to+"_at", c.now)
	}
	c.log.request = alertRequest{c.text("request_id"), c.text("by"), c.text("reason")}
	defer func() { c.log.request = alertRequest{} }()
	return r, c.put(old, r)
}

// callOf is what a request was for.
func callOf(parts ...string) string {
	return fmt.Sprintf("%q", parts)
}
