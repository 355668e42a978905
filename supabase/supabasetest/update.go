package supabasetest

import (
	"net/http"
	"slices"
)

// update answers a PATCH. PostgREST ignores its limit and offset.
func (s *store) update(c *call, p *payload) (*answer, error) {
	where := c.query.where
	if len(p.columns) == 0 { // then PostgREST selects no rows instead, without the filters
		where = nil
	}
	q, err := c.resolveWrite(where)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var matching []*row
	if len(p.columns) > 0 {
		matching = q.matching()
	}
	rows, err := p.convert(c)
	switch {
	case err != nil && len(matching) == 0: // PostgreSQL may or may not look at them
		return nil, unsupported("an update of no rows with values that do not fit: %v", err)
	case err != nil:
		return nil, err
	case len(rows) == 0:
		matching = nil
	case len(rows) > 1 && len(matching) > 0:
		return nil, unsupported("an update with several objects")
	}
	var done change
	updated := make([]*row, len(matching))
	for n, old := range matching {
		r := &row{values: slices.Clone(old.values)}
		for _, at := range p.columns {
			r.values[at] = rows[0][at]
			if column := c.table.columns[at]; c.prefer.defaultsForMissing() && !p.has(0, column) {
				r.values[at] = column.fallback(c.now)
			}
		}
		if err := replace(c.table, old, r, &done); err != nil {
			return nil, err
		}
		updated[n] = r
	}
	status := http.StatusNoContent
	if c.prefer.representation() {
		status = http.StatusOK
	}
	return q.finish(status, updated, len(updated), &done)
}

// replace checks a new version of a row, or a new one where old is nil, and enters it
// into a change.
func replace(t *table, old, r *row, done *change) error {
	if err := t.fit(r); err != nil {
		return err
	}
	if err := t.check(r); err != nil {
		return err
	}
	if other := t.find(r.id(), done); other != nil && other != old {
		return duplicateKey(t, r)
	}
	if err := t.checkOpen(r, done); err != nil {
		return err
	}
	if old != nil {
		done.remove(old)
	}
	done.add(r)
	return nil
}
