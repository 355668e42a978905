package supabase_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
)

func jwt(payload string) supabase.Secret {
	encode := base64.RawURLEncoding.EncodeToString
	return supabase.Secret(encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(payload)) + ".c2lnbmF0dXJl")
}

func TestConfigIsCheckedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	const project = "https://abc.supabase.co"
	tests := map[string]struct {
		config supabase.Config
		says   string
	}{
		"no URL":                  {supabase.Config{Key: secretKey}, "the URL is missing: set SUPABASE_URL"},
		"no scheme":               {supabase.Config{URL: "abc.supabase.co", Key: secretKey}, "URL needs the scheme http or https"},
		"another scheme":          {supabase.Config{URL: "ftp://abc.supabase.co", Key: secretKey}, "URL needs the scheme http or https"},
		"no host":                 {supabase.Config{URL: "https://", Key: secretKey}, "URL has no host"},
		"a port alone":            {supabase.Config{URL: "https://:443", Key: secretKey}, "URL has no host"},
		"not a URL":               {supabase.Config{URL: "https://a[b", Key: secretKey}, "URL is not a URL"},
		"a user":                  {supabase.Config{URL: "https://user:hunter2@abc.supabase.co", Key: secretKey}, "URL must not hold a user or password"},
		"a query":                 {supabase.Config{URL: project + "?apikey=hunter2", Key: secretKey}, "URL must not hold a query"},
		"a fragment":              {supabase.Config{URL: project + "#x", Key: secretKey}, "URL must not hold a query or a fragment"},
		"a path with dots":        {supabase.Config{URL: project + "/a/../b", Key: secretKey}, "URL has a path"},
		"a path with an escape":   {supabase.Config{URL: project + "/a%3Fb", Key: secretKey}, "URL has a path"},
		"the REST path in URL":    {supabase.Config{URL: project + "/rest/v1/", Key: secretKey}, "without /rest/v1"},
		"a bad RESTURL":           {supabase.Config{URL: project, RESTURL: "localhost:3000", Key: secretKey}, "RESTURL needs the scheme"},
		"no key":                  {supabase.Config{URL: project}, "the key is missing: set SUPABASE_SERVICE_KEY"},
		"a key with a line break": {supabase.Config{URL: project, Key: secretKey + "\n"}, "the key holds white space"},
		"a key with a space":      {supabase.Config{URL: project, Key: "Bearer " + secretKey}, "the key holds white space"},
		"a key that is no ASCII":  {supabase.Config{URL: project, Key: secretKey + "…"}, "the key holds characters"},
		"a publishable key":       {supabase.Config{URL: project, Key: "sb_publishable_hunter2"}, "the key is a publishable one"},
		"a JWT of anon":           {supabase.Config{URL: project, Key: jwt(`{"role":"anon"}`)}, "the key is a JWT of role anon"},
		"a JWT of authenticated":  {supabase.Config{URL: project, Key: jwt(`{"role":"authenticated"}`)}, "the key is a JWT of role authenticated"},
		"a JWT without a role":    {supabase.Config{URL: project, Key: jwt(`{"sub":"x"}`)}, "the key is a JWT without a role"},
		"a JWT of no JSON":        {supabase.Config{URL: project, Key: jwt(`hunter2`)}, "the key is a JWT without a role"},
		"a JWT of no base64":      {supabase.Config{URL: project, Key: "hunter2.!.hunter2"}, "the key is a JWT without a role"},
		"a negative Timeout":      {supabase.Config{URL: project, Key: secretKey, Timeout: -1}, "Timeout must not be negative"},
		"negative MaxAttempts":    {supabase.Config{URL: project, Key: secretKey, MaxAttempts: -1}, "MaxAttempts must not be negative"},
		"two schemas":             {supabase.Config{URL: project, Key: secretKey, Schema: "public,private"}, "Schema must be one"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.config.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
				t.Error("a request was sent")
				return nil, http.ErrServerClosed
			})
			client, err := test.config.ServiceClient()
			require.Nil(t, client)
			require.ErrorIs(t, err, supabase.ErrInvalid)
			var e *supabase.Error
			require.ErrorAs(t, err, &e)
			require.Contains(t, err.Error(), test.says)
			require.NotContains(t, err.Error(), "hunter2")
			requireNoKey(t, err.Error(), name)
			if key := string(test.config.Key); key != "" {
				require.NotContains(t, err.Error(), key)
			}
		})
	}
}

func TestConfigDefaultsAndURLs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		config supabase.Config
		url    string
	}{
		"a project":             {supabase.Config{URL: "https://abc.supabase.co"}, "https://abc.supabase.co/rest/v1/checks"},
		"with a slash":          {supabase.Config{URL: "https://abc.supabase.co/"}, "https://abc.supabase.co/rest/v1/checks"},
		"below a path":          {supabase.Config{URL: "http://localhost:8000/supabase/"}, "http://localhost:8000/supabase/rest/v1/checks"},
		"a bare PostgREST":      {supabase.Config{RESTURL: "http://localhost:3000"}, "http://localhost:3000/checks"},
		"bare, with a slash":    {supabase.Config{RESTURL: "http://[::1]:3000/"}, "http://[::1]:3000/checks"},
		"both: RESTURL is used": {supabase.Config{URL: "https://abc.supabase.co", RESTURL: "http://localhost:3000/api"}, "http://localhost:3000/api/checks"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *http.Request
			test.config.Key = secretKey
			test.config.Transport = roundTripper(func(request *http.Request) (*http.Response, error) {
				got = request
				return &http.Response{StatusCode: http.StatusOK}, nil // without a Body, as fakes are
			})
			client, err := test.config.ServiceClient()
			require.NoError(t, err)
			_, e := read(t, client)
			require.Nil(t, e)
			require.Equal(t, test.url+"?select=%2A", got.URL.String())
			require.Equal(t, "public", got.Header.Get("Accept-Profile"))
			deadline, limited := got.Context().Deadline()
			require.True(t, limited)
			require.Greater(t, time.Until(deadline), time.Second)
			require.LessOrEqual(t, time.Until(deadline), 10*time.Second, "the default time limit")
		})
	}
}

func TestConfigFromEnv(t *testing.T) {
	unset := func(t *testing.T) {
		t.Helper()
		for _, name := range []string{"SUPABASE_URL", "SUPABASE_REST_URL", "SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY", "SUPABASE_SCHEMA"} {
			t.Setenv(name, "")
		}
	}
	t.Run("everything missing is named", func(t *testing.T) {
		unset(t)
		_, err := supabase.ConfigFromEnv()
		require.ErrorIs(t, err, supabase.ErrInvalid)
		for _, name := range []string{"SUPABASE_URL", "SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"} {
			require.Contains(t, err.(*supabase.Error).Message, name) //nolint:errorlint // the type itself is the promise
		}
		_, err = supabase.ServiceClient()
		require.ErrorIs(t, err, supabase.ErrInvalid)
	})
	t.Run("an empty variable counts as unset", func(t *testing.T) {
		unset(t)
		t.Setenv("SUPABASE_REST_URL", "http://localhost:3000")
		for _, name := range []string{"SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SERVICE_KEY"} {
			t.Setenv(name, secretKey+strings.ToLower(name)) // each comes before the last
			config, err := supabase.ConfigFromEnv()
			require.NoError(t, err)
			require.Equal(t, secretKey+strings.ToLower(name), string(config.Key))
		}
	})
	t.Run("the environment is read each time", func(t *testing.T) {
		unset(t)
		t.Setenv("SUPABASE_SERVICE_KEY", secretKey)
		t.Setenv("SUPABASE_SCHEMA", "monitoring")
		var accepted []string
		for range 2 {
			url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				accepted = append(accepted, r.Host+" "+r.Header.Get("Accept-Profile"))
				_, _ = w.Write([]byte("[]"))
			})
			t.Setenv("SUPABASE_URL", url)
			client, err := supabase.ServiceClient()
			require.NoError(t, err)
			_, e := read(t, client)
			require.Nil(t, e)
		}
		require.Len(t, accepted, 2)
		require.NotEqual(t, accepted[0], accepted[1])
		require.True(t, strings.HasSuffix(accepted[0], " monitoring"))
	})
}
