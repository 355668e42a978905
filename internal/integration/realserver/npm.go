package realserver

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed npm/package.json npm/package-lock.json
var npmFiles embed.FS

// NodeModules returns the folder node_modules with the packages that the lock
// file pins, for who runs one of them beside the servers. It installs them the
// first time. The error is a *MissingError where there is no npm.
func NodeModules(ctx context.Context) (string, error) { return npmPackages(ctx) }

// npmPackages returns the folder node_modules with the packages that the lock
// file pins. They are installed once for this machine's user: later runs, and
// test processes beside this one, use the same folder.
func npmPackages(ctx context.Context) (string, error) {
	npm, err := program("npm", "install Node.js with npm, 20 or newer")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	lockFile, err := npmFiles.ReadFile("npm/package-lock.json")
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(lockFile)
	cache = filepath.Join(cache, "supavigil")
	installed := filepath.Join(cache, "npm-"+hex.EncodeToString(digest[:])[:16])
	modules := filepath.Join(installed, "node_modules")
	if exists(modules) {
		return modules, nil
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	guard, err := os.OpenFile(installed+".lock", os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // in the user's cache
	if err != nil {
		return "", err
	}
	defer guard.Close() //nolint:errcheck // nothing was written
	if err := lock(guard); err != nil {
		return "", fmt.Errorf("lock %s: %w", guard.Name(), err)
	}
	if exists(modules) {
		return modules, nil
	}
	return modules, install(ctx, npm, cache, installed)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// install runs npm in a folder beside the one to be, and renames what came out:
// there is never half an installation.
func install(ctx context.Context, npm, cache, installed string) (err error) {
	f, err := newFolder(ctx, cache, "npm", nil)
	if err != nil {
		return err
	}
	defer func() { err = errOr(f.Remove(), err) }()
	packages, err := f.mkdir("packages")
	if err != nil {
		return err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := npmFiles.ReadFile("npm/" + name)
		if err != nil {
			return err
		}
		if _, err := f.write(string(content), "packages", name); err != nil {
			return err
		}
	}
	ci, err := f.start(ctx, command{
		// None of the packages has an install script that it needs.
		args: []string{npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"},
		env:  os.Environ(), // where the registry is
		dir:  packages,
	})
	if err != nil {
		return err
	}
	if err := ci.wait(ctx); err != nil {
		return fmt.Errorf("npm ci: %w", err)
	}
	return os.Rename(packages, installed)
}
