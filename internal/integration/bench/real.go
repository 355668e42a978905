package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
	"github.com/supavigil/supavigil/internal/integration/queryplans"
	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

// realServer is a REST server on a PostgreSQL, both started here.
type realServer struct {
	postgres *realserver.Postgres
	rest     *realserver.REST
}

// stored is how many checks the tables hold before anything is measured.
const stored = 20_000

// startReal starts PostgREST, or where it is missing @supabase/lite, on
// PostgreSQL, with rows.
func startReal(ctx context.Context) (_ *realServer, err error) {
	r := &realServer{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.stop())
		}
	}()
	if r.postgres, err = realserver.StartPostgres(ctx, realserver.PostgresOptions{}); err != nil {
		return nil, err
	}
	options := realserver.Options{Migrations: migrations.FS, Postgres: r.postgres}
	r.rest, err = realserver.Start(ctx, realserver.PostgREST, options)
	if _, missing := errors.AsType[*realserver.MissingError](err); missing {
		r.rest, err = realserver.Start(ctx, realserver.LitePostgres, options)
	}
	if err != nil {
		return nil, err
	}
	return r, r.session(ctx, func(session *pgx.Conn) error {
		if err := queryplans.Fill(ctx, session, stored); err != nil {
			return err
		}
		rows := make([][]any, clients.Alerts)
		for n := range rows {
			rows[n] = []any{clients.AlertID(n), "service-0", "service_down", "active", "3 probes failed in a row"}
		}
		_, err := session.CopyFrom(ctx, pgx.Identifier{"alert_events"},
			[]string{"id", "service_name", "alert_type", "status", "message"}, pgx.CopyFromRows(rows))
		return err
	})
}

func (r *realServer) stop() error {
	var errs []error
	if r.rest != nil {
		errs = append(errs, r.rest.Stop())
	}
	if r.postgres != nil {
		errs = append(errs, r.postgres.Stop())
	}
	return errors.Join(errs...)
}

func (r *realServer) target() target {
	return target{url: r.rest.URL, restURL: r.rest.RESTURL, key: string(r.rest.Key)}
}

// ready puts the tables back into the state in which every client is to find
// them: no rows that another one stored, and the alerts active.
func (r *realServer) ready(ctx context.Context) error {
	return r.session(ctx, func(session *pgx.Conn) error {
		for _, sql := range []string{
			`DELETE FROM service_health_checks WHERE probe_details ? 'region'`,
			`UPDATE alert_events SET status = 'active', acknowledged_at = NULL WHERE status = 'acknowledged'`,
			`VACUUM ANALYZE service_health_checks`,
			`VACUUM ANALYZE alert_events`,
		} {
			if _, err := session.Exec(ctx, sql); err != nil {
				return fmt.Errorf("reset the real server: %w", err)
			}
		}
		return nil
	})
}

func (r *realServer) session(ctx context.Context, do func(*pgx.Conn) error) error {
	session, err := pgx.Connect(ctx, r.rest.Database.URL)
	if err != nil {
		return err
	}
	return errors.Join(do(session), session.Close(context.WithoutCancel(ctx)))
}
