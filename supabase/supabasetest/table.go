package supabasetest

import (
	"net/http"
	"slices"
	"time"
)

// table holds rows in the order of PostgreSQL's heap: as they were inserted, but
// an updated row moves to the end. Its first column is the primary key.
type table struct {
	name    string
	columns []column
	rows    []*row
	byID    map[string]*row
	changed func(t *table, old, r *row) // a trigger after each row; nil for none
}

// column describes a column. Its CHECK constraint allows the listed values.
type column struct {
	name     string
	kind     kind
	limit    int // VARCHAR's length, 0: none
	required bool
	allowed  []string
	byClock  bool // DEFAULT CURRENT_TIMESTAMP
	byRandom bool // DEFAULT gen_random_uuid()
}

// row is immutable once it is in a table, so that it can be printed without
// holding up others.
type row struct{ values []value }

// change is what one statement does to a table. The zero value does nothing.
type change struct {
	removed map[*row]bool
	added   []*row
	byID    map[string]*row // the rows in added
}

func (c *change) remove(r *row) {
	if c.removed == nil {
		c.removed = map[*row]bool{}
	}
	c.removed[r] = true
}

func (c *change) add(r *row) {
	if c.byID == nil {
		c.byID = map[string]*row{}
	}
	c.added = append(c.added, r)
	c.byID[r.id()] = r
}

func (r *row) id() string { return r.values[0].(string) }

func newTable(name string, columns ...column) *table {
	return &table{name: name, columns: columns, byID: map[string]*row{}}
}

func healthChecks() *table {
	return newTable("service_health_checks",
		column{name: "id", kind: uuidKind{}, required: true, byRandom: true},
		column{name: "service_name", kind: textKind{}, limit: 100, required: true},
		column{name: "status", kind: textKind{}, required: true, allowed: []string{"healthy", "degraded", "down"}},
		column{name: "latency_ms", kind: integerKind{}},
		column{name: "checked_at", kind: timestampKind{}, byClock: true},
		column{name: "error_message", kind: textKind{}},
		column{name: "probe_details", kind: jsonbKind{}},
		column{name: "created_at", kind: timestampKind{}, byClock: true},
	)
}

func alertEvents() *table {
	return newTable("alert_events",
		column{name: "id", kind: uuidKind{}, required: true, byRandom: true},
		column{name: "service_name", kind: textKind{}, limit: 100, required: true},
		column{name: "alert_type", kind: textKind{}, required: true, allowed: []string{"service_down", "service_degraded", "recovery"}},
		column{name: "status", kind: textKind{}, required: true, allowed: []string{"active", "acknowledged", "resolved"}},
		column{name: "message", kind: textKind{}},
		column{name: "details", kind: jsonbKind{}},
		column{name: "created_at", kind: timestampKind{}, byClock: true},
		column{name: "acknowledged_at", kind: timestampKind{}},
		column{name: "resolved_at", kind: timestampKind{}},
		column{name: "dedup_key", kind: textKind{}, limit: 200},
	)
}

// index returns a column's position, -1 for an unknown one.
func (t *table) index(name string) int {
	return slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
}

// all returns the positions of all columns.
func (t *table) all() []int {
	columns := make([]int, len(t.columns))
	for i := range columns {
		columns[i] = i
	}
	return columns
}

// fallback returns a column's default, NULL without one.
func (c column) fallback(now time.Time) value {
	switch {
	case c.byRandom:
		return randomUUID()
	case c.byClock:
		return instantOf(now)
	}
	return nil
}

// find returns the row with an id, as a statement sees it that has made c so far.
func (t *table) find(id string, c *change) *row {
	if added := c.byID[id]; added != nil {
		return added
	}
	if found := t.byID[id]; found != nil && !c.removed[found] {
		return found
	}
	return nil
}

// apply carries out what a statement does.
func (t *table) apply(c *change) {
	if len(c.removed) > 0 {
		t.rows = slices.DeleteFunc(t.rows, func(r *row) bool { return c.removed[r] })
		for removed := range c.removed {
			delete(t.byID, removed.id())
		}
	}
	t.rows = append(t.rows, c.added...)
	for _, added := range c.added {
		t.byID[added.id()] = added
	}
	if t.changed == nil {
		return
	}
	before := map[string]*row{}
	for removed := range c.removed {
		before[removed.id()] = removed
		if c.byID[removed.id()] == nil {
			t.changed(t, removed, nil)
		}
	}
	for _, added := range c.added {
		t.changed(t, before[added.id()], added)
	}
}

// checkOpen is the unique index of alert_events: one open alert for each service and
// key.
func (t *table) checkOpen(r *row, c *change) error {
	key := t.index("dedup_key")
	if key < 0 || r.values[key] == nil {
		return nil
	}
	service, status := t.index("service_name"), t.index("status")
	if r.values[status] == "resolved" {
		return nil
	}
	same := func(other *row) bool {
		return other.id() != r.id() && !c.removed[other] && other.values[key] == r.values[key] &&
			other.values[service] == r.values[service] && other.values[status] != "resolved"
	}
	if slices.ContainsFunc(t.rows, same) || slices.ContainsFunc(c.added, same) {
		return (&failure{
			status:  http.StatusConflict,
			code:    "23505",
			message: `duplicate key value violates unique constraint "idx_alert_events_one_open_per_key"`,
		}).withDetails("Key (service_name, dedup_key)=(%s, %s) already exists.", r.values[service], r.values[key])
	}
	return nil
}
