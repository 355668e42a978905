// Measure takes the plans and times of the models' queries on PostgreSQL, with
// the indexes of 012 alone and with those of 014, and prints them as Markdown:
//
//	go -C internal/integration run ./queryplans/measure [checks …]
//
// The numbers of checks are by default 10,000, 100,000, 1,000,000 and 5,000,000.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/supavigil/supavigil/internal/integration/queryplans"
	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	sizes := []int{10_000, 100_000, 1_000_000, 5_000_000}
	if len(args) > 0 {
		sizes = nil
	}
	for _, arg := range args {
		size, err := strconv.Atoi(arg)
		if err != nil || size < 1000 {
			return fmt.Errorf("%q is not a number of checks, 1000 or more", arg)
		}
		sizes = append(sizes, size)
	}
	server, err := realserver.StartPostgres(ctx, realserver.PostgresOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if _, err := fmt.Fprintln(stdout, "| checks | query | 012 alone | with 014 |\n|---|---|---|---|"); err != nil {
		return err
	}
	for _, size := range sizes {
		if err := measure(ctx, server, size, stdout); err != nil {
			return err
		}
	}
	return nil
}

func measure(ctx context.Context, server *realserver.Postgres, size int, stdout io.Writer) error {
	database, err := server.NewDatabase(ctx, nil)
	if err != nil {
		return err
	}
	session, err := pgx.Connect(ctx, database.URL)
	if err != nil {
		return err
	}
	defer session.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the database is dropped
	if err := apply(ctx, session, "012_*.sql"); err != nil {
		return err
	}
	if err := queryplans.Fill(ctx, session, size); err != nil {
		return err
	}
	before, err := explainAll(ctx, session)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := apply(ctx, session, "014_*.sql"); err != nil {
		return err
	}
	took := time.Since(began)
	if _, err := session.Exec(ctx, "ANALYZE"); err != nil {
		return err
	}
	after, err := explainAll(ctx, session)
	if err != nil {
		return err
	}
	for i, query := range queries {
		if _, err := fmt.Fprintf(stdout, "| %d | %s | %s | %s |\n", size, query.name, before[i], after[i]); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(stdout, "| %d | *making 014's indexes* | | %.1f s |\n", size, took.Seconds()); err != nil {
		return err
	}
	return errors.Join(session.Close(ctx), database.Drop(ctx))
}

func apply(ctx context.Context, session *pgx.Conn, pattern string) error {
	names, err := fs.Glob(migrations.FS, pattern)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		sql, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			return err
		}
		if _, err := session.PgConn().Exec(ctx, string(sql)).ReadAll(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func explainAll(ctx context.Context, session *pgx.Conn) ([]string, error) {
	results := make([]string, len(queries))
	for i, query := range queries {
		result, err := explain(ctx, session, query.sql)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", query.name, err)
		}
		results[i] = result
	}
	return results, nil
}

// A node is what is wanted of EXPLAIN (FORMAT JSON).
type node struct {
	Type  string `json:"Node Type"`
	Index string `json:"Index Name"`
	Plans []node `json:"Plans"`
}

// explain runs a query five times and returns its plan and the median time.
func explain(ctx context.Context, session *pgx.Conn, sql string) (string, error) {
	var times []float64
	var names []string
	for range 5 {
		var plans []struct {
			Plan node    `json:"Plan"`
			Time float64 `json:"Execution Time"`
		}
		transaction, err := session.Begin(ctx)
		if err != nil {
			return "", err
		}
		err = transaction.QueryRow(ctx, "EXPLAIN (ANALYZE, FORMAT JSON) "+sql).Scan(&plans)
		if err := errors.Join(err, transaction.Rollback(ctx)); err != nil {
			return "", err
		}
		times = append(times, plans[0].Time)
		names = describe(plans[0].Plan)
	}
	slices.Sort(times)
	return fmt.Sprintf("%s: %.2f ms", strings.Join(names, ", "), times[2]), nil
}

// describe names what matters of a plan: sorts, and how rows are found.
func describe(n node) []string {
	var names []string
	switch {
	case n.Index != "":
		names = append(names, strings.ToLower(n.Type)+" of "+n.Index)
	case strings.Contains(n.Type, "Sort"), strings.HasSuffix(n.Type, "Seq Scan"):
		names = append(names, strings.ToLower(n.Type))
	}
	for _, below := range n.Plans {
		names = append(names, describe(below)...)
	}
	return names
}
