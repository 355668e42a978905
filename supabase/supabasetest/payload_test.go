package supabasetest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What these expect was tried on PostgreSQL 15, with the SQL that PostgREST
// makes of such requests: json_to_recordset, and jsonb_to_recordset with
// missing=default.
func TestValuesOfColumns(t *testing.T) {
	t.Parallel()
	const syntax = `22P02 invalid input syntax for type `
	for _, test := range []struct{ column, sent, want, withDefaults string }{ // "": as without
		{"error_message", `"x"`, `"x"`, ""},
		{"error_message", `""`, `""`, ""},
		{"error_message", `null`, `null`, ""},
		{"error_message", `true`, `"true"`, ""},
		{"error_message", `1.50`, `"1.50"`, ""},
		{"error_message", `1e2`, `"1e2"`, `"100"`},
		{"error_message", `[1,2]`, `"[1,2]"`, `"[1, 2]"`},
		{"error_message", `[ "a" ]`, `"[ \"a\" ]"`, `"[\"a\"]"`},
		{"error_message", `{"b" :1,"a":2}`, `"{\"b\" :1,\"a\":2}"`, `"{\"a\": 2, \"b\": 1}"`},
		{"error_message", `"a\u0000b"`, "22P05 unsupported Unicode escape sequence", ""},
		{"error_message", `["a\u0000b"]`, "22P05 unsupported Unicode escape sequence", ""},
		{"error_message", `"a\\u0000b"`, `"a\\u0000b"`, ""},
		{"service_name", `5`, `"5"`, ""},
		{"service_name", `null`, `23502 null value in column`, ""},
		{"service_name", `"` + hundred + `x"`, "22001 value too long for type character varying(100)", ""},
		{"service_name", `"` + hundred + ` "`, `"` + hundred + `"`, ""},
		{"status", `true`, "23514 new row for relation", ""},
		{"latency_ms", `"7"`, `7`, ""},
		{"latency_ms", `7`, `7`, ""},
		{"latency_ms", `-2147483648`, `-2147483648`, ""},
		{"latency_ms", `2147483648`, "22003 value \\\"2147483648\\\" is out of range for type integer", ""},
		{"latency_ms", `1.0`, syntax + `integer: \"1.0\"`, ""},
		{"latency_ms", `1e3`, syntax + `integer: \"1e3\"`, `1000`},
		{"latency_ms", `1.5`, syntax + `integer: \"1.5\"`, ""},
		{"latency_ms", `true`, syntax + `integer: \"true\"`, ""},
		{"latency_ms", `[1]`, syntax + `integer: \"[1]\"`, ""},
		{"latency_ms", `{}`, syntax + `integer: \"{}\"`, ""},
		{"latency_ms", `""`, syntax + `integer: \"\"`, ""},
		{"id", `7`, syntax + `uuid: \"7\"`, ""},
		{"id", `{}`, syntax + `uuid: \"{}\"`, ""},
		{"id", `null`, `23502 null value in column`, ""},
		{"checked_at", `null`, `null`, ""},
		{"checked_at", `true`, `22007 invalid input syntax for type timestamp with time zone: \"true\"`, ""},
		{"checked_at", `""`, `22007 invalid input syntax for type timestamp with time zone: \"\"`, ""},
		{"checked_at", `"2026-01-02"`, `"2026-01-02T00:00:00+00:00"`, ""},
		{"checked_at", `20260102`, "SUPABASETEST supabasetest does not support", ""},
		{"probe_details", `"x"`, `"x"`, ""},
		{"probe_details", `null`, `null`, ""},
		{"probe_details", `[1,{"b":1e2,"a":null}]`, `[1, {"a": null, "b": 100}]`, ""},
		{"probe_details", `{"a": "\u0000"}`, "22P05 unsupported Unicode escape sequence", ""},
		{"probe_details", `{"\u0000": 1}`, "22P05 unsupported Unicode escape sequence", ""},
	} {
		row := `"id": "00000000-0000-4000-8000-000000000001", "service_name": "db", "status": "down"`
		for prefer, want := range map[string]string{"": test.want, ",missing=default": test.withDefaults} {
			if want == "" {
				want = test.want
			}
			server := newTestServer(t)
			// The last of two equal keys holds.
			r := server.must(t, http.MethodPost, "service_health_checks?select="+test.column,
				"{"+row+`, "`+test.column+`": `+test.sent+"}", "Prefer: return=representation"+prefer, asObject)
			if r.status == http.StatusCreated {
				require.Equal(t, `{"`+test.column+`":`+want+"}", r.body, "%v %s", test, prefer)
				continue
			}
			code, message, _ := strings.Cut(want, " ")
			require.Contains(t, r.body, `"code":"`+code+`"`, "%v %s: %s", test, prefer, r.body)
			require.Contains(t, r.body, `"message":"`+message, "%v %s", test, prefer)
		}
	}
}

const hundred = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

func TestPayloads(t *testing.T) {
	t.Parallel()
	const (
		row      = `{"service_name": "a", "status": "down"}`
		keys     = `PGRST102 All object keys must match`
		notArray = `22023 argument of json_to_recordset must be an array of objects`
		binary   = `22023 argument of jsonb_to_recordset must be an array of objects`
		nul      = `22P05 unsupported Unicode escape sequence`
		columns  = "?columns=service_name,status,latency_ms"
		defaults = "Prefer: missing=default"
	)
	for _, test := range []struct {
		query, body, prefer, want string // "": stored
		rows                      int
	}{
		{"", row, "", "", 1},
		{"", "[" + row + "," + row + "]", "", "", 2},
		{"", `5`, "", "", 0}, // PostgREST takes it for an empty array
		{"", `"x"`, "", "", 0},
		{"", `true`, "", "", 0},
		{"", `null`, "", "", 0},
		{"", `[]`, "", "", 0},
		{"", `[5]`, "", keys, 0},
		{"", `[null]`, "", keys, 0},
		{"", `[` + row + `, null]`, "", keys, 0},
		{"", `[` + row + `, []]`, "", keys, 0},
		{"", `[` + row + `, {}]`, "", keys, 0},
		{"", `{}`, "", `23502 null value in column`, 0},
		{"", `[{}]`, "", `23502 null value in column`, 0},
		{"", ``, "", `PGRST102 Empty or invalid json`, 0},
		{"", `{"nope": "\u0000"}`, "", `PGRST204 Could not find`, 0},
		{columns, row, "", "", 1},
		{columns, `[` + row + `, {"status": "down", "service_name": "b", "nope": 1}]`, "", "", 2},
		{columns, `[]`, "", "", 0},
		{columns, `5`, "", `22023 cannot call json_to_recordset on a scalar`, 0},
		{columns, `null`, "", `22023 cannot call json_to_recordset on a scalar`, 0},
		{columns, `"\u0000"`, "", nul, 0},
		{columns, `[5]`, "", notArray, 0},
		{columns, `["\u0000"]`, "", nul, 0},
		{columns, `[["\u0000"]]`, "", notArray, 0},
		{columns, `[` + row + `, null]`, "", notArray, 0},
		{columns, `5`, defaults, `22023 cannot extract elements from a scalar`, 0},
		{columns, `null`, defaults, `22023 cannot extract elements from a scalar`, 0},
		{columns, `[]`, defaults, "", 0},
		{columns, `[5]`, defaults, binary, 0},
		{columns, `[[]]`, defaults, binary, 0},
		// In what columns= leaves out, too; row by row as JSON, at once as JSONB.
		{columns, `[{"service_name": "a", "status": "down", "nope": "\u0000"}]`, "", nul, 0},
		{columns, `{"service_name": "a", "status": "down", "nope": {"x": ["\u0000"]}}`, "", nul, 0},
		{columns, `{"service_name": "a", "status": "down", "\u0000": 1}`, "", nul, 0},
		{columns, `[{"latency_ms": "x"}, {"nope": "\u0000"}]`, "", `22P02 invalid input`, 0},
		{columns, `[{"latency_ms": "x"}, {"nope": "\u0000"}]`, defaults, nul, 0},
		{columns, `[{"latency_ms": "x"}, 5]`, "", `22P02 invalid input`, 0},
		{columns, `[{"latency_ms": "1"}, 5, {"nope": "\u0000"}]`, "", notArray, 0},
		{columns, `[{"latency_ms": "x", "nope": "\u0000"}]`, "", nul, 0},
		{"?columns=nope", `["\u0000"]`, "", `PGRST204 Could not find`, 0},
	} {
		server := newTestServer(t)
		r := server.must(t, http.MethodPost, "service_health_checks"+test.query, test.body, test.prefer)
		if test.want == "" {
			require.Equal(t, http.StatusCreated, r.status, "%v: %s", test, r.body)
		} else {
			code, message, _ := strings.Cut(test.want, " ")
			require.Equal(t, http.StatusBadRequest, r.status, "%v: %s", test, r.body)
			require.Contains(t, r.body, `"code":"`+code+`"`, "%v: %s", test, r.body)
			require.Contains(t, r.body, `"message":"`+message, test)
		}
		require.Len(t, server.Rows("service_health_checks"), test.rows, test)
	}
}

func TestUpdatesWithOtherPayloads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		query, body, prefer, want string // Content-Range or code
		status                    int
	}{
		{"?status=eq.down", `[{"latency_ms": 9}]`, "Prefer: count=exact", "0-1/2", http.StatusNoContent},
		{"?status=eq.down", `[]`, "Prefer: count=exact", "*/0", http.StatusNoContent},
		{"?status=eq.down", `{}`, "Prefer: count=exact", "*/0", http.StatusNoContent},
		{"?status=eq.down", `[{}]`, "", "*/*", http.StatusNoContent},
		{"?status=eq.down", `5`, "", "*/*", http.StatusNoContent},
		{"?status=eq.down", `null`, "", "*/*", http.StatusNoContent},
		{"?nope=eq.down", `{}`, "", "*/*", http.StatusNoContent}, // PostgREST leaves the filters out
		{"?nope=eq.down", `{"latency_ms": 9}`, "", "42703", http.StatusBadRequest},
		{"?latency_ms=eq.x", `{}`, representation, "*/*", http.StatusOK},
		{"?select=nope", `{}`, representation, "42703", http.StatusBadRequest},
		{"?status=eq.down", `{}`, asObject, "PGRST116", http.StatusNotAcceptable},
		{"?columns=latency_ms&status=eq.down", `[]`, "", "*/*", http.StatusNoContent},
		{"?columns=latency_ms&status=eq.down", `5`, "", "22023", http.StatusBadRequest},
		{"?columns=latency_ms&status=eq.down", `{"latency_ms": 9, "nope": 1}`, "", "0-1/*", http.StatusNoContent},
		{"?columns=latency_ms&status=eq.down", `{"latency_ms": 9, "nope": "\u0000"}`, "", "22P05", http.StatusBadRequest},
		{"?on_conflict=nope&status=eq.down", `{"latency_ms": 9}`, "", "0-1/*", http.StatusNoContent},
	} {
		r := newLatencies(t).must(t, http.MethodPatch, "service_health_checks"+test.query, test.body, test.prefer)
		require.Equal(t, test.status, r.status, "%v: %s", test, r.body)
		if test.status >= http.StatusBadRequest {
			require.Contains(t, r.body, `"code":"`+test.want+`"`, test)
			continue
		}
		require.Equal(t, test.want, r.header.Get("Content-Range"), test)
	}
}
