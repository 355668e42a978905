package supabasetest

import (
	"net/http"
	"slices"
)

// insert answers a POST. PostgREST reads its filters, limit and offset, and
// ignores them.
func (s *store) insert(c *call, p *payload) (*answer, error) {
	q, err := c.resolveWrite(nil)
	if err != nil {
		return nil, err
	}
	if err := c.checkConflict(); err != nil {
		return nil, err
	}
	rows, err := p.convert(c)
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
	a, err := q.finish(status, i.affected, 0, &i.change)
	if err == nil && q.prefer.returning == returnHeaders && len(i.affected) == 1 {
		id := q.table.columns[0].name
		a.header.Set("Location", "/"+q.table.name+"?"+id+"=eq."+i.affected[0].id())
	}
	return a, err
}

// checkConflict looks for the unique constraint of an upsert. The primary key
// has the only one.
func (c *call) checkConflict() error {
	if c.prefer.resolution == "" {
		return nil
	}
	for _, name := range c.query.onConflict {
		if c.table.index(name) < 0 {
			return badRequest("42703", `column "%s" does not exist`, name)
		}
	}
	for _, name := range c.query.onConflict {
		if name != c.table.columns[0].name {
			return badRequest("42P10", "there is no unique or exclusion constraint matching the ON CONFLICT specification")
		}
	}
	return nil
}

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
	if err := i.table.checkOpen(r, &i.change); err != nil {
		return err
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
			return &failure{
				status:  http.StatusInternalServerError,
				code:    "21000",
				message: "ON CONFLICT DO UPDATE command cannot affect row a second time",
				hint:    "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.",
			}
		}
		merged := &row{values: slices.Clone(existing.values)}
		for _, at := range i.payload.columns {
			merged.values[at] = r.values[at]
		}
		if err := i.table.checkOpen(merged, &i.change); err != nil {
			return err
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
