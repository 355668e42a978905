package migrations_test

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
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
	// 017_create_service_history.sql
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
		if name[:3] == "014" { // replaces an index that has other columns
			sql = strings.Replace(sql, "DROP INDEX", "", 1)
		}
		require.NotRegexp(t, destructive, sql, name)
	}
}

// TestDocumentHasTheIndexes keeps the form for tables in use in step.
func TestDocumentHasTheIndexes(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../docs/migrations.md")
	require.NoError(t, err)
	file, err := fs.ReadFile(migrations.FS, "014_add_query_indexes.sql")
	require.NoError(t, err)
	index := regexp.MustCompile(`CREATE INDEX (CONCURRENTLY )?IF NOT EXISTS (\w+)\s+ON ([^;']+)[;']`)
	statements := func(text []byte) (found []string) {
		for _, match := range index.FindAllSubmatch(text, -1) {
			found = append(found, string(match[2])+" ON "+string(match[3]))
		}
		return found
	}
	require.Len(t, statements(file), 10)
	require.Equal(t, statements(file), statements(document)[:10])
	require.Contains(t, string(document), "idx_alert_events_one_open_per_key")
	require.Contains(t, string(document), "idx_alert_events_resolved")
}

// TestFilesHaveTheSameGuards: a file cannot rely on those before it, since whoever
// runs them may go on after an error.
func TestFilesHaveTheSameGuards(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(migrations.FS, "*.sql")
	require.NoError(t, err)
	parts := regexp.MustCompile(`(?s)\A(?:--[^\n]*\n)+\nDO \$migration\$\nDECLARE\n(.*?\n)    makes_tables CONSTANT BOOLEAN := (true|false);\n.*?\nBEGIN\n(    -- Guards.*?\n    END;\n)\n.*(\n    PERFORM set_config.*\n\$migration\$;\n)(?:\n--[^\n]*\nNOTIFY pgrst, 'reload schema';\n)?\z`)
	var first []string
	for i, name := range names {
		text, err := fs.ReadFile(migrations.FS, name)
		require.NoError(t, err)
		found := parts.FindStringSubmatch(string(text))
		require.NotNil(t, found, "%s is not one statement with guards", name)
		require.Equal(t, i == 0, found[2] == "true", name)
		require.Equal(t, 1, strings.Count(string(text), "current_schema()"), "%s: examples/migrate -schema puts a name there", name)
		common := []string{found[1], found[3], found[4]}
		if i == 0 {
			first = common
		}
		require.Equal(t, first, common, name)
	}
}
