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
	DedupKey    string    `json:"dedup_key"`    // that of the Raise; "" means the alert's type
	By          string    `json:"by"`           // for the history: at most 200 characters; "" is NULL
	Reason      string    `json:"reason"`       // for the history: at most 2,000 characters; "" is NULL
	RequestID   string    `json:"request_id"`   // a UUID, to repeat the call with; "" makes one
}

// ResolveOpen resolves the open alert of a service and key; without DedupKey, also all
// of its type that have no key. It returns the alerts that this call, and no other,
// resolved; where nothing was open, an empty slice.
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
