// Package migrations holds the SQL that creates the tables of packages healthcheck
// and alertevent, their indexes, functions and grants. examples/migrate writes it into a Supabase CLI project.
package migrations

import "embed"

// FS holds files of one or more statements, to be applied in the order of their names,
// forward only. Each is safe to run again.
//
//go:embed *.sql
var FS embed.FS
