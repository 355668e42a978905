package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
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
	require.Contains(t, first.String(), "supabase db push")

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

func TestRunOverwritesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	changed := filepath.Join(folder, "20261123000013_grant_service_role.sql")
	require.NoError(t, os.WriteFile(changed, []byte("-- ours"), 0o600))
	err := run([]string{folder}, &bytes.Buffer{})
	require.ErrorContains(t, err, changed+": there already, with another text; nothing was written")
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nor is anything written beside it")
	text, err := os.ReadFile(changed)
	require.NoError(t, err)
	require.Equal(t, "-- ours", string(text))
}

func TestRunUsesTheCLIsFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, run(nil, &bytes.Buffer{}))
	require.FileExists(t, "supabase/migrations/20260225000012_create_monitoring_tables.sql")
}

func TestRunRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-h"}, {"--help"}, {"a", "b"}} {
		require.EqualError(t, run(args, &bytes.Buffer{}), "usage: migrate [folder]")
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Error(t, run([]string{file}, &bytes.Buffer{}), "a file is no folder")
}
