package supabasetest

import "net/http"

// read answers a GET or HEAD.
func (s *store) read(c *call) (*answer, error) {
	if c.query.columns != nil || c.query.onConflict != "" {
		return nil, unsupported("columns and on_conflict in a read")
	}
	q, err := c.resolve()
	if err != nil {
		return nil, err
	}
	rows, total := s.page(q)
	if q.query.offset > int64(total) && q.prefer.counted() {
		return nil, unsupported("an offset beyond the counted rows")
	}
	if err := q.checkOne(len(rows)); err != nil {
		return nil, err
	}
	status := http.StatusOK
	if q.prefer.counted() && len(rows) < total {
		status = http.StatusPartialContent
	}
	a := q.newAnswer(status, rangeOf(q.query.offset, len(rows), q.total(total)))
	a.header.Set("Content-Location", "/"+q.table.name+q.query.canonical())
	q.represent(a, rows, q.columns)
	return a, nil
}

// page returns the rows that a read asks for, cut at db-max-rows, and how many
// match in all.
func (s *store) page(q *statement) (rows []*row, total int) {
	s.mu.Lock()
	rows = q.matching()
	limit := s.maxRows
	s.mu.Unlock()
	total = len(rows)
	sortRows(rows, q.compare)
	rows = rows[min(q.query.offset, int64(total)):]
	if limit > 0 && len(rows) > limit {
		rows = rows[:limit]
	}
	if q.query.limit >= 0 && int64(len(rows)) > q.query.limit {
		rows = rows[:q.query.limit]
	}
	return rows, total
}
