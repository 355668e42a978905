package supabase_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
)

func TestNamesMustBeIdentifiers(t *testing.T) {
	t.Parallel()
	url, requests := serve(t, answer(http.StatusOK, "application/json", "[]"))
	client := open(t, url)
	for _, name := range []string{"", "../../auth/v1/admin/users", "a b", "a/b", "a?b=c", "a#b", "a%2fb", "1a", "$a", "a.b", "a-b", "é", "rpc/f", "a\x00", "a\nb"} {
		queries := map[string]func() error{
			"select": func() error {
				_, _, err := client.From(name).Select("*", "", false).Eq("a", "b").Limit(1, "").ExecuteWithContext(t.Context())
				return err
			},
			"insert": func() error {
				_, _, err := client.From(name).Insert(map[string]int{"a": 1}, false, "", "", "").Single().ExecuteWithContext(t.Context())
				return err
			},
			"update": func() error {
				_, _, err := client.From(name).Update(map[string]int{"a": 1}, "", "").Eq("a", "b").ExecuteWithContext(t.Context())
				return err
			},
			"delete": func() error {
				_, _, err := client.From(name).Delete("", "").Eq("a", "b").ExecuteWithContext(t.Context())
				return err
			},
			"rpc": func() error { return client.RPC(t.Context(), name, nil, nil) },
		}
		for op, query := range queries {
			err := query()
			require.ErrorIs(t, err, supabase.ErrInvalid, "%s %q", op, name)
			var e *supabase.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, op, e.Op)
			require.Equal(t, name, e.Table)
			require.Zero(t, e.Attempts)
			require.NotContains(t, e.Error(), "\n")
		}
	}
	require.Zero(t, requests.Load(), "nothing was sent")
	for _, name := range []string{"a", "_", "service_health_checks", "A1$", "a_1"} {
		_, _, err := client.From(name).Select("*", "", false).ExecuteWithContext(t.Context())
		require.NoError(t, err, name)
	}
}

func TestRequestCarriesOneOfEachHeader(t *testing.T) {
	t.Parallel()
	serviceRole := jwt(`{"role":"service_role"}`)
	custom := jwt(`{"role":"monitoring"}`)
	for name, test := range map[string]struct {
		key           supabase.Secret
		authorization []string
	}{
		"a secret key":            {secretKey, nil},
		"a JWT":                   {serviceRole, []string{"Bearer " + string(serviceRole)}},
		"a JWT of a role of ours": {custom, []string{"Bearer " + string(custom)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got http.Header
			url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				got = r.Header
				_, _ = io.WriteString(w, "{}")
			})
			client := open(t, url, func(c *supabase.Config) { c.Key, c.Schema = test.key, "monitoring" })
			_, _, err := client.From("checks").Insert(map[string]int{"a": 1}, false, "", "representation", "").Single().ExecuteWithContext(t.Context())
			require.NoError(t, err)
			require.Equal(t, []string{string(test.key)}, got.Values("Apikey"))
			require.Equal(t, test.authorization, got.Values("Authorization"))
			require.Equal(t, []string{"application/vnd.pgrst.object+json"}, got.Values("Accept"))
			require.Equal(t, []string{"application/json"}, got.Values("Content-Type"))
			require.Equal(t, []string{"supavigil/" + supabase.Version}, got.Values("User-Agent"))
			require.Equal(t, []string{"supavigil/" + supabase.Version}, got.Values("X-Client-Info"))
			require.Equal(t, []string{"return=representation"}, got.Values("Prefer"))
			require.Equal(t, []string{"monitoring"}, got.Values("Accept-Profile"))
			require.Equal(t, []string{"monitoring"}, got.Values("Content-Profile"))
		})
	}
}

func TestRPC(t *testing.T) {
	t.Parallel()
	url, requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/rest/v1/rpc/add":
			var args map[string]int
			_ = json.Unmarshal(body, &args)
			_ = json.NewEncoder(w).Encode(args["a"] + args["b"])
		case "/rest/v1/rpc/none":
			if string(body) != "{}" || r.Method != http.MethodPost {
				w.WriteHeader(http.StatusTeapot)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"code":"PGRST202","details":null,"hint":"h","message":"Could not find the function"}`)
		}
	})
	client := open(t, url)

	var sum int
	require.NoError(t, client.RPC(t.Context(), "add", map[string]int{"a": 1, "b": 2}, &sum))
	require.Equal(t, 3, sum)
	require.NoError(t, client.RPC(t.Context(), "add", map[string]int{"a": 1}, nil), "an answer may be dropped")
	require.NoError(t, client.RPC(t.Context(), "none", nil, nil))

	var e *supabase.Error
	require.NoError(t, client.RPC(t.Context(), "none", nil, &sum), "a function that returns void has run")
	require.Equal(t, 3, sum, "and leaves the result as it is")
	require.ErrorAs(t, client.RPC(t.Context(), "add", map[string]int{}, new(string)), &e)
	require.Equal(t, "rpc", e.Op)
	require.True(t, e.Uncertain, "it ran")
	require.Equal(t, 200, e.Status)
	require.Equal(t, 1, e.Attempts)
	require.Contains(t, e.Message, "cannot be decoded")
	for _, class := range []error{supabase.ErrInvalid, supabase.ErrNotFound, supabase.ErrConflict, supabase.ErrPermission, supabase.ErrUnavailable} {
		require.NotErrorIs(t, e, class)
	}
	require.ErrorAs(t, client.RPC(t.Context(), "nope", nil, nil), &e)
	require.Equal(t, &supabase.Error{Op: "rpc", Table: "nope", Status: 404, Code: "PGRST202", Message: "Could not find the function", Hint: "h", Attempts: 1}, e)

	sent := requests.Load()
	var none *struct{}
	for _, args := range []any{5, "x", true, []int{1}, json.RawMessage(" null"), none, map[string]int(nil)} {
		require.ErrorIs(t, client.RPC(t.Context(), "add", args, nil), supabase.ErrInvalid, "%T", args)
	}
	for _, result := range []any{5, struct{}{}, none, map[string]int{}} {
		require.ErrorIs(t, client.RPC(t.Context(), "add", nil, result), supabase.ErrInvalid, "%T", result)
	}
	err := client.RPC(t.Context(), "add", map[string]float64{"a": math.NaN()}, nil)
	require.ErrorIs(t, err, supabase.ErrInvalid)
	var unsupported *json.UnsupportedValueError
	require.ErrorAs(t, err, &unsupported)
	require.Equal(t, sent, requests.Load())
}

func TestPlatform(t *testing.T) {
	t.Parallel()
	platform, err := open(t, "https://abc.supabase.co").Platform()
	require.NoError(t, err)
	require.NotNil(t, platform.Auth)
	require.NotNil(t, platform.Storage)

	config := supabase.Config{RESTURL: "http://localhost:3000", Key: secretKey}
	client, err := config.ServiceClient()
	require.NoError(t, err)
	_, err = client.Platform()
	require.ErrorIs(t, err, supabase.ErrInvalid)
	require.ErrorContains(t, err, "SUPABASE_URL")
}

func TestFromHandsOnErrorsInsideURLError(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, answer(http.StatusConflict, "application/json", `{"code":"23505","message":"duplicate"}`))
	_, _, err := open(t, server).From("checks").Insert(map[string]int{}, false, "", "", "").ExecuteWithContext(t.Context())
	var outer *url.Error
	require.ErrorAs(t, err, &outer)
	require.ErrorIs(t, err, supabase.ErrConflict)
}

func TestContextThatIsOverSendsNothing(t *testing.T) {
	t.Parallel()
	server, requests := serve(t, answer(http.StatusOK, "", "[]"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := open(t, server).RPC(ctx, "f", nil, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, supabase.ErrUnavailable)
	var e *supabase.Error
	require.ErrorAs(t, err, &e)
	require.Zero(t, e.Attempts)
	require.Zero(t, requests.Load())

	var none context.Context
	err = open(t, server).RPC(none, "f", nil, nil)
	require.ErrorAs(t, err, &e)
	require.Zero(t, requests.Load())
}

func TestTransportThatReturnsNothing(t *testing.T) {
	t.Parallel()
	client := open(t, "http://localhost", func(c *supabase.Config) {
		c.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, nil }) //nolint:nilnil // the fault under test
	})
	_, e := read(t, client)
	require.ErrorIs(t, e, supabase.ErrUnavailable)

	broken := errors.New("broken by the test")
	client = open(t, "http://localhost", func(c *supabase.Config) {
		c.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, broken })
	})
	_, e = read(t, client)
	require.ErrorIs(t, e, supabase.ErrUnavailable)
	require.ErrorIs(t, e, broken)
	require.Equal(t, "supabase: select checks: no answer: broken by the test", e.Error())
}
