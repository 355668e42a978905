package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/supavigil/supavigil/migrations"
)

// A migration is a file of the Supabase CLI: 14 digits, then its name.
type migration struct {
	name   string
	sql    []byte
	exists bool
}

var (
	numbered = regexp.MustCompile(`^(\d{3})_(\w+\.sql)$`)
	dated    = regexp.MustCompile(`(?m)^-- Date: +(\d{4})-(\d{2})-(\d{2})$`)
	applied  = regexp.MustCompile(`^(\d+)_(.*\.sql)$`) // what the CLI takes for a migration
)

// plan names the migrations. Those that the folder has are known by what follows
// the digits. The others are named by the date in their header and their number,
// or else by the second after the last file there: the CLI refuses what comes
// before that.
func plan(folder, schema string) (files []migration, err error) {
	last, there, err := read(folder)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return nil, err
	}
	var problems []string
	for i, name := range names {
		sql, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			return nil, err
		}
		number, date := numbered.FindStringSubmatch(name), dated.FindSubmatch(sql)
		if number == nil || date == nil {
			return nil, fmt.Errorf("%s has no number or no date", name)
		}
		rest := number[2]
		if schema != "" {
			rest = schema + "_" + rest
			sql = bytes.Replace(sql, []byte("current_schema()"), []byte("'"+schema+"'"), 1)
		}
		file := migration{sql: sql}
		if file.name, file.exists = there[rest]; !file.exists {
			digits := fmt.Sprintf("%s%s%s000%s", date[1], date[2], date[3], number[1])
			if digits <= last {
				digits = after(last)
			}
			if digits <= last {
				return nil, fmt.Errorf("no name of 14 digits comes after %s", last)
			}
			last, file.name = digits, digits+"_"+rest
		} else if text, err := os.ReadFile(filepath.Join(folder, file.name)); err != nil { //nolint:gosec // the user names the folder
			return nil, err
		} else if !bytes.Equal(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), sql) {
			problems = append(problems, filepath.Join(folder, file.name)+": there already, with another text")
		} else if i > 0 && !files[i-1].exists {
			problems = append(problems, filepath.Join(folder, file.name)+": there already, without "+names[i-1]+" before it")
		}
		files = append(files, file)
	}
	if problems != nil {
		return nil, fmt.Errorf("%s; nothing was written. Move it away, or keep it and apply the others by hand", strings.Join(problems, ", "))
	}
	return files, nil
}

// read returns the digits of the last migration in a folder, and the names of all
// by what follows their digits. The CLI orders them as text.
func read(folder string) (last string, names map[string]string, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, err
	}
	names = map[string]string{}
	for _, entry := range entries {
		if parts := applied.FindStringSubmatch(entry.Name()); parts != nil {
			last = max(last, parts[1])
			names[parts[2]] = entry.Name()
		}
	}
	return last, names, nil
}

// after returns 14 digits that come after others, as text.
func after(digits string) string {
	const layout = "20060102150405"
	digits = (digits + strings.Repeat("0", len(layout)))[:len(layout)]
	if at, err := time.Parse(layout, digits); err == nil {
		return at.Add(time.Second).Format(layout)
	}
	n, _ := strconv.ParseInt(digits, 10, 64) // 14 digits
	return strconv.FormatInt(n+1, 10)
}
