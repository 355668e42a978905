// Bench compares this library with what one would use in its place: hand-written
// net/http and encoding/json, postgrest-go, supabase-go and, where Node is there,
// postgrest-js.
package main
