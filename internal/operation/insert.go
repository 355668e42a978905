package operation

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/supavigil/supavigil/supabase"
)

// InsertRow stores a row and returns it as stored. The row carries its id, so
// repeating the request cannot store it twice; what became of an attempt whose
// answer was lost is found out by that id, see resolve.
func (o *Operation[R]) InsertRow(ctx context.Context, row Row) (*R, error) {
	heard, err := o.sendPayload(ctx, o.From().Insert(nil, false, "", "representation", "").Single(), row.JSON)
	if err == nil {
		var stored *R
		if stored, err = o.decodeRow(heard.Body); err == nil {
			return stored, nil
		}
		heard.LastUncertain, err = true, o.Uncertain(err) // a gateway's own page, say
	}
	found, err := o.resolve(ctx, []Row{row}, heard.LastUncertain, err)
	if err != nil {
		return nil, err
	}
	stored, err := o.decodeRow(found[row.key()])
	if err != nil {
		return nil, o.Uncertain(err)
	}
	return stored, nil
}

// NewID returns a new UUID of version 7, whose order in time keeps inserts to one end
// of the primary key's index.
func NewID() string {
	return uuid.Must(uuid.NewV7()).String() // crypto/rand never fails
}

// Row is a row as it travels.
type Row struct {
	ID   string
	Made bool            // ID was made here: no other row can have it
	JSON json.RawMessage // an object
}

// Size is what the row takes of a request: its JSON, and a comma or bracket.
func (r Row) Size() int { return len(r.JSON) + 1 }

// key is the ID as PostgreSQL prints it.
func (r Row) key() string { return strings.ToLower(r.ID) }

// A request of many rows is bounded so that its statement ends long before
// Supabase's time limit of 8 s, and its body is within 1 MiB, which is what nginx
// takes by default
// (https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size).
const (
	MaxBatchRows  = 1000
	MaxBatchBytes = 1<<20 - 1 // of all Row.Size; the body has one bracket more
)

// idsPerQuery keeps a URL with that many ids below the 16 KB that Supabase's edge
// takes, headers included.
const idsPerQuery = 250

// InsertMany stores groups of rows, each group's rows with the same columns, as
// PostgREST demands of one request. It returns the number stored for certain,
// even when err is non-nil: of the groups one after the other, the first so many.
//
// A request that is too large, or takes too long, is cut smaller, and so are those
// that follow.
func (o *Operation[R]) InsertMany(ctx context.Context, groups ...[]Row) (int64, error) {
	limit := limits{rows: MaxBatchRows, bytes: MaxBatchBytes}
	for _, rows := range groups {
		for len(rows) > 0 {
			batch := limit.first(rows)
			uncertain, err := o.InsertBatch(ctx, batch, false)
			switch {
			case err == nil:
				rows = rows[len(batch):]
			case uncertain || len(batch) == 1 || !limit.lower(batch, err):
				return o.rows, err
			}
		}
	}
	return o.rows, nil
}

// limits are what one request may carry.
type limits struct{ rows, bytes int }

// first returns those of rows that come first and fit, and one at least.
func (l limits) first(rows []Row) []Row {
	size := 0
	for i, row := range rows[:min(len(rows), l.rows)] {
		if size += row.Size(); size > l.bytes && i > 0 {
			return rows[:i]
		}
	}
	return rows[:min(len(rows), l.rows)]
}

// lower halves what made a batch fail, if it was its size: the bytes that a gateway
// refused, or the rows whose statement timed out.
func (l *limits) lower(batch []Row, err error) bool {
	e, ok := errors.AsType[*supabase.Error](err)
	switch {
	case errors.Is(err, supabase.ErrConflict): // as well
		return false
	case ok && e.Status == http.StatusRequestEntityTooLarge:
		l.bytes = bodySize(batch) / 2
	case IsStatementTimeout(err):
		l.rows = len(batch) / 2
	default:
		return false
	}
	return true
}

// InsertBatch stores rows by one request, all or none of them; nothing travels
// back. tried says that an earlier call with the same rows may have been carried
// out; uncertain, which is the error's, that this or that one may have been, and
// without an error that one was, though this request was answered otherwise. What
// can be found out by the rows' ids is, see resolve.
func (o *Operation[R]) InsertBatch(ctx context.Context, batch []Row, tried bool) (uncertain bool, err error) {
	heard, err := o.sendPayload(ctx, o.From().Insert(nil, false, "", "minimal", ""), array(batch))
	if err == nil && heard.Status != http.StatusCreated {
		// A gateway's own page, say: without a row, nothing else tells.
		heard.LastUncertain, err = true, o.Uncertain(o.Fail("the answer is not 201, that of an insert", errors.New("not created")))
	}
	if err != nil && tried {
		err = o.Uncertain(err)
	}
	if err != nil {
		if _, err = o.resolve(ctx, batch, heard.LastUncertain, err); err != nil {
			return IsUncertain(err), err
		}
		uncertain = true
	}
	o.rows += int64(len(batch))
	return uncertain, nil
}

func bodySize(batch []Row) (bytes int) {
	for _, row := range batch {
		bytes += row.Size()
	}
	return bytes
}

// array is the body of a request that inserts a batch.
func array(batch []Row) []byte {
	body := append(make([]byte, 0, bodySize(batch)+1), '[')
	for i, row := range batch {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, row.JSON...)
	}
	return append(body, ']')
}
