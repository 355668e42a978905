package supabase_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
)

// TestUsualWrongURLs has what people copy in the place of a project's URL.
func TestUsualWrongURLs(t *testing.T) {
	t.Parallel()
	const right = "https://abc.supabase.co"
	for url, says := range map[string]string{
		"https://supabase.com/dashboard/project/abc":                           "is the dashboard's: give the project's, https://abc.supabase.co, where abc is",
		"https://app.supabase.com/project/abc/settings/api":                    "is the dashboard's",
		"https://api.supabase.com/v1/projects/abc":                             "is the dashboard's",
		"https://SUPABASE.COM./dashboard":                                      "is the dashboard's",
		"https://db.abc.supabase.co":                                           "is the database's",
		"https://db.abc.supabase.co:5432":                                      "is the database's",
		"https://abc.supabase.co:6543":                                         "is the database's",
		"https://aws-0-eu-central-1.pooler.supabase.com:6543":                  "is the database's",
		"postgres://postgres:hunter2@db.abc.supabase.co:5432/postgres":         "is the database's",
		"postgresql://postgres.abc:hunter2@aws-0.pooler.supabase.com/postgres": "is the database's",
		"https://abc.storage.supabase.co":                                      "is not a project's",
		"https://supabase.co":                                                  "is not a project's",
		"http://abc.supabase.co":                                               "needs https",
		right + "/rest/v1":                                                     "without /rest/v1",
		right + "/auth/v1/":                                                    "without /auth/v1",
		right + "/storage/v1/s3":                                               "without /storage/v1",
		right + "\n":                                                           "has white space around it",
		"\t" + right:                                                           "has white space around it",
		` "` + right + `" `:                                                    "has white space around it",
		`"` + right + `"`:                                                      "is in quotes",
		"'" + right + "'":                                                      "is in quotes",
		"“" + right + "”":                                                      "is in quotes",
		"<" + right + ">":                                                      "is in quotes or brackets",
		right + ";":                                                            "has a host with characters",
		right + ",https://b.supabase.co":                                       "has a host with characters",
		right + "\u200b":                                                       "has a host with characters",
		"https://<ref>.supabase.co":                                            "has a host with characters",
		"https://abc*.example.com":                                             "has a host with characters",
		right + " # production":                                                "holds white space",
		"https://abc.\r\nsupabase.co":                                          "holds white space",
		"sb_secret_hunter2":                                                    "needs the scheme",
	} {
		_, err := supabase.Config{URL: url, Key: secretKey}.ServiceClient()
		require.ErrorIs(t, err, supabase.ErrInvalid, url)
		require.Contains(t, err.Error(), says, url)
		require.NotContains(t, err.Error(), "hunter2")
		_, err = supabase.Config{URL: right, RESTURL: url, Key: secretKey}.ServiceClient()
		if !strings.HasPrefix(says, "without") {
			require.ErrorContains(t, err, "RESTURL "+says, url)
		}
	}
	for _, path := range []string{"/dashboard", "/project/abc", "/rest"} {
		_, err := supabase.Config{URL: right + path, Key: secretKey}.ServiceClient()
		require.ErrorContains(t, err, "URL has a path: give the project's alone", path)
	}
	_, err := supabase.Config{RESTURL: right, Key: secretKey}.ServiceClient()
	require.ErrorContains(t, err, "a project's URL goes in URL (SUPABASE_URL)")
	for _, url := range []string{right, right + ":443", "http://localhost:54321", "http://kong:8000", "http://[::1]:8000", "http://a_b:8000", "https://bücher.example", "https://api.example.com/supabase", "https://abc-all.supabase.co", "https://api.example.com"} {
		_, err := supabase.Config{URL: url, Key: secretKey}.ServiceClient()
		require.NoError(t, err, url)
	}
	_, err = supabase.Config{RESTURL: right + "/rest/v1", Key: secretKey}.ServiceClient()
	require.NoError(t, err)
}

func TestClientThatWasNotOpened(t *testing.T) {
	t.Parallel()
	for _, client := range []*supabase.Client{nil, new(supabase.Client)} {
		_, _, err := client.From("checks").Select("*", "", false).Eq("a", "b").ExecuteWithContext(t.Context())
		require.ErrorIs(t, err, supabase.ErrInvalid)
		require.ErrorContains(t, err, "get one from ServiceClient")
		_, _, err = client.From("checks").Insert(1, false, "", "", "").ExecuteWithContext(t.Context())
		require.ErrorIs(t, err, supabase.ErrInvalid)
		require.ErrorIs(t, client.RPC(t.Context(), "f", nil, nil), supabase.ErrInvalid)
		_, err = client.Platform()
		require.ErrorIs(t, err, supabase.ErrInvalid)
	}
}

func TestClientIsHandedOutAgainWhileNothingChanged(t *testing.T) {
	open := func() *supabase.Client {
		client, err := supabase.ServiceClient()
		require.NoError(t, err)
		return client
	}
	t.Setenv("SUPABASE_REST_URL", "")
	t.Setenv("SUPABASE_SCHEMA", "")
	t.Setenv("SUPABASE_URL", "https://abc.supabase.co")
	t.Setenv("SUPABASE_SERVICE_KEY", secretKey)
	first := open()
	require.Same(t, first, open())
	for name, value := range map[string]string{"SUPABASE_SERVICE_KEY": secretKey + "2", "SUPABASE_SCHEMA": "monitoring", "SUPABASE_URL": "https://abcd.supabase.co"} {
		t.Setenv(name, value)
		changed := open()
		require.NotSame(t, first, changed, name)
		first = changed
	}
	t.Setenv("SUPABASE_SERVICE_KEY", "sb_publishable_x")
	_, err := supabase.ServiceClient()
	require.ErrorIs(t, err, supabase.ErrInvalid)
	// Values that == cannot compare are no trouble.
	for range 2 {
		_, err := supabase.Config{URL: "https://abc.supabase.co", Key: secretKey, Transport: roundTripper(nil)}.ServiceClient()
		require.NoError(t, err)
	}
}
