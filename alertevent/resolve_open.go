package alertevent

import (
	"cmp"
	"context"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
)

// ResolveOpenData names what is over.
type ResolveOpenData struct {
	ServiceName string    `json:"service_name"` // not blank, at most 100 characters
	AlertType   AlertType `json:"alert_type"`   // not blank
	// DedupKey is that of the alert's Raise. "" means the alert's type.
	DedupKey string `json:"dedup_key"`
	// By and Reason are kept in the alert's history: at most 200 and 2,000 characters;
	// "" stores NULL.
	By     string `json:"by"`
	Reason string `json:"reason"`
	// RequestID is the UUID of this call, for those who repeat it within a day, and are
	// told the same again. "" makes one (version 7).
	RequestID string `json:"request_id"`
}

// ResolveOpen resolves the open alert of a service and key, now by the database's
// clock; without DedupKey, those too of its type that have no key. It returns the
// alerts that this call resolved: of any number of programs that do so at once, one is
// told of each alert. Where nothing is open it returns an empty slice.
//
// The error is ErrConflict where RequestID is that of another call, and ErrSchema
// without migration 016. It retries safely; where the last answer was lost the error is
// Uncertain, and repeating the call with the same RequestID finds out.
func (m AlertEventModel) ResolveOpen(ctx context.Context, data ResolveOpenData) (resolved []AlertEvent, err error) {
	op := alerts.Begin(operation.Update, operation.Service(data.ServiceName))
	defer op.End(ctx, &err)
	err = op.Open(ctx, m.Connect,
		column.ServiceName(data.ServiceName), column.Name("alert_type", string(data.AlertType)), column.DedupKey(data.DedupKey),
		column.By(data.By), column.Reason(data.Reason), column.OptionalUUID("request_id", data.RequestID))
	if err != nil {
		return nil, err
	}
	data.RequestID = cmp.Or(data.RequestID, operation.NewID())
	return op.Call(ctx, "resolve_open_alerts", data, operation.Service(data.ServiceName))
}
