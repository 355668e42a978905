package alertevent

import (
	"context"
	"iter"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
)

// FindAllOptions narrow a list. The zero value lists everything.
type FindAllOptions struct {
	Limit        int       // 0: 100 for FindAll, no limit for All
	ServiceName  string    // "": every service
	AlertType    AlertType // "": every type
	Status       Status    // "": every status
	Since, Until time.Time // created_at in [Since, Until); zero: no bound
}

const defaultLimit = 100

// FindAll lists alerts, newest created_at first; none is an empty slice. It reads in
// pages, so that the server's limit of rows (1,000 on Supabase) does not cut the list;
// pages that are too large or too slow are made smaller.
func (m AlertEventModel) FindAll(ctx context.Context, options FindAllOptions) ([]AlertEvent, error) {
	if options.Limit == 0 {
		options.Limit = defaultLimit
	}
	return m.collect(ctx, options)
}

// FindActive lists all active alerts of a service, or of every service with "", as
// FindAll does but without a limit. It is for what nobody has taken on yet; for all
// that is not over, use FindOpen: acknowledged alerts are not active.
func (m AlertEventModel) FindActive(ctx context.Context, serviceName string) ([]AlertEvent, error) {
	return m.collect(ctx, FindAllOptions{ServiceName: serviceName, Status: StatusActive})
}

// FindOpen is FindActive for all open alerts, active and acknowledged, by one request
// unless there are more than a page, or a server that counts by a statement of its own
// saw a change between the two. The pages are not a snapshot: where one alert was resolved
// and another reopened meanwhile, both may be listed, though of one key. It works without
// migration 016, whose index keeps it quick however many alerts are resolved.
func (m AlertEventModel) FindOpen(ctx context.Context, serviceName string) (open []AlertEvent, err error) {
	listing := operation.Listing{
		Where:   []operation.Filter{operation.Service(serviceName), {Column: "status", Value: string(StatusResolved), Not: true}},
		By:      "created_at",
		Counted: true,
	}
	op := alerts.Begin(operation.Select, operation.Service(serviceName))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, listing.Check()); err != nil {
		return nil, err
	}
	return op.List(listing).Collect(ctx)
}

func (m AlertEventModel) collect(ctx context.Context, options FindAllOptions) (found []AlertEvent, err error) {
	op := alerts.Begin(operation.Select, operation.Service(options.ServiceName))
	defer op.End(ctx, &err)
	if err := op.Open(ctx, m.Connect, options.listing().Check()); err != nil {
		return nil, err
	}
	return op.List(options.listing()).Collect(ctx)
}

// All yields alerts, newest created_at first, and holds 1,000 of them at a time. An
// error comes once, last. Each loop is one operation, which ends with the loop.
// The pages are not a snapshot: alerts created meanwhile are not yielded, those
// deleted or moved out of options may be, and all others are yielded exactly once.
func (m AlertEventModel) All(ctx context.Context, options FindAllOptions) iter.Seq2[AlertEvent, error] {
	return func(yield func(AlertEvent, error) bool) {
		op := alerts.Begin(operation.Select, operation.Service(options.ServiceName))
		err := op.Open(ctx, m.Connect, options.listing().Check())
		if err == nil {
			err = op.List(options.listing()).Each(ctx, yield)
		}
		op.End(ctx, &err)
		if err != nil {
			yield(AlertEvent{}, err)
		}
	}
}

func (options FindAllOptions) listing() operation.Listing {
	return operation.Listing{
		Where: []operation.Filter{
			operation.Service(options.ServiceName),
			{Column: "alert_type", Value: string(options.AlertType)},
			{Column: "status", Value: string(options.Status)},
		},
		By:    "created_at",
		Limit: options.Limit,
		Since: options.Since,
		Until: options.Until,
	}
}
