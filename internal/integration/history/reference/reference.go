// Package reference computes what migration 017 and the methods on it promise, by
// brute force: from raw checks, minute by minute. It shares nothing with the SQL, the
// double or package healthcheck, which tests hold against it.
package reference

import (
	"slices"
	"time"
)

// Check is a row of service_health_checks.
type Check struct {
	ID, Service, Status string
	LatencyMS           *int      // nil: NULL
	CheckedAt           time.Time // zero: NULL or infinity
}

// Database is the table of checks, and what was noted of those that were ever in it.
// Its zero value is empty.
type Database struct {
	rows  []Check
	noted map[string]map[int64][]Check // by service and the minute since 1970
}

// minute is t's, in minutes since 1970.
func minute(t time.Time) int64 { return t.Truncate(time.Minute).Unix() / 60 }

func (c Check) counts() bool {
	return !c.CheckedAt.IsZero() && slices.Contains([]string{"healthy", "degraded", "down"}, c.Status)
}

// Insert stores checks, whose ids are new.
func (d *Database) Insert(checks ...Check) {
	d.rows = append(d.rows, checks...)
	for _, c := range checks {
		d.note(c)
	}
}

func (d *Database) note(c Check) {
	if !c.counts() {
		return
	}
	if d.noted == nil {
		d.noted = map[string]map[int64][]Check{}
	}
	if d.noted[c.Service] == nil {
		d.noted[c.Service] = map[int64][]Check{}
	}
	at := minute(c.CheckedAt)
	d.noted[c.Service][at] = append(d.noted[c.Service][at], c)
}

// Delete deletes checks, which changes no history, and returns how many.
func (d *Database) Delete(which func(Check) bool) int {
	before := len(d.rows)
	d.rows = slices.DeleteFunc(d.rows, which)
	return before - len(d.rows)
}

// Rows returns the checks that are there.
func (d *Database) Rows() []Check { return slices.Clone(d.rows) }

// hour is one of a service.
type hour struct {
	service string
	begins  int64 // the minute
}

func hourOf(c Check) hour { return hour{c.Service, minute(c.CheckedAt.Truncate(time.Hour))} }

// Rebuild replaces each hour that is, wholly or in part, within [since, until) and has
// checks by those, and returns how many hours it replaced.
func (d *Database) Rebuild(since, until time.Time) int {
	first, end := minute(since.Truncate(time.Hour)), minute(until.Add(time.Hour-1).Truncate(time.Hour))
	there := map[hour][]Check{}
	for _, c := range d.rows {
		if h := hourOf(c); c.counts() && h.begins >= first && h.begins < end {
			there[h] = append(there[h], c)
		}
	}
	for h, checks := range there {
		d.forget(h)
		for _, c := range checks {
			d.note(c)
		}
	}
	return len(there)
}

// DeleteHistory forgets the hours that ended at before or earlier, and returns how
// many of services they were.
func (d *Database) DeleteHistory(before time.Time) int {
	old := map[hour]bool{}
	for _, minutes := range d.noted {
		for _, checks := range minutes {
			if ends := checks[0].CheckedAt.Truncate(time.Hour).Add(time.Hour); !ends.After(before) {
				old[hourOf(checks[0])] = true
			}
		}
	}
	for h := range old {
		d.forget(h)
	}
	return len(old)
}

func (d *Database) forget(h hour) {
	for m := h.begins; m < h.begins+60; m++ {
		delete(d.noted[h.service], m)
	}
	if len(d.noted[h.service]) == 0 {
		delete(d.noted, h.service)
	}
}
