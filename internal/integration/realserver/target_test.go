package realserver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFromEnv(t *testing.T) {
	set := func(url, key, database string) {
		t.Setenv("SUPAVIGIL_TEST_REST_URL", url)
		t.Setenv("SUPAVIGIL_TEST_KEY", key)
		t.Setenv("SUPAVIGIL_TEST_DATABASE_URL", database)
	}
	set("", "", "")
	server, err := FromEnv()
	require.NoError(t, err)
	require.Nil(t, server)

	set("http://127.0.0.1:1/", "", "")
	_, err = FromEnv()
	require.ErrorContains(t, err, "SUPAVIGIL_TEST_KEY is not")
	set("", "sb_secret_x", "")
	_, err = FromEnv()
	require.ErrorContains(t, err, "SUPAVIGIL_TEST_REST_URL is not")

	set("http://127.0.0.1:1/rest/v1/", "sb_secret_x", "postgres://there")
	server = Shared(t, Given, nil)
	require.Equal(t, "http://127.0.0.1:1/rest/v1", server.Config().RESTURL)
	require.Equal(t, "postgres://there", server.DatabaseURL)
	require.Equal(t, "sb_secret_x", server.Header("service_role").Get("Apikey"))
	require.Empty(t, server.Header("service_role").Get("Authorization"))
	require.Nil(t, server.Header("anon"))
	require.Error(t, server.Kill())
	require.Error(t, server.Restart(t.Context()))
	require.NoError(t, server.Stop())

	set("http://127.0.0.1:1", signJWT("secret", "service_role", time.Now()), "")
	server = Shared(t, Given, nil)
	require.Contains(t, server.Header("service_role").Get("Authorization"), "Bearer ey")
	_, err = server.Config().ServiceClient()
	require.NoError(t, err)
}
