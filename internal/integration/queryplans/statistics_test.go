package queryplans_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// statistics are what PostgreSQL counted in tables; see
// https://www.postgresql.org/docs/current/monitoring-stats.html.
type statistics struct {
	SequentialScans int64            // scans of a whole table
	Fetched         int64            // live rows fetched by index scans
	Entries         int64            // entries read in indexes, also where no row was fetched for them
	Blocks          int64            // of the tables themselves, read from memory or disk
	Updated, HOT    int64            // rows updated, and those that no index had to learn of
	Indexes         map[string]int64 // scans of each index, the planner's look at its ends included
}

func (s statistics) since(before statistics) statistics {
	indexes := map[string]int64{}
	for name, scans := range s.Indexes {
		if n := scans - before.Indexes[name]; n > 0 {
			indexes[name] = n
		}
	}
	return statistics{s.SequentialScans - before.SequentialScans, s.Fetched - before.Fetched, s.Entries - before.Entries, s.Blocks - before.Blocks, s.Updated - before.Updated, s.HOT - before.HOT, indexes}
}

// read adds up the counts of the tables whose names are LIKE that. It ends the
// sessions of the REST server, which opens new ones: a session that ends hands in its
// counts, one that idles keeps them for a while.
func read(t *testing.T, session *pgx.Conn, tables string) statistics {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for gone := false; !gone; {
		err := session.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid, 5000)) = 0 FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&gone)
		require.NoError(t, err)
	}
	s := statistics{Indexes: map[string]int64{}}
	err := session.QueryRow(ctx, `SELECT sum(seq_scan), sum(idx_tup_fetch), sum(heap_blks_hit + heap_blks_read), sum(n_tup_upd), sum(n_tup_hot_upd)
		FROM pg_stat_user_tables JOIN pg_statio_user_tables USING (relid, relname) WHERE relname LIKE $1`, tables).
		Scan(&s.SequentialScans, &s.Fetched, &s.Blocks, &s.Updated, &s.HOT)
	require.NoError(t, err)
	rows, err := session.Query(ctx, `SELECT indexrelname::text, idx_scan, idx_tup_read FROM pg_stat_user_indexes WHERE relname LIKE $1`, tables)
	require.NoError(t, err)
	var name string
	var scans, entries int64
	_, err = pgx.ForEachRow(rows, []any{&name, &scans, &entries}, func() error {
		s.Indexes[name] = scans
		s.Entries += entries
		return nil
	})
	require.NoError(t, err)
	return s
}
