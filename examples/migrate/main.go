// Migrate writes the migrations into a project of the Supabase CLI, under names
// that it, and @supabase/lite, apply in order:
//
//	go run github.com/supavigil/supavigil/examples/migrate@latest [folder]
//
// The folder is the one with the migrations, by default supabase/migrations in
// the current directory. Files that are there already, with the same text, stay
// as they are; if one differs, nothing is written.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/supavigil/supavigil/migrations"
)

const defaultFolder = "supabase/migrations"

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	folder := filepath.FromSlash(defaultFolder)
	switch {
	case len(args) > 1 || len(args) == 1 && strings.HasPrefix(args[0], "-"):
		return errors.New("usage: migrate [folder]")
	case len(args) == 1:
		folder = args[0]
	}
	files, err := plan()
	if err != nil {
		return err
	}
	missing, err := compare(folder, files)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // a project's folder, to be read by its tools
		return err
	}
	for _, file := range files {
		path := filepath.Join(folder, file.name)
		if !missing[file.name] {
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
  supabase db push        to the linked project
  supabase migration up   to the local one
  lite migration up       to @supabase/lite's, while it is stopped
  psql -f, in order       to any other PostgreSQL
`

// A migration is a file of the Supabase CLI: 14 digits, then its name.
type migration struct {
	name string
	sql  []byte
}

var (
	numbered = regexp.MustCompile(`^(\d{3})_(\w+\.sql)$`)
	dated    = regexp.MustCompile(`(?m)^-- Date: +(\d{4})-(\d{2})-(\d{2})$`)
)

// plan names each migration by the date in its header and its number, so that
// the names are the same for ever.
func plan() ([]migration, error) {
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return nil, err
	}
	files := make([]migration, 0, len(names))
	for _, name := range names {
		sql, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			return nil, err
		}
		number, date := numbered.FindStringSubmatch(name), dated.FindSubmatch(sql)
		if number == nil || date == nil {
			return nil, fmt.Errorf("%s has no number or no date", name)
		}
		files = append(files, migration{
			name: fmt.Sprintf("%s%s%s000%s_%s", date[1], date[2], date[3], number[1], number[2]),
			sql:  sql,
		})
	}
	return files, nil
}

// compare returns which files the folder lacks, or an error that names those
// that it has with another text.
func compare(folder string, files []migration) (missing map[string]bool, err error) {
	missing = map[string]bool{}
	var different []string
	for _, file := range files {
		path := filepath.Join(folder, file.name)
		there, err := os.ReadFile(path) //nolint:gosec // the user names the folder
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing[file.name] = true
		case err != nil:
			return nil, err
		case !bytes.Equal(there, file.sql):
			different = append(different, path)
		}
	}
	if different != nil {
		return nil, fmt.Errorf("%s: there already, with another text; nothing was written. Move it away, or keep it and apply the others by hand", strings.Join(different, ", "))
	}
	return missing, nil
}

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
