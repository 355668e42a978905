package alertevent

import (
	"context"
	"iter"
	"time"

	"github.com/supavigil/supavigil/internal/operation"
)

// FindAllOptions narrow a list. The zero value narrows nothing.
type FindAllOptions struct {
	// Limit is the most rows to return. 0 means 100 for FindAll, and no limit for
	// All.
	Limit int
	// ServiceName lists one service's alerts. "" means every service.
	ServiceName string
	// AlertType lists the alerts of one type, and Status those of one status, be it
	// one that a newer schema has. "" means every one.
	AlertType AlertType
	Status    Status
	// Since and Until list the alerts whose created_at is within [Since, Until).
	// A zero time is no bound; with either, alerts whose created_at is NULL are
	// left out.
	Since, Until time.Time
}

const defaultLimit = 100

// FindAll lists alerts, newest created_at first. A limit above what the server
// returns at once (1,000 rows on Supabase) is honoured, in pages, which become
// smaller where they are too large or too slow to come whole. Alerts whose
// created_at is NULL come last. Without alerts it returns an empty slice.
func (m AlertEventModel) FindAll(ctx context.Context, options FindAllOptions) ([]AlertEvent, error) {
	if options.Limit == 0 {
		options.Limit = defaultLimit
	}
	return m.collect(ctx, options)
}

// FindActive lists the active alerts of a service, or of every service with "",
// newest first: all of them, in pages, however many there are. Acknowledged ones
// are not among them, so it answers what nobody has taken on; FindOpen is for what is
// not over. Alerts whose created_at is NULL come last. Without alerts it returns an
// empty slice.
func (m AlertEventModel) FindActive(ctx context.Context, serviceName string) ([]AlertEvent, error) {
	return m.collect(ctx, FindAllOptions{ServiceName: serviceName, Status: StatusActive})
}

// FindOpen lists the active and acknowledged alerts of a service, or of every service
// with "", newest first: all of them, by one request unless there are more than a
// page. Alerts whose created_at is NULL come last. Without alerts it returns an empty
// slice. It does without migration 016, whose index makes it as quick as there are few
// open alerts, however many are resolved.
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

// All yields alerts, newest created_at first, page after page: it holds 1,000 of
// them at a time, however many there are. An error comes once, last. It is one
// operation, which ends when the loop does; each loop over the iterator is
// another.
//
// The pages are no snapshot. An alert that is there all along, and whose columns
// that the options name do not change, is yielded exactly once. Those that are
// created meanwhile come before the page and are not seen; those that are deleted
// are not, or no longer.
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
