package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/migrations"
)

func TestRunWritesTheMigrationsOnce(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "supabase", "migrations")
	var first, second bytes.Buffer
	require.NoError(t, run([]string{folder}, &first))
	require.Contains(t, first.String(), "written:       "+filepath.Join(folder, "20260225000012_create_monitoring_tables.sql"))
	for _, command := range []string{"supabase db push --remote", "supabase migration up", "lite init --pglite", "lite migration up"} {
		require.Contains(t, first.String(), command)
	}

	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	require.Equal(t, []string{ // names that were released never change
		"20260225000012_create_monitoring_tables.sql",
		"20261123000013_grant_service_role.sql",
		"20261123000014_add_query_indexes.sql",
		"20261123000015_create_latest_function.sql",
		"20261125000016_create_alert_functions.sql",
		"20261126000017_create_service_history.sql",
	}, names, "in order, and nothing besides")
	sources, err := fs.Glob(migrations.FS, "*.sql")
	require.NoError(t, err)
	for i, source := range sources {
		want, err := fs.ReadFile(migrations.FS, source)
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(folder, names[i]))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}

	require.NoError(t, run([]string{folder}, &second), "again changes nothing")
	require.NotContains(t, second.String(), "written")
	require.Contains(t, second.String(), "there already: ")
}

// In a project with migrations of its own, ours come after them; and a second run
// knows them again.
func TestRunNamesFilesLaterThanWhatIsThere(t *testing.T) {
	t.Parallel()
	const own = "20260225000012_create_monitoring_tables.sql"
	for name, expected := range map[string][]string{
		"20250101000000_app.sql": {own, "20261123000013_grant_service_role.sql"},
		"20260601120000_app.sql": {"20260601120001_create_monitoring_tables.sql", "20261123000013_grant_service_role.sql"},
		"20270101235959_app.sql": {"20270102000000_create_monitoring_tables.sql", "20270102000001_grant_service_role.sql"},
		"20271399999999_app.sql": {"20271400000000_create_monitoring_tables.sql", "20271400000001_grant_service_role.sql"},
		"20270101_app.sql":       {"20270101000001_create_monitoring_tables.sql", "20270101000002_grant_service_role.sql"},
		"0001_app.sql":           {own, "20261123000013_grant_service_role.sql"},
		"20270101000000_app.txt": {own, "20261123000013_grant_service_role.sql"},
		"notes.sql":              {own, "20261123000013_grant_service_role.sql"},
	} {
		folder := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), nil, 0o600))
		require.NoError(t, run([]string{folder}, &bytes.Buffer{}))
		before := names(t, folder)
		require.Subset(t, before, expected, name)
		require.True(t, slices.IsSorted(before))
		for _, written := range before { // as a checkout on Windows has them
			path := filepath.Join(folder, written)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), 0o600))
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, "20280101000000_later.sql"), nil, 0o600))
		var again bytes.Buffer
		require.NoError(t, run([]string{folder}, &again))
		require.NotContains(t, again.String(), "written")
		require.Len(t, names(t, folder), len(before)+1, name)
	}
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "99999999999999_last.sql"), nil, 0o600))
	require.EqualError(t, run([]string{folder}, &bytes.Buffer{}), "no name of 14 digits comes after 99999999999999")
}

// Files for a schema are others than those for the first of the search_path.
func TestRunWritesForASchema(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, run([]string{folder}, &bytes.Buffer{}))
	public := names(t, folder)
	require.NoError(t, run([]string{"-schema", "Monitoring", folder}, &bytes.Buffer{}))
	var again bytes.Buffer
	require.NoError(t, run([]string{"-schema", "Monitoring", folder}, &again))
	require.NotContains(t, again.String(), "written")
	all := names(t, folder)
	require.Len(t, all, 2*len(public))
	for _, name := range all {
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		require.Equal(t, slices.Contains(public, name), strings.Contains(string(text), "home         CONSTANT TEXT := current_schema();"), name)
		require.Equal(t, !slices.Contains(public, name), strings.Contains(string(text), "home         CONSTANT TEXT := 'Monitoring';"), name)
	}
}

func names(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestRunOverwritesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	changed := filepath.Join(folder, "20270101000000_grant_service_role.sql")
	require.NoError(t, os.WriteFile(changed, []byte("-- ours"), 0o600))
	err := run([]string{folder}, &bytes.Buffer{})
	require.ErrorContains(t, err, changed+": there already, with another text; nothing was written. Move it away")
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nor is anything written beside it")
	text, err := os.ReadFile(changed)
	require.NoError(t, err)
	require.Equal(t, "-- ours", string(text))
}

func TestRunKeepsTheOrder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, run([]string{folder}, &bytes.Buffer{}))
	require.NoError(t, os.Remove(filepath.Join(folder, "20260225000012_create_monitoring_tables.sql")))
	require.ErrorContains(t, run([]string{folder}, &bytes.Buffer{}), "20261123000013_grant_service_role.sql: there already, without 012_create_monitoring_tables.sql before it; nothing was written")
	require.Len(t, names(t, folder), 5)
}

func TestRunUsesTheCLIsFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, run(nil, &bytes.Buffer{}))
	require.FileExists(t, "supabase/migrations/20260225000012_create_monitoring_tables.sql")
}

func TestRunRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-h"}, {"--help"}, {"a", "b"}, {"-schema"}, {"-schema", "app", "a", "b"}, {"a", "-schema", "app"}} {
		require.EqualError(t, run(args, &bytes.Buffer{}), "usage: migrate [-schema name] [folder]")
	}
	for _, schema := range []string{"", "a'b", "1st", "pg_app", "a b", "../a", strings.Repeat("a", 64)} {
		require.ErrorContains(t, run([]string{"-schema", schema, t.TempDir()}, &bytes.Buffer{}), "want letters", schema)
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Error(t, run([]string{file}, &bytes.Buffer{}), "a file is no folder")
}
