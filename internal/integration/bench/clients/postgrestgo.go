package clients

import (
	"context"
	"strings"

	postgrest "github.com/supabase-community/postgrest-go"
)

// openPostgrestGo uses postgrest-go as its documentation does: one client, and
// ExecuteTo, which knows no context.
func openPostgrestGo[T Times](target Target, w *work) (map[Case]Operation, error) {
	headers := map[string]string{"apikey": target.Key}
	if !strings.HasPrefix(target.Key, "sb_") {
		headers["Authorization"] = "Bearer " + target.Key
	}
	client := postgrest.NewClient(target.RESTURL, "public", headers)
	if client.ClientError != nil {
		return nil, client.ClientError
	}
	findAll := func(limit int) Operation {
		return func(context.Context, int) error {
			var rows []check[T]
			if _, err := allChecks(client, limit).ExecuteTo(&rows); err != nil {
				return err
			}
			return counted(len(rows), limit)
		}
	}
	return map[Case]Operation{
		Create: func(_ context.Context, n int) error {
			var row check[T]
			if _, err := insertCheck(client, w, n).ExecuteTo(&row); err != nil {
				return err
			}
			return identified(row.ID)
		},
		FindLatest: func(_ context.Context, n int) error {
			var row check[T]
			if _, err := latestCheck(client, w, n).ExecuteTo(&row); err != nil {
				return err
			}
			return identified(row.ID)
		},
		FindAll100:  findAll(100),
		FindAll1000: findAll(1000),
		Acknowledge: func(_ context.Context, n int) error {
			var rows []alert[T]
			if _, err := acknowledge(client, n).ExecuteTo(&rows); err != nil {
				return err
			}
			return counted(len(rows), 1)
		},
		CreateMany: func(context.Context, int) error {
			_, _, err := client.From("service_health_checks").Insert(w.newChecks(), false, "", "minimal", "").Execute()
			return err
		},
	}, nil
}

// tables is what postgrest-go's and supabase-go's clients have in common.
type tables interface {
	From(table string) *postgrest.QueryBuilder
}

func insertCheck(client tables, w *work, n int) *postgrest.FilterBuilder {
	return client.From("service_health_checks").Insert(w.newCheck(n), false, "", "representation", "").Single()
}

func latestCheck(client tables, w *work, n int) *postgrest.FilterBuilder {
	order := &postgrest.OrderOpts{Ascending: false}
	return client.From("service_health_checks").Select("*", "", false).
		Eq("service_name", w.service(n)).And("checked_at.not.is.null", "").
		Order("checked_at", order).Order("id", order).Limit(1, "").Single()
}

func allChecks(client tables, limit int) *postgrest.FilterBuilder {
	order := &postgrest.OrderOpts{Ascending: false, NullsFirst: true}
	return client.From("service_health_checks").Select("*", "", false).And("created_at.not.is.null", "").
		Order("created_at", order).Order("id", order).Limit(limit, "")
}

func acknowledge(client tables, n int) *postgrest.FilterBuilder {
	return client.From("alert_events").Update(acknowledged(), "representation", "").
		Eq("id", AlertID(n)).Eq("status", "active")
}
