package alertevent

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/supavigil/supavigil/internal/column"
	"github.com/supavigil/supavigil/internal/operation"
	"github.com/supavigil/supavigil/supabase"
)

// NotificationKind is what people are to be told of an alert.
type NotificationKind string

// The kinds, in the order in which they are claimed.
const (
	KindOpened   NotificationKind = "opened"   // also when the alert was acknowledged or resolved meanwhile
	KindResolved NotificationKind = "resolved" // once opened was confirmed
	KindReminder NotificationKind = "reminder" // while the alert is active
)

// ClaimOptions say what to claim, and for how long. The zero value is usable.
type ClaimOptions struct {
	Lease       time.Duration // for which nobody else can claim them, 1 s…30 days. Defaults to 1 minute
	RemindEvery time.Duration // after the last confirmation, 1 s…30 days. 0: no reminders
	Limit       int           // at most 1,000. Defaults to 100
	RequestID   string        // a UUID, to repeat the call with; "" makes one
}

// Notification is claimed, to be sent and confirmed.
type Notification struct {
	Kind  NotificationKind
	Alert AlertEvent // as it was when it was claimed
	Token string     // the claim's RequestID
}

// ClaimNotifications claims what people are to be told of raised alerts, by kind, the
// longest due first; where nothing is due, an empty slice. Programs that claim at once
// do not wait for each other. What is not confirmed within Lease is due again: each is
// sent at least once, and twice only if a sender outlived its lease or could not
// confirm. A call with the same RequestID returns what it still holds, for another
// Lease. Alerts of Create, and of before migration 016, are left out until a Raise
// takes them over.
func (m AlertEventModel) ClaimNotifications(ctx context.Context, options ClaimOptions) (claimed []Notification, err error) {
	op := alerts.Begin(operation.Update, operation.Filter{})
	defer op.End(ctx, &err)
	err = op.Open(ctx, m.Connect,
		column.Span("lease", options.Lease, "1 minute"), column.Span("remindEvery", options.RemindEvery, "no reminders"),
		column.ClaimLimit(options.Limit), column.OptionalUUID("request_id", options.RequestID))
	if err != nil {
		return nil, err
	}
	args := claimArgs{
		RequestID:     cmp.Or(options.RequestID, operation.NewID()),
		LeaseMS:       cmp.Or(options.Lease, defaultLease).Milliseconds(),
		RemindEveryMS: options.RemindEvery.Milliseconds(),
		MaxRows:       cmp.Or(options.Limit, defaultLimit),
	}
	var answer []struct {
		Kind  NotificationKind `json:"kind"`
		Alert AlertEvent       `json:"alert"`
	}
	if err := op.CallInto(ctx, &answer, "claim_alert_notifications", args); err != nil {
		return nil, err
	}
	if answer == nil {
		return nil, op.Uncertain(op.Fail("the answer cannot be decoded: null is not an array", errors.New("no array")))
	}
	claimed = make([]Notification, len(answer))
	for i := range answer {
		if err := op.Accept(&answer[i].Alert); err != nil {
			return nil, err
		}
		claimed[i] = Notification{answer[i].Kind, answer[i].Alert, args.RequestID}
	}
	return claimed, nil
}

const defaultLease = time.Minute

type claimArgs struct {
	RequestID     string `json:"request_id"`
	LeaseMS       int64  `json:"lease_ms"`
	RemindEveryMS int64  `json:"remind_every_ms"`
	MaxRows       int    `json:"max_rows"`
}

// ConfirmNotification says that a claimed notification was sent. It may be repeated,
// and come late, until another claim has it: then the error is ErrConflict, and it may
// be sent twice. The error is ErrNotFound where the alert is gone.
func (m AlertEventModel) ConfirmNotification(ctx context.Context, notification Notification) (err error) {
	id := notification.Alert.ID
	op := alerts.Begin(operation.Update, operation.ID(id))
	defer op.End(ctx, &err)
	err = op.Open(ctx, m.Connect,
		column.ID(id), column.OneOf("kind", notification.Kind, KindOpened, KindResolved, KindReminder), column.UUID("token", notification.Token))
	if err != nil {
		return err
	}
	args := map[string]string{"alert_id": id, "kind": string(notification.Kind), "token": notification.Token}
	var confirmed *bool
	if err := op.CallInto(ctx, &confirmed, "confirm_alert_notification", args); err != nil {
		return err
	}
	switch {
	case confirmed == nil:
		return op.Fail("the alert is gone", supabase.ErrNotFound)
	case !*confirmed:
		return op.Uncertain(op.Fail("the answer is false", errors.New("not confirmed")))
	}
	return nil
}
