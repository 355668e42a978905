package operation

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/supavigil/supavigil/internal/timestamp"
	"github.com/supavigil/supavigil/supabase"
)

// InsertRow stores a row and returns it as stored. The row carries its id, so
// repeating the request cannot store it twice. A conflict means that the row is
// there, and it is read, after an attempt that may have been carried out, or if
// the id was made for this call: then whoever repeated the request, a gateway
// perhaps, nobody else can have stored it.
func InsertRow[R any](ctx context.Context, o *Operation, client *supabase.Client, id string, made bool, row any, key Key[R]) (*R, error) {
	got, unsure, err := o.send(ctx, client.From(o.table).Insert(row, false, "", "representation", "").Single())
	if errors.Is(err, supabase.ErrConflict) && (unsure || made && isDuplicate(err)) {
		stored, findErr := Get(ctx, o, client.From(o.table).Select("*", "", false).Eq("id", id).Single(), key)
		if errors.Is(findErr, supabase.ErrNotFound) {
			return nil, err // the conflict was about something else
		}
		return stored, findErr
	}
	if err != nil {
		return nil, err
	}
	return decodeRow(o, got.body, key)
}

// isDuplicate tells a unique constraint from the others that are a conflict.
func isDuplicate(err error) bool {
	e, ok := errors.AsType[*supabase.Error](err)
	return ok && e.Code == "23505"
}

// DeleteOlderThan deletes the rows created before days before now, by this
// machine's clock, and returns how many.
func DeleteOlderThan(ctx context.Context, o *Operation, client *supabase.Client, days int) (int64, error) {
	before := timestamp.Format(cutoff(o.began, days))
	got, _, err := o.send(ctx, client.From(o.table).Delete("minimal", "exact").Lt("created_at", before))
	if err != nil {
		return 0, err
	}
	if !got.counted {
		return 0, o.fail("the answer does not say how many rows were deleted", errNoCount)
	}
	o.rows = got.count
	return got.count, nil
}

var errNoCount = errors.New("no count in Content-Range")

// cutoff goes back by calendar days, which cannot wrap as a product of durations
// does.
func cutoff(now time.Time, days int) time.Time { return now.UTC().AddDate(0, 0, -days) }

// NewID returns id or, where it is "", a new UUID of version 7, whose order in
// time keeps inserts to one end of the primary key's index.
func NewID(id string) string {
	if id != "" {
		return id
	}
	return uuid.Must(uuid.NewV7()).String() // crypto/rand never fails
}
