package healthcheck

import (
	"context"
	"fmt"
	"strings"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/timestamp"
	"github.com/supavigil/supavigil/supabase"
)

// CreateMany stores checks, 1,000 to a request, and returns how many are stored
// for certain; the rows do not travel back. Everything is validated before
// anything is sent: the error, ErrInvalid, names every fault by its index in data.
//
// Each request is stored wholly or not at all, and retried safely, as Create is; one
// that is too large for a gateway (413), or takes the database too long (57014), is
// cut smaller, as are those that follow. There are two kinds, since a request's rows must have the same columns: first
// those for checks that have a CheckedAt, then those for the others, both in the
// order of data. After an error the first so many of these are stored, and the
// request that failed is not, unless the error is Uncertain. The error is
// ErrConflict when another row has an ID of data, as for Create.
func (m HealthCheckModel) CreateMany(ctx context.Context, data []CreateHealthCheckData) (int64, error) {
	rows, problems := encodeMany(data)
	o := operation.Begin(operation.Insert, table, "", "")
	return operation.Run(ctx, o, m.Connect, problems, func(client *supabase.Client) (int64, error) {
		return operation.InsertMany(ctx, o, client, rows[0], rows[1])
	})
}

// encodeMany returns the rows with and those without a checked_at, and what is
// wrong with them.
func encodeMany(data []CreateHealthCheckData) (rows [2][]operation.Row, problems []string) {
	ids := make(map[string]int)
	for i, d := range data {
		row, found := d.encode()
		for _, problem := range found {
			if problem != "" {
				problems = append(problems, fmt.Sprintf("data[%d]: %s", i, problem))
			}
		}
		if d.ID != "" {
			id := strings.ToLower(d.ID)
			if first, twice := ids[id]; twice {
				problems = append(problems, fmt.Sprintf("data[%d]: id must not be that of data[%d]", i, first))
			} else {
				ids[id] = i
			}
		}
		group := 0
		if timestamp.Cut(d.CheckedAt).IsZero() {
			group = 1
		}
		rows[group] = append(rows[group], row)
	}
	return rows, problems
}
