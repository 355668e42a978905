package supabasetest

import (
	"net/http"
	"slices"
)

// insert answers a POST.
func (s *store) insert(c *call, p *payload) (*answer, error) {
	if len(c.query.where) > 0 || c.query.limit >= 0 || c.query.offset > 0 {
		return nil, unsupported("filters, limit and offset in an insert")
	}
	if conflict := c.query.onConflict; conflict != "" && conflict != c.table.columns[0].name && c.prefer.resolution != "" {
		return nil, unsupported("on_conflict=%s: the primary key alone is unique", conflict)
	}
	q, err := c.resolve()
	if err != nil {
		return nil, err
	}
	rows, err := p.convert(c.table)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := &insertion{statement: q, payload: p}
	for n, values := range rows {
		if err := i.add(n, values); err != nil {
			return nil, err
		}
	}
	status := http.StatusCreated
	if q.prefer.resolution == mergeDuplicates && i.inserted == 0 {
		status = http.StatusOK
	}
	return q.finish(status, i.affected, 0, &i.change)
}

const (
	mergeDuplicates  = "resolution=merge-duplicates"
	ignoreDuplicates = "resolution=ignore-duplicates"
)

// insertion is an INSERT under way.
type insertion struct {
	*statement
	payload  *payload
	change   change
	affected []*row
	inserted int
}

// add inserts the n-th record, whose values are those of its columns.
func (i *insertion) add(n int, values []value) error {
	r := &row{values: values}
	for at, c := range i.table.columns {
		given := slices.Contains(i.payload.columns, at)
		if !given || i.prefer.defaultsForMissing() && !i.payload.has(n, c) {
			r.values[at] = c.fallback(i.now)
		}
	}
	if err := i.table.fit(r); err != nil {
		return err
	}
	if i.anonymous {
		return rowSecurity(i.table)
	}
	if err := i.table.check(r); err != nil {
		return err
	}
	if existing := i.table.find(r.id(), &i.change); existing != nil {
		return i.collide(existing, r)
	}
	i.change.add(r)
	i.affected = append(i.affected, r)
	i.inserted++
	return nil
}

// collide is ON CONFLICT (id).
func (i *insertion) collide(existing, r *row) error {
	switch i.prefer.resolution {
	case ignoreDuplicates:
		return nil
	case mergeDuplicates:
		if i.change.byID[r.id()] != nil {
			return unsupported("an upsert of one id twice in one request")
		}
		merged := &row{values: slices.Clone(existing.values)}
		for _, at := range i.payload.columns {
			merged.values[at] = r.values[at]
		}
		i.change.remove(existing)
		i.change.add(merged)
		i.affected = append(i.affected, merged)
		return nil
	}
	return duplicateKey(i.table, r)
}

func duplicateKey(t *table, r *row) *failure {
	return (&failure{
		status:  http.StatusConflict,
		code:    "23505",
		message: `duplicate key value violates unique constraint "` + t.name + `_pkey"`,
	}).withDetails("Key (id)=(%s) already exists.", r.id())
}

// rowSecurity refuses an anonymous insert.
func rowSecurity(t *table) *failure {
	return &failure{
		status:    http.StatusUnauthorized,
		code:      "42501",
		message:   `new row violates row-level security policy for table "` + t.name + `"`,
		challenge: "Bearer",
	}
}
