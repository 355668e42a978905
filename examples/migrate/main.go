// Migrate writes the migrations into a project of the Supabase CLI, under names
// that it, and @supabase/lite, apply in order:
//
//	go run github.com/supavigil/supavigil/examples/migrate@latest [-schema name] [folder]
//
// The folder is the one with the migrations, by default supabase/migrations in
// the current directory. With -schema the files are for a schema of that name,
// which they make. Files that are there already, with the same text, stay as they
// are; if one differs, nothing is written.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

func run(args []string, stdout io.Writer) error {
	schema, folder := "", filepath.FromSlash("supabase/migrations")
	if len(args) > 1 && args[0] == "-schema" {
		schema, args = args[1], args[2:]
		if !identifier.MatchString(schema) || strings.HasPrefix(schema, "pg_") {
			return fmt.Errorf("-schema %q: want letters, digits and _, at most 63, no digit first and no pg_", schema)
		}
	}
	if len(args) == 1 && !strings.HasPrefix(args[0], "-") {
		folder, args = args[0], nil
	}
	if len(args) > 0 {
		return errors.New("usage: migrate [-schema name] [folder]")
	}
	files, err := plan(folder, schema)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // a project's folder, to be read by its tools
		return err
	}
	for _, file := range files {
		path := filepath.Join(folder, file.name)
		if file.exists {
			fmt.Fprintln(stdout, "there already:", path)
			continue
		}
		if err := write(path, file.sql); err != nil {
			return err
		}
		fmt.Fprintln(stdout, "written:      ", path)
	}
	fmt.Fprint(stdout, next)
	return nil
}

const next = `
Now apply them, with one of
  supabase db push --remote   to the linked project (--yes where nobody can confirm; --linked before CLI 3)
  supabase migration up       to the local one
  lite migration up           to @supabase/lite's (made by lite init --pglite), while it is stopped
  psql -f, in order           to any other PostgreSQL
`

// write leaves either the whole file or none, and never replaces one.
func write(path string, sql []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".migrate-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }() //nolint:gosec // made above
	_, err = temporary.Write(sql)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err != nil {
		return err
	}
	return os.Link(temporary.Name(), path)
}
