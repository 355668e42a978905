package supabasetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
)

func TestHandleRPC(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body, prefer string
		result       any
		err          error
		status       int
		want         string
	}{
		"a value":          {`{"a": 1}`, "", map[string]int{"sum": 2}, nil, 200, `{"sum":2}`},
		"a scalar":         {`{}`, "", 5, nil, 200, `5`},
		"raw JSON":         {`{}`, "", json.RawMessage(`null`), nil, 200, `null`},
		"void":             {`{}`, "", nil, nil, 204, ``},
		"no body":          {``, "", "x", nil, 200, `"x"`},
		"an object":        {`{}`, asObject, []int{1, 2}, nil, 200, `[1,2]`},
		"an error":         {`{}`, "", nil, errors.New("maintenance"), 400, `{"code":"P0001","details":null,"hint":null,"message":"maintenance"}`},
		"PostgREST's":      {`{}`, "", nil, &supabase.Error{Status: 409, Code: "23505", Message: "m", Details: "d", Hint: "h"}, 409, `{"code":"23505","details":"d","hint":"h","message":"m"}`},
		"one that wraps":   {`{}`, "", nil, fmt.Errorf("x: %w", &supabase.Error{Code: "40001"}), 500, `{"code":"40001","details":null,"hint":null,"message":""}`},
		"no status":        {`{}`, "", nil, &supabase.Error{Code: "PGRST116"}, 501, `{"code":"SUPABASETEST"`},
		"a status too low": {`{}`, "", nil, &supabase.Error{Status: 200}, 501, `{"code":"SUPABASETEST"`},
		"no JSON":          {`{}`, "", make(chan int), nil, 501, `{"code":"SUPABASETEST"`},
		"max-affected":     {`{}`, "Prefer: handling=strict,max-affected=1", 5, nil, 400, `{"code":"PGRST128"`},
		"strict":           {`{}`, "Prefer: handling=strict,nope", 5, nil, 400, `{"code":"PGRST122"`},
	} {
		server := newTestServer(t)
		server.HandleRPC("f", func(args json.RawMessage) (any, error) {
			assert.True(t, json.Valid(args), name)
			return test.result, test.err
		})
		r := server.must(t, http.MethodPost, "rpc/f", test.body, test.prefer)
		require.Equal(t, test.status, r.status, "%s: %s", name, r.body)
		require.Contains(t, r.body, test.want, name)
		if test.status < http.StatusMultipleChoices {
			require.Equal(t, test.want, r.body, name)
			require.Equal(t, "0-0/*", r.header.Get("Content-Range"), name)
		}
	}
}

func TestHandleRPCSeesItsCall(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.HandleRPC("count_checks", func(args json.RawMessage) (any, error) {
		assert.JSONEq(t, `{"at_least": 1}`, string(args))
		return len(server.Rows("service_health_checks")), nil
	})
	require.NoError(t, server.Insert("service_health_checks", json.RawMessage(oneCheck)))
	r := server.must(t, http.MethodPost, "rpc/count_checks", `{"at_least": 1}`, "Prefer: count=exact", "Content-Profile: public")
	require.Equal(t, "1", r.body)
	require.Equal(t, "0-0/1", r.header.Get("Content-Range"))
	require.Equal(t, "count=exact", r.header.Get("Preference-Applied"))
	require.Equal(t, "public", r.header.Get("Content-Profile"))

	request := server.newRequest(t, http.MethodPost, "rpc/count_checks", `{}`)
	request.Header.Del("Authorization")
	r, err := do(request)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, r.status)
	require.Contains(t, r.body, "permission denied for function count_checks")

	server.HandleRPC("count_checks", nil)
	require.Equal(t, http.StatusNotFound, server.must(t, http.MethodPost, "rpc/count_checks", `{"at_least": 1}`).status)
	server.HandleRPC(latestFunction, func(json.RawMessage) (any, error) { return "mine", nil })
	require.Equal(t, `"mine"`, server.must(t, http.MethodPost, "rpc/"+latestFunction, "").body)
	server.HandleRPC(latestFunction, nil)
	require.Contains(t, server.must(t, http.MethodPost, "rpc/"+latestFunction, "").body, "0001")
}

// The statuses are those of PostgREST's Error.hs.
func TestStatusOf(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{
		"23505": 409, "23503": 409, "23514": 400, "22P02": 400, "42501": 403, "42P01": 404, "42883": 404, "42703": 400,
		"P0001": 400, "P0002": 500, "57014": 500, "57P01": 503, "40001": 500, "53300": 503, "53400": 500, "08006": 503,
		"25006": 405, "25P02": 500, "21000": 500, "PT418": 418, "PTabc": 500, "XX000": 500, "": 0, "PGRST116": 0,
	} {
		require.Equal(t, want, statusOf(code), code)
	}
}
