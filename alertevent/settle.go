package alertevent

import (
	"context"
	"time"

	postgrest "github.com/supabase-community/postgrest-go"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/internal/timestamp"
	"github.com/supavigil/supavigil/supabase"
)

// Acknowledge marks an active alert as acknowledged, now by this machine's
// clock, and returns it. An alert that is not active any more is returned as it
// stands, so repeating the call changes nothing. The error is ErrNotFound for
// an unknown id.
func (m AlertEventModel) Acknowledge(ctx context.Context, id string) (*AlertEvent, error) {
	return m.settle(ctx, id, map[string]string{
		"status":          string(StatusAcknowledged),
		"acknowledged_at": timestamp.Format(time.Now()),
	}, func(query *postgrest.FilterBuilder) *postgrest.FilterBuilder {
		return query.Eq("status", string(StatusActive))
	})
}

// Resolve marks an alert as resolved, now by this machine's clock, and returns
// it. An alert that is resolved already is returned as it stands, so repeating
// the call changes nothing. The error is ErrNotFound for an unknown id.
func (m AlertEventModel) Resolve(ctx context.Context, id string) (*AlertEvent, error) {
	return m.settle(ctx, id, map[string]string{
		"status":      string(StatusResolved),
		"resolved_at": timestamp.Format(time.Now()),
	}, func(query *postgrest.FilterBuilder) *postgrest.FilterBuilder {
		return query.Neq("status", string(StatusResolved))
	})
}

// settle makes a change to the alert with id where it is one that movable lets
// through, and reads it where it is not, or was not there.
func (m AlertEventModel) settle(ctx context.Context, id string, change map[string]string, movable func(*postgrest.FilterBuilder) *postgrest.FilterBuilder) (*AlertEvent, error) {
	o := operation.Begin(operation.Update, table, "id", id)
	return operation.Run(ctx, o, m.Connect, []string{column.ID(id)}, func(client *supabase.Client) (*AlertEvent, error) {
		query := client.From(table).Update(change, "representation", "").Eq("id", id)
		changed, err := operation.Rows(ctx, o, movable(query), shape)
		if err != nil {
			return nil, err
		}
		if len(changed) > 0 {
			return &changed[0], nil
		}
		return operation.Get(ctx, o, client.From(table).Select("*", "", false).Eq("id", id).Single(), shape)
	})
}
