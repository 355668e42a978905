package supabasetest

import "net/http"

// delete answers a DELETE. PostgREST ignores its limit and offset: everything
// that matches goes.
func (s *store) delete(c *call) (*answer, error) {
	q, err := c.resolveWrite(c.query.where)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var done change
	matching := q.matching()
	for _, r := range matching {
		done.remove(r)
	}
	status := http.StatusNoContent
	if c.prefer.representation() {
		status = http.StatusOK
	}
	return q.finish(status, matching, 0, &done)
}
