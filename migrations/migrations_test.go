package migrations_test

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/migrations"
)

func Example() {
	names, _ := fs.Glob(migrations.FS, "*.sql") // in order
	for _, name := range names {
		fmt.Println(name)
	}
	// Output:
	// 012_create_monitoring_tables.sql
	// 013_grant_service_role.sql
	// 014_add_query_indexes.sql
	// 015_create_latest_function.sql
	// 016_create_alert_functions.sql
}

func TestFSHoldsEveryFile(t *testing.T) {
	t.Parallel()
	embedded, err := fs.Glob(migrations.FS, "*")
	require.NoError(t, err)
	there, err := fs.Glob(os.DirFS("."), "*.sql")
	require.NoError(t, err)
	require.Equal(t, there, embedded)
}

var (
	header      = regexp.MustCompile(`\A-- Purpose: \S[^\n]*\n(--[^\n]*\n)*-- Date:    \d{4}-\d{2}-\d{2}\n`)
	comment     = regexp.MustCompile(`--[^\n]*`)
	body        = regexp.MustCompile(`(?s)\$function\$.*?\$function\$`) // what a function does later
	unguarded   = regexp.MustCompile(`(?i)\bCREATE\s+(UNIQUE\s+)?(TABLE|INDEX|EXTENSION|SCHEMA|TYPE|FUNCTION)\s+(IF\s+NOT\s+EXISTS)?`)
	destructive = regexp.MustCompile(`(?i)\b(DROP|TRUNCATE|ALTER\s+COLUMN|RENAME)\b|\bDELETE\s+FROM\b|\bUPDATE\s+\w+\s+SET\b|\bINSERT\s+INTO\b`)
)

func TestFilesAreForwardOnlyAndSafeToRunAgain(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(migrations.FS, "*.sql")
	require.NoError(t, err)
	numbers := map[string]bool{}
	for _, name := range names {
		require.Regexp(t, `^\d{3}_[a-z_]+\.sql$`, name)
		require.False(t, numbers[name[:3]], "%s: its number is taken", name)
		numbers[name[:3]] = true
		text, err := fs.ReadFile(migrations.FS, name)
		require.NoError(t, err)
		require.Regexp(t, header, string(text), name)
		sql := body.ReplaceAllString(comment.ReplaceAllString(string(text), ""), "")
		for _, match := range unguarded.FindAllStringSubmatch(sql, -1) {
			require.NotEmpty(t, match[3], "%s: %q without IF NOT EXISTS", name, match[0])
		}
		require.NotRegexp(t, destructive, sql, name)
	}
}

// TestREADMEHasTheIndexes keeps the form for tables in use in step.
func TestREADMEHasTheIndexes(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	var later []byte
	for _, name := range []string{"014_add_query_indexes.sql", "015_create_latest_function.sql"} {
		text, err := fs.ReadFile(migrations.FS, name)
		require.NoError(t, err)
		later = append(later, text...)
	}
	index := regexp.MustCompile(`CREATE INDEX (CONCURRENTLY )?IF NOT EXISTS (\w+)\s+ON ([^;]+);`)
	statements := func(text []byte) (found []string) {
		for _, match := range index.FindAllSubmatch(text, -1) {
			found = append(found, string(match[2])+" ON "+string(match[3]))
		}
		return found
	}
	require.Len(t, statements(later), 6)
	require.Equal(t, statements(later), statements(readme))
}
