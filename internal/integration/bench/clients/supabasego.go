package clients

import (
	"context"
	"encoding/json"
	"errors"

	postgrest "github.com/supabase-community/postgrest-go"
	supabasego "github.com/supabase-community/supabase-go"
)

// openSupabaseGo uses supabase-go as its README does: one client, Execute, and
// encoding/json for the bytes that it returns.
func openSupabaseGo[T Times](target Target, w *work) (map[Case]Operation, error) {
	if target.URL == "" {
		return nil, errors.New("supabase-go takes a project's URL, not a bare PostgREST's")
	}
	client, err := supabasego.NewClient(target.URL, target.Key, nil)
	if err != nil {
		return nil, err
	}
	execute := func(query *postgrest.FilterBuilder, result any) error {
		data, _, err := query.Execute()
		if err != nil {
			return err
		}
		return json.Unmarshal(data, result)
	}
	findAll := func(limit int) Operation {
		return func(context.Context, int) error {
			var rows []check[T]
			if err := execute(allChecks(client, limit), &rows); err != nil {
				return err
			}
			return counted(len(rows), limit)
		}
	}
	return map[Case]Operation{
		Create: func(_ context.Context, n int) error {
			var row check[T]
			if err := execute(insertCheck(client, w, n), &row); err != nil {
				return err
			}
			return identified(row.ID)
		},
		FindLatest: func(_ context.Context, n int) error {
			var row check[T]
			if err := execute(latestCheck(client, w, n), &row); err != nil {
				return err
			}
			return identified(row.ID)
		},
		FindAll100:  findAll(100),
		FindAll1000: findAll(1000),
		Acknowledge: func(_ context.Context, n int) error {
			var rows []alert[T]
			if err := execute(acknowledge(client, n), &rows); err != nil {
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
