// Package migrations holds the SQL that makes the tables of packages
// healthcheck and alertevent, for programs that apply it themselves. Package
// examples/migrate writes it into a Supabase CLI project.
package migrations

import "embed"

// FS holds the files at its top, named so that their order by name is the order
// to apply them in. Each is forward only and safe to run again, and may hold
// several statements.
//
//go:embed *.sql
var FS embed.FS
