package realserver

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// MissingError says that a program which a server needs is not on this machine.
type MissingError struct {
	Program string
	Hint    string // what to do about it
}

// Error names the program and what to do.
func (e *MissingError) Error() string { return fmt.Sprintf("%s is missing: %s", e.Program, e.Hint) }

func program(name, hint string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", &MissingError{Program: name, Hint: hint}
	}
	return filepath.Abs(path)
}

func nodeProgram() (string, error) { return program("node", "install Node.js, 20 or newer") }

// postgresPrograms returns the folder of PostgreSQL's programs: what the PATH
// leads to, or the newest of Debian's.
func postgresPrograms() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && isProgram(filepath.Join(filepath.Dir(path), "postgres")) {
			return filepath.Abs(filepath.Dir(path))
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || found == nil {
		return "", &MissingError{Program: "PostgreSQL", Hint: "put its initdb and postgres into the PATH, or install Debian's package postgresql"}
	}
	version := func(path string) int {
		number, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err != nil {
			return 0
		}
		return number
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })), nil
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// postgrestProgram returns PostgREST's program: what POSTGREST_BIN names, or
// what the PATH leads to.
func postgrestProgram() (string, error) {
	if name := os.Getenv("POSTGREST_BIN"); name != "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("POSTGREST_BIN: %w", err)
		}
		return filepath.Abs(path)
	}
	return program("postgrest", "put it into the PATH, or name it in POSTGREST_BIN")
}
