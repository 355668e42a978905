package supabasetest

import "net/http"

// read answers a GET or HEAD.
func (s *store) read(c *call) (*answer, error) {
	if c.prefer.count == countPlanned {
		return nil, unsupported("Prefer: %s on a read", c.prefer.count)
	}
	q, err := c.resolveRead()
	if err != nil {
		return nil, err
	}
	rows, total, limit := s.page(q)
	if c.prefer.count == countEstimated && (limit <= 0 || total > limit) {
		return nil, unsupported("Prefer: %s on a read of more rows than db-max-rows", c.prefer.count)
	}
	if err := q.checkOne(len(rows)); err != nil {
		return nil, err
	}
	status := http.StatusOK
	if q.prefer.counted() && len(rows) < total {
		status = http.StatusPartialContent
	}
	a := q.newAnswer(status, rangeOf(q.window.first, len(rows), q.total(total)))
	a.header.Set("Content-Location", "/"+q.table.name+q.query.canonical())
	q.represent(a, rows, q.columns)
	if q.prefer.counted() && q.window.first > int64(total) {
		a.status = http.StatusRequestedRangeNotSatisfiable
		a.body = unsatisfiable("An offset of %d was requested, but there are only %d rows.", q.window.first, total).answer().body
	}
	return a, nil
}

// page returns the rows that a read asks for, cut at db-max-rows, how many match
// in all, and db-max-rows.
func (s *store) page(q *statement) (rows []*row, total, limit int) {
	s.mu.Lock()
	rows = q.matching()
	limit = s.maxRows
	s.mu.Unlock()
	total = len(rows)
	sortRows(rows, q.compare)
	rows = q.window.of(rows)
	if limit > 0 && len(rows) > limit {
		rows = rows[:limit]
	}
	return rows, total, limit
}
