package operation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/supavigil/supavigil/supabase"
)

// InsertRow stores a row and returns it as stored. The row carries its id, so
// repeating the request cannot store it twice. A conflict means that the row is
// there, and it is read, after an attempt that may have been carried out, or if
// the id was made for this call: then whoever repeated the request, a gateway
// perhaps, nobody else can have stored it.
func InsertRow[R any](ctx context.Context, o *Operation, client *supabase.Client, row Row, shape Shape[R]) (*R, error) {
	got, unsure, err := o.send(ctx, client.From(o.table).Insert(row.JSON, false, "", "representation", "").Single())
	if errors.Is(err, supabase.ErrConflict) && (unsure || row.Made && isDuplicate(err)) {
		stored, findErr := Get(ctx, o, client.From(o.table).Select("*", "", false).Eq("id", row.ID).Single(), shape)
		if errors.Is(findErr, supabase.ErrNotFound) {
			return nil, err // the conflict was about something else
		}
		return stored, findErr
	}
	if err != nil {
		return nil, err
	}
	return decodeRow(o, got.body, shape)
}

// isDuplicate tells a unique constraint from the others that are a conflict.
func isDuplicate(err error) bool {
	e, ok := errors.AsType[*supabase.Error](err)
	return ok && e.Code == "23505"
}

// NewID returns id or, where it is "", a new UUID of version 7, whose order in
// time keeps inserts to one end of the primary key's index.
func NewID(id string) string {
	if id != "" {
		return id
	}
	return uuid.Must(uuid.NewV7()).String() // crypto/rand never fails
}

// Row is a row as it travels.
type Row struct {
	ID   string
	Made bool            // ID was made here: no other row can have it
	JSON json.RawMessage // an object
}

// A request of many rows is bounded so that its statement ends long before
// Supabase's time limit of 8 s.
const (
	MaxBatchRows  = 1000
	MaxBatchBytes = 1 << 20
)

// idsPerQuery keeps a URL with that many ids below the 16 KB that Supabase's edge
// takes, headers included.
const idsPerQuery = 250

// InsertMany stores groups of rows, each group's rows with the same columns, as
// PostgREST demands of one request. It returns how many are stored for certain,
// also beside an error: of the groups one after the other, the first so many.
func InsertMany(ctx context.Context, o *Operation, client *supabase.Client, groups ...[]Row) (int64, error) {
	for _, rows := range groups {
		for batch := range Batches(rows) {
			if _, err := InsertBatch(ctx, o, client, batch, false); err != nil {
				return o.rows, err
			}
		}
	}
	return o.rows, nil
}

// Batches cuts rows into what one request may carry. A row that is larger than
// that is a batch of its own.
func Batches(rows []Row) iter.Seq[[]Row] {
	return func(yield func([]Row) bool) {
		from, size := 0, 0
		for i, row := range rows {
			if i > from && (i-from == MaxBatchRows || size+len(row.JSON) > MaxBatchBytes) {
				if !yield(rows[from:i]) {
					return
				}
				from, size = i, 0
			}
			size += len(row.JSON)
		}
		if from < len(rows) {
			yield(rows[from:])
		}
	}
}

// InsertBatch stores rows by one request, all or none of them; nothing travels
// back. tried says that an earlier call with the same rows may have been carried
// out; unsure, beside an error, that this one may have been.
//
// A conflict of the rows' ids means that they are stored where an attempt may
// have been carried out, or where all ids were made here; then they are looked
// for, since one that stands in the way can also be somebody else's.
func InsertBatch(ctx context.Context, o *Operation, client *supabase.Client, batch []Row, tried bool) (unsure bool, err error) {
	_, unsure, err = o.send(ctx, client.From(o.table).Insert(array(batch), false, "", "minimal", ""))
	if err == nil && o.status != http.StatusCreated {
		// A gateway's own page, say: without a row, nothing else tells.
		err = o.Fail("the answer is not 201, that of an insert", errNotCreated)
	}
	unsure = unsure || tried
	if errors.Is(err, supabase.ErrConflict) && (unsure || isDuplicate(err) && madeHere(batch)) {
		there, findErr := present(ctx, o, client, batch)
		if findErr != nil {
			return true, findErr
		}
		if there {
			err = nil
		}
	}
	if err != nil {
		unsure = unsure || errors.Is(err, supabase.ErrUnavailable) || errors.Is(err, errNotCreated) || ctx.Err() != nil
		return unsure, err
	}
	o.rows += int64(len(batch))
	return false, nil
}

func madeHere(batch []Row) bool {
	return !slices.ContainsFunc(batch, func(row Row) bool { return !row.Made })
}

// array is the body of a request that inserts a batch.
func array(batch []Row) json.RawMessage {
	var body bytes.Buffer
	for i, row := range batch {
		body.WriteByte("[,"[min(i, 1)])
		body.Write(row.JSON)
	}
	body.WriteByte(']')
	return body.Bytes()
}

var errNotCreated = errors.New("not created")

// present says whether every row of a batch is in the table.
func present(ctx context.Context, o *Operation, client *supabase.Client, batch []Row) (bool, error) {
	for some := range slices.Chunk(batch, idsPerQuery) {
		ids := make([]string, len(some))
		for i, row := range some {
			ids[i] = row.ID
		}
		count, err := o.count(ctx, client.From(o.table).Select("id", "exact", true).In("id", ids))
		if err != nil || count < int64(len(ids)) {
			return false, err
		}
	}
	return true, nil
}
