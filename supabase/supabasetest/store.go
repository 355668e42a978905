package supabasetest

import (
	"net/http"
	"slices"
	"sync"
)

// store is the database. One statement runs at a time, whole or not at all.
type store struct {
	mu      sync.Mutex // holds for the rows of the tables, alerts and maxRows
	tables  []*table   // the slice itself never changes
	alerts  *alertLog  // what the trigger of alert_events notes
	checks  *checkLog  // and that of service_health_checks
	maxRows int
}

func newStore() *store {
	s := &store{tables: []*table{healthChecks(), alertEvents()}, alerts: newAlertLog(), checks: newCheckLog(), maxRows: defaultMaxRows}
	s.table("alert_events").changed = s.alerts.note
	s.table("service_health_checks").changed = s.checks.note
	return s
}

func (s *store) setMaxRows(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maxRows = n
}

func (s *store) table(name string) *table {
	for _, t := range s.tables {
		if t.name == name {
			return t
		}
	}
	return nil
}

// statement is a call with its names and values resolved.
type statement struct {
	*call
	columns []int
	passes  predicate
	compare func(a, b *row) int
}

// resolveRead looks up every name of a query, then reads every value, in
// PostgreSQL's order.
func (c *call) resolveRead() (*statement, error) {
	where := &group{members: c.query.where}
	columns, err := c.columns()
	if err != nil {
		return nil, err
	}
	if err := where.lookUp(c.table); err != nil {
		return nil, err
	}
	compare, err := c.table.comparison(c.query.order, nil)
	if err != nil {
		return nil, err
	}
	passes, err := where.bind(c.table)
	if err != nil {
		return nil, err
	}
	return &statement{call: c, columns: columns, passes: passes, compare: compare}, nil
}

// resolveWrite does so for a write. Its select counts only where columns are
// returned, and so does its order, by one of those or the primary key.
func (c *call) resolveWrite(conditions []condition) (*statement, error) {
	where := &group{members: conditions}
	if err := where.lookUp(c.table); err != nil {
		return nil, err
	}
	s := &statement{call: c}
	var err error
	if c.prefer.representation() || c.prefer.returning == returnHeaders {
		if s.columns, err = c.columns(); err != nil {
			return nil, err
		}
	}
	if c.prefer.representation() {
		if s.compare, err = c.table.comparison(c.query.order, append([]int{0}, s.columns...)); err != nil {
			return nil, err
		}
	}
	s.passes, err = where.bind(c.table)
	return s, err
}

// matching returns the rows that a statement's filters let pass, in the table's
// order. Row-level security without policies hides all from the anonymous.
func (s *statement) matching() []*row {
	if s.anonymous {
		return nil
	}
	var rows []*row
	for _, r := range s.table.rows {
		if s.passes(r) == yes {
			rows = append(rows, r)
		}
	}
	return rows
}

// finish checks what a write has affected, applies it, and answers. named is how
// many rows its Content-Range names: only an update's names those affected.
func (s *statement) finish(status int, affected []*row, named int, done *change) (*answer, error) {
	if err := s.checkOne(len(affected)); err != nil {
		return nil, err
	}
	if err := s.checkAffected(len(affected)); err != nil && s.method != http.MethodPost {
		return nil, err
	}
	s.table.apply(done)
	a := s.newAnswer(status, rangeOf(0, named, s.total(len(affected))))
	if s.prefer.representation() {
		rows := slices.Clone(affected)
		sortRows(rows, s.compare)
		s.represent(a, rows, s.columns)
	}
	return a, nil
}
