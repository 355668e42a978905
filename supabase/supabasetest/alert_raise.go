package supabasetest

import (
	"cmp"
	"slices"
)

func raiseAlert(c *alertCall) ([]byte, error) {
	id, service, alertType := c.text("id"), c.text("service_name"), c.text("alert_type")
	key := cmp.Or(c.text("dedup_key"), alertType)
	if r := c.table.byID[id]; r != nil {
		if c.get(r, "service_name") != service || c.get(r, "alert_type") != alertType || c.get(r, "dedup_key") != key {
			return nil, conflict("the id is that of another alert")
		}
		return c.said(r, "opened", true), nil
	}
	if r := c.table.byID[c.log.requests["raise_alert "+id].call]; r != nil && c.get(r, "service_name") == service && c.get(r, "dedup_key") == key {
		return c.said(r, "opened", false), nil // as it was found then
	}
	if open := c.open(service, func(r *row) bool { return c.get(r, "dedup_key") == key }); len(open) > 0 {
		return c.found(open[0]), nil
	}
	if c.text("dedup_key") == "" {
		keyless := c.open(service, func(r *row) bool { return c.get(r, "dedup_key") == nil && c.get(r, "alert_type") == alertType })
		if len(keyless) > 0 {
			newest := slices.MaxFunc(keyless, c.compareAge)
			r := &row{values: slices.Clone(newest.values)}
			c.set(r, "dedup_key", key)
			if err := c.put(newest, r); err != nil {
				return nil, err
			}
			return c.found(r), nil
		}
	}
	r := &row{values: make([]value, len(c.table.columns))}
	c.set(r, "id", id)
	c.set(r, "service_name", service)
	c.set(r, "alert_type", alertType)
	c.set(r, "status", "active")
	c.set(r, "message", c.args["message"])
	c.set(r, "created_at", c.now)
	c.set(r, "dedup_key", key)
	if details, ok := c.args["details"].(string); ok {
		parsed, err := jsonbKind{}.parse(details)
		if err != nil {
			return nil, err
		}
		c.set(r, "details", parsed)
	}
	if err := c.put(nil, r); err != nil {
		return nil, err
	}
	return c.said(r, "opened", true), nil
}

// found remembers what a call found open, and says it.
func (c *alertCall) found(r *row) []byte {
	c.log.requests["raise_alert "+c.text("id")] = calledRequest{r.id(), c.now}
	return c.said(r, "opened", false)
}

// open returns the open alerts of a service that pass.
func (c *alertCall) open(service string, passes func(*row) bool) (open []*row) {
	for _, r := range c.table.rows {
		if c.get(r, "service_name") == service && c.get(r, "status") != "resolved" && passes(r) {
			open = append(open, r)
		}
	}
	return open
}

// compareAge orders by created_at, NULL first, and id.
func (c *alertCall) compareAge(a, b *row) int {
	x, timed := c.get(a, "created_at").(instant)
	y, alsoTimed := c.get(b, "created_at").(instant)
	switch {
	case timed && !alsoTimed:
		return 1
	case alsoTimed && !timed:
		return -1
	}
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.id(), b.id()))
}
