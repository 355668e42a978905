package healthcheck

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// CreateMany stores checks, 1,000 to a request, and returns the number that is
// certainly stored. All are validated first: ErrInvalid names each fault by its index.
//
// A request is stored wholly or not at all; one that is too large (413) or too slow
// (57014) is split. Checks with a CheckedAt are sent first, then the others, each in
// the order of data. After an error the first ones of these, as many as returned, are
// stored; those of the failed request are not, unless the error is Uncertain.
func (m HealthCheckModel) CreateMany(ctx context.Context, data []CreateHealthCheckData) (stored int64, err error) {
	op := checks.Begin(operation.Insert, operation.Filter{})
	defer op.End(ctx, &err)
	rows, invalid := encodeMany(data)
	if err := op.Open(ctx, m.Connect, invalid); err != nil {
		return 0, err
	}
	return op.InsertMany(ctx, rows[0], rows[1])
}

// encodeMany returns the rows with and those without a checked_at, or what is
// invalid in data.
func encodeMany(data []CreateHealthCheckData) (rows [2][]operation.Row, invalid error) {
	var faults []error
	ids := make(map[string]int)
	for i, d := range data {
		row, err := d.encode()
		if err != nil {
			for fault := range strings.SplitSeq(err.Error(), "\n") {
				faults = append(faults, fmt.Errorf("data[%d]: %s", i, fault))
			}
		}
		if d.ID != "" {
			id := strings.ToLower(d.ID)
			if first, twice := ids[id]; twice {
				faults = append(faults, fmt.Errorf("data[%d]: id must not be that of data[%d]", i, first))
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
	return rows, errors.Join(faults...)
}
