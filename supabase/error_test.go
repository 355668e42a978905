package supabase_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
)

var classes = map[string]error{
	"invalid": supabase.ErrInvalid, "not found": supabase.ErrNotFound, "conflict": supabase.ErrConflict,
	"permission": supabase.ErrPermission, "schema": supabase.ErrSchema, "unavailable": supabase.ErrUnavailable,
}

func requireClass(t *testing.T, err error, class string) {
	t.Helper()
	for name, sentinel := range classes {
		require.Equal(t, name == class, errors.Is(err, sentinel), "%s of %v", name, err)
	}
}

func TestAnswersBecomeErrors(t *testing.T) {
	t.Parallel()
	const json = "application/json; charset=utf-8"
	tests := map[string]struct {
		status      int
		contentType string
		body        string
		want        supabase.Error
		class       string
	}{
		"conflict": {
			409, json, `{"code":"23505","details":"Key (id)=(1) already exists.","hint":null,"message":"duplicate key value"}`,
			supabase.Error{Code: "23505", Message: "duplicate key value", Details: "Key (id)=(1) already exists."},
			"conflict",
		},
		"no row": {
			406, json, `{"code":"PGRST116","details":"The result contains 0 rows","hint":null,"message":"Cannot coerce"}`,
			supabase.Error{Code: "PGRST116", Message: "Cannot coerce", Details: "The result contains 0 rows"},
			"not found",
		},
		"no row, PostgREST 12": {
			406, json, `{"code":"PGRST116","details":"Results contain 0 rows, application/vnd.pgrst.object+json requires 1 row","hint":null,"message":"JSON object requested"}`,
			supabase.Error{Code: "PGRST116", Message: "JSON object requested", Details: "Results contain 0 rows, application/vnd.pgrst.object+json requires 1 row"},
			"not found",
		},
		"10 rows are not 0 rows": {
			406, json, `{"code":"PGRST116","details":"The result contains 10 rows","hint":null,"message":"Cannot coerce"}`,
			supabase.Error{Code: "PGRST116", Message: "Cannot coerce", Details: "The result contains 10 rows"},
			"",
		},
		"more rows than an int": {
			406, json, `{"code":"PGRST116","details":"The result contains 99999999999999999999 rows","message":"m"}`,
			supabase.Error{Code: "PGRST116", Message: "m", Details: "The result contains 99999999999999999999 rows"},
			"",
		},
		"no details": {406, json, `{"code":"PGRST116","message":"Cannot coerce"}`, supabase.Error{Code: "PGRST116", Message: "Cannot coerce"}, ""},
		"details as an array": {
			400, json, `{"code":"PGRST201","details":[{"a": 1}, 2],"hint":"h","message":"m"}`,
			supabase.Error{Code: "PGRST201", Message: "m", Details: `[{"a":1},2]`, Hint: "h"},
			"",
		},
		"unauthorized":             {401, json, `{"code":"PGRST301","message":"m"}`, supabase.Error{Code: "PGRST301", Message: "m"}, "permission"},
		"forbidden":                {403, json, `{"code":"42501","message":"permission denied for table"}`, supabase.Error{Code: "42501", Message: "permission denied for table"}, "permission"},
		"too many requests":        {429, json, `{"message":"slow down"}`, supabase.Error{Message: "slow down"}, "unavailable"},
		"statement timeout":        {500, json, `{"code":"57014","message":"canceling statement"}`, supabase.Error{Code: "57014", Message: "canceling statement"}, "unavailable"},
		"HTML":                     {502, "text/html; charset=UTF-8", "<html><body>Bad Gateway sk</body></html>", supabase.Error{Message: "bad gateway, not from PostgREST (text/html, 40 bytes)"}, "unavailable"},
		"plain text":               {520, "text/plain", "error code: 520", supabase.Error{Message: "no description, not from PostgREST (text/plain, 15 bytes)"}, "unavailable"},
		"null":                     {500, json, "null", supabase.Error{Message: "internal server error, not from PostgREST (application/json, 4 bytes)"}, "unavailable"},
		"empty":                    {503, "", "", supabase.Error{Message: "service unavailable, without a body"}, "unavailable"},
		"an array":                 {400, json, "[]", supabase.Error{Message: "bad request, not from PostgREST (application/json, 2 bytes)"}, ""},
		"cut JSON":                 {400, json, `{"code":"2350`, supabase.Error{Message: "bad request, not from PostgREST (application/json, 13 bytes)"}, ""},
		"no content type":          {400, "/", "x", supabase.Error{Message: "bad request, not from PostgREST (no content type, 1 bytes)"}, ""},
		"the gateway's":            {401, json, `{"message":"Invalid API key","hint":"Double check"}`, supabase.Error{Message: "Invalid API key", Hint: "Double check"}, "permission"},
		"Auth's, code a number":    {422, json, `{"code":422,"msg":"bad","details":{"a":1}}`, supabase.Error{Message: "bad", Details: `{"a":1}`}, ""},
		"error as a word":          {400, json, `{"error":"nope"}`, supabase.Error{Message: "nope"}, ""},
		"fields of other types":    {400, json, `{"code":["x"],"message":{"a":1},"details":3,"hint":true}`, supabase.Error{Message: "bad request, not from PostgREST (application/json, 56 bytes)", Details: "3", Hint: "true"}, ""},
		"a code that breaks lines": {400, json, `{"code":"a\nb","message":"m"}`, supabase.Error{Message: "m"}, ""},
		"multiple choices":         {300, json, `{"code":"PGRST203","message":"Could not choose"}`, supabase.Error{Code: "PGRST203", Message: "Could not choose"}, ""},
		"not modified":             {304, "", "", supabase.Error{Message: "not modified; redirects are not followed"}, ""},
		"found":                    {302, "", "", supabase.Error{Message: "found; redirects are not followed"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := serve(t, answer(test.status, test.contentType, test.body))
			test.want.Op, test.want.Table, test.want.Status, test.want.Attempts = "select", "checks", test.status, 1
			_, e := read(t, open(t, server))
			require.Equal(t, &test.want, e)
			requireClass(t, e, test.class)
			requireClass(t, fmt.Errorf("wrapped: %w", e), test.class)
		})
	}
}

func TestCodeOfHEADIsInProxyStatus(t *testing.T) {
	t.Parallel()
	for header, code := range map[string]string{
		"PostgREST; error=PGRST205":                     "PGRST205",
		`PostgREST; error="42501"`:                      "42501",
		"Cloudflare; error=connection_refused":          "",
		"Cloudflare; details=x, PostgREST; error=57014": "57014",
		"Cloudflare; details=PostgREST; error=PGRST205": "",
		"PostgREST": "",
		"PostgREST; error=" + strings.Repeat("A", 1000): "",
	} {
		server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Proxy-Status", header)
			w.WriteHeader(http.StatusNotFound)
		})
		_, _, err := open(t, server).From("nope").Select("*", "", true).ExecuteWithContext(t.Context())
		var e *supabase.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, code, e.Code, header)
		require.Equal(t, http.StatusNotFound, e.Status)
	}
}

func TestErrorIsOneLine(t *testing.T) {
	t.Parallel()
	e := &supabase.Error{
		Op: "insert", Table: "service_health_checks", Status: 400, Code: "23514",
		Message: "new row\r\nviolates\x1b[31m \u2028check", Details: "Failing row contains (secret)", Hint: "a hint",
		Err: errors.New("a cause"),
	}
	require.Equal(t, "supabase: insert service_health_checks: 400 23514: new row  violates [31m  check", e.Error())
	require.Equal(t, e.Err, errors.Unwrap(e))

	e.Message = strings.Repeat("é", 150)
	_, message, _ := strings.Cut(e.Error(), "23514: ")
	require.LessOrEqual(t, len(message), 200)
	require.Equal(t, strings.Repeat("é", 98)+"…", message, "cut between characters")

	require.Equal(t, "supabase: no answer", (&supabase.Error{Message: "no answer"}).Error())
}

func TestErrorOfOneMadeByHand(t *testing.T) {
	t.Parallel()
	// Users make errors for their own fakes; the exported fields decide.
	requireClass(t, &supabase.Error{Status: 409}, "conflict")
	requireClass(t, &supabase.Error{Status: 503}, "unavailable")
	requireClass(t, &supabase.Error{Code: "PGRST116", Details: "The result contains 0 rows"}, "not found")
	requireClass(t, &supabase.Error{Err: supabase.ErrInvalid}, "invalid")
	requireClass(t, &supabase.Error{Err: supabase.ErrUnavailable}, "unavailable")
	requireClass(t, &supabase.Error{}, "")
}
