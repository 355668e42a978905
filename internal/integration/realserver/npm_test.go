package realserver

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeNPM puts an npm before the PATH's, and a cache of its own in place of the
// user's. It returns the cache.
func fakeNPM(t *testing.T, script string) string {
	programs, home := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(programs, "npm"), []byte("#!/bin/sh\n"+script), 0o700)) //nolint:gosec // a program
	t.Setenv("PATH", programs+":"+os.Getenv("PATH"))
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	return filepath.Join(cache, "supavigil")
}

func TestPackagesAreInstalledOnce(t *testing.T) {
	cache := fakeNPM(t, `echo "$@" >>"$HOME/calls"; sleep 0.2; mkdir node_modules && cp package-lock.json node_modules/`)
	var wait sync.WaitGroup
	modules := make([]string, 8)
	for i := range modules {
		wait.Go(func() {
			if found, err := npmPackages(t.Context()); err == nil {
				modules[i] = found
			}
		})
	}
	wait.Wait()
	for _, found := range modules {
		require.Equal(t, modules[0], found)
		require.FileExists(t, filepath.Join(found, "package-lock.json"))
	}
	calls, err := os.ReadFile(filepath.Join(os.Getenv("HOME"), "calls"))
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(calls), "ci "), string(calls))
	requireOnly(t, cache, "npm-")
}

func TestFailedInstallLeavesNothingAndSaysWhy(t *testing.T) {
	cache := fakeNPM(t, `mkdir node_modules; echo "npm error network" >&2; exit 1`)
	_, err := npmPackages(t.Context())
	require.ErrorContains(t, err, "npm error network")
	requireOnly(t, cache, ".lock")
}

// requireOnly fails when a folder has a file whose name lacks a part.
func requireOnly(t *testing.T, folder, part string) {
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range entries {
		require.Contains(t, entry.Name(), part)
		require.NotContains(t, entry.Name(), "supavigil-")
	}
}

// The lock file pins contents, and says nothing of where they were fetched.
func TestLockFileNamesNoRegistry(t *testing.T) {
	t.Parallel()
	lockFile, err := npmFiles.ReadFile("npm/package-lock.json")
	require.NoError(t, err)
	require.NotContains(t, string(lockFile), `"resolved"`)
	require.Contains(t, string(lockFile), `"integrity"`)
}
