package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/supavigil/supavigil/supabase"
)

// ErrOtherRow is a conflict with a row that was looked at and is another: it has
// the id, and holds something else than was sent.
var ErrOtherRow = fmt.Errorf("%w: another row has the id", supabase.ErrConflict)

// IsUncertain says of a write's error that it may have been carried out all the
// same.
func IsUncertain(err error) bool {
	e, ok := errors.AsType[*supabase.Error](err)
	return ok && e.Uncertain
}

// Uncertain returns the operation's error, saying that the write may stand.
func (o *Operation[R]) Uncertain(err error) *supabase.Error {
	e := o.wrap(err, "the write may have been carried out")
	e.Uncertain = true
	return e
}

// CanLook says whether it makes sense to look for what a write that failed may have
// done: somebody answers, and there is time left.
func CanLook(ctx context.Context, err error) bool {
	e, ok := errors.AsType[*supabase.Error](err)
	return ok && e.Status != 0 && ctx.Err() == nil
}

// NotThere returns the error of a write after a look that did not find it: the
// error that came, or, where the look failed, both. The error that came is certain
// now, unless the last attempt may be under way still.
func (o *Operation[R]) NotThere(err error, underWay bool, lookErr error) error {
	e := o.wrap(err, "")
	// With a code, a 500 is the server's own word, and nothing is under way.
	e.Uncertain = underWay && (e.Status != http.StatusInternalServerError || e.Code == "")
	if lookErr == nil {
		return e
	}
	if errors.Is(err, supabase.ErrConflict) {
		return o.Uncertain(lookErr) // that a row is in the way says nothing yet
	}
	e.Uncertain = true
	e.Err = errors.Join(e.Err, lookErr)
	return e
}

// resolve finds out whether rows are stored although inserting them by one request,
// all or none, failed with err. It returns them, by their ids in small letters,
// where each of them is there and holds what was sent. That is looked up only
//
//   - after an error that is uncertain: an attempt that may have been carried out
//     makes any later answer one about something else, a conflict with its own
//     row among them; and
//   - after a conflict of rows whose ids were all made here: then whoever repeated
//     the request, a gateway perhaps, nobody else can have stored them.
//
// Else the error is err: uncertain where the look is not possible, or fails, and
// where the rows are not there but the last attempt may still be under way.
func (o *Operation[R]) resolve(ctx context.Context, rows []Row, underWay bool, err error) (map[string]json.RawMessage, error) {
	repeated := isDuplicate(err) && !slices.ContainsFunc(rows, func(row Row) bool { return !row.Made })
	if !IsUncertain(err) && !repeated {
		return nil, err
	}
	if !CanLook(ctx, err) {
		return nil, o.Uncertain(err)
	}
	found, lookErr := o.look(ctx, rows)
	if lookErr != nil {
		return nil, o.NotThere(err, underWay, lookErr)
	}
	missing, others := false, false
	for _, row := range rows {
		stored, there := found[row.key()]
		missing = missing || !there
		others = others || there && !row.Made && !holds(stored, row.JSON)
	}
	switch {
	case others:
		e := o.wrap(err, "")
		e.Uncertain = false
		if !errors.Is(err, supabase.ErrConflict) {
			e.Message += "; and another row has the id"
		}
		e.Err = errors.Join(e.Err, ErrOtherRow)
		return nil, e
	case missing:
		return nil, o.NotThere(err, underWay, nil)
	default:
		return found, nil
	}
}

// Holds says whether the table has a row, as it was sent.
func (o *Operation[R]) Holds(ctx context.Context, row Row) (bool, error) {
	found, err := o.look(ctx, []Row{row})
	stored, there := found[row.key()]
	return there && (row.Made || holds(stored, row.JSON)), err
}

// isDuplicate tells a unique constraint from the others that are a conflict, if the
// answer does.
func isDuplicate(err error) bool {
	e, ok := errors.AsType[*supabase.Error](err)
	return ok && e.Status == http.StatusConflict && (e.Code == "23505" || e.Code == "")
}

// look reads those of rows that are there, by their ids. A server cuts an answer at
// its db-max-rows without a word, so what is missing is asked for until an answer
// brings none of it; the rows behind that are not looked for.
func (o *Operation[R]) look(ctx context.Context, rows []Row) (map[string]json.RawMessage, error) {
	found := make(map[string]json.RawMessage, len(rows))
	missing := make([]string, len(rows))
	for i, row := range rows {
		missing[i] = row.key()
	}
	for len(missing) > 0 {
		some := missing[:min(len(missing), idsPerQuery)]
		heard, err := o.send(ctx, o.From().Select("*", "", false).In("id", some))
		if err != nil {
			return nil, err
		}
		stored, err := decodeArray[json.RawMessage](o, heard.Body)
		if err != nil {
			return nil, err
		}
		for _, row := range stored {
			var key struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(row, &key); err != nil || key.ID == "" {
				return nil, o.lacking("id")
			}
			found[strings.ToLower(key.ID)] = row
		}
		before := len(missing)
		missing = slices.DeleteFunc(missing, func(id string) bool { _, there := found[id]; return there })
		if len(missing) == before {
			break
		}
	}
	return found, nil
}
