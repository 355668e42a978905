package recorder

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is what Insert reaches: a table, and what is wrong at the moment.
type server struct {
	mu      sync.Mutex
	table   map[string]bool
	refused map[string]error
	// fault answers a request in the table's place, unless it returns nil. stored
	// says that the request was carried out before.
	fault    func(rows []operation.Row) (err error, stored bool)
	requests int
	latency  time.Duration
}

func newServer() *server {
	return &server{table: map[string]bool{}, refused: map[string]error{}, latency: time.Millisecond}
}

// answer is the error of an answer.
func answer(status int, code string) error {
	return &supabase.Error{Status: status, Code: code, Message: "no"}
}

var errNoAnswer = &supabase.Error{Message: "no answer", Err: supabase.ErrUnavailable}

// insert is Options.Insert. Like the real one it looks for what may be there.
func (s *server) insert(_ context.Context, rows []operation.Row, tried bool) (uncertain bool, err error) {
	time.Sleep(s.latency) //nolint:forbidigo // in a bubble
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	there := 0
	for _, row := range rows {
		if s.table[row.ID] {
			there++
		}
	}
	var carriedOut bool
	if s.fault != nil {
		err, carriedOut = s.fault(rows)
	}
	if err == nil && there > 0 {
		err = answer(409, "23505")
	}
	if err == nil || carriedOut && there == 0 {
		for _, row := range rows {
			s.table[row.ID] = true
		}
	}
	var e *supabase.Error
	switch {
	case err == nil:
		return false, nil
	case errors.As(err, &e) && e.Status == 0:
		return true, err
	case (tried || e.Code == "23505") && there == len(rows):
		return true, nil
	default:
		return carriedOut || e.Status > 500 || e.Status == 408, err // it may be under way
	}
}

// find is Options.Find.
func (s *server) find(_ context.Context, row operation.Row) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.table[row.ID], nil
}

func (s *server) breaks(fault func([]operation.Row) (error, bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// recorder returns a Recorder that stores on the server.
func (s *server) recorder(options Options) *Recorder {
	if options.MaxRows == 0 {
		options.MaxRows = 100_000
	}
	if options.BatchRows == 0 {
		options.BatchRows = 1000
	}
	options.MaxBytes, options.BatchBytes, options.BatchAge, options.Insert = 64<<20, 1<<20, time.Second, s.insert
	options.Find = s.find
	options.OnRefused = func(row operation.Row, err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.refused[row.ID] != nil {
			panic("refused twice: " + row.ID)
		}
		s.refused[row.ID] = err
	}
	return New(options)
}

// row is one of a name; the names of those at fault begin with "bad".
func row(name string, i int) operation.Row {
	id := fmt.Sprint(name, i)
	return operation.Row{ID: id, JSON: fmt.Appendf(nil, `{"id":%q,"latency_ms":null}`, id)}
}

func record(t *testing.T, r *Recorder, name string, n int) {
	t.Helper()
	for i := range n {
		require.NoError(t, r.Record(t.Context(), row(name, i)))
	}
}

func hasBad(rows []operation.Row) bool {
	for _, row := range rows {
		if strings.HasPrefix(row.ID, "bad") {
			return true
		}
	}
	return false
}

// badRows has requests with rows at fault answered so.
func badRows(err error) func([]operation.Row) (error, bool) {
	return func(rows []operation.Row) (error, bool) {
		if hasBad(rows) {
			return err, false
		}
		return nil, false
	}
}

// every has all requests answered so.
func every(err error) func([]operation.Row) (error, bool) {
	return func([]operation.Row) (error, bool) { return err, false }
}

// random has a part of all requests answered so.
func random(part float64, err error) func([]operation.Row) (error, bool) {
	return func([]operation.Row) (error, bool) {
		if rand.Float64() < part { //nolint:gosec // not a secret
			return err, false
		}
		return nil, false
	}
}

// answers are of all kinds.
func answers() map[string]error {
	all := map[string]error{
		"no answer": errNoAnswer,
		"null in a column that is not sent": &supabase.Error{
			Status: 400, Code: "23502", Message: `null value in column "region" of relation "service_health_checks" violates not-null constraint`,
		},
	}
	all["lite's statement timeout"] = &supabase.Error{Status: 500, Code: "SUP", Message: "canceling statement due to statement timeout"}
	for _, a := range []struct {
		status int
		code   string
	}{
		{400, "22P05"},
		{400, "23514"},
		{409, "23503"},
		{409, "23505"},
		{400, "44000"},
		{500, "54000"},
		{400, "P0001"},
		{500, "P0002"},
		{400, "SV001"},
		{402, "PT402"}, // data
		{500, "SUP"},
		{413, ""},
		{400, "PGRST102"},
		{500, "57014"},
		{400, ""},
		{403, ""},
		{403, "23514"},
		{406, ""},
		{409, ""},
		{422, ""},
		{451, ""},
		{500, ""},
		{400, "WAF"}, // somebody's
		{401, ""},
		{401, "PGRST301"},
		{403, "42501"},
		{404, "PGRST205"},
		{400, "PGRST204"},
		{407, ""},
		{408, ""},
		{429, ""}, // trouble
		{500, "53100"},
		{500, "XX000"},
		{500, "40001"},
		{502, ""},
		{503, "PGRST002"},
		{503, "57P01"},
		{504, ""},
		{520, ""},
		{540, ""},
		{302, ""},
	} {
		all[fmt.Sprint(a.status, " ", a.code)] = answer(a.status, a.code)
	}
	return all
}
