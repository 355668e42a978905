package realserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// helpPostgREST stands in for PostgREST where there is none: it reads the same
// variables, connects, and answers as PostgREST does when it is ready.
func helpPostgREST() {
	ctx := context.Background()
	session, err := pgx.Connect(ctx, os.Getenv("PGRST_DB_URI"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	if _, err := session.Exec(ctx, "SET ROLE "+os.Getenv("PGRST_DB_ANON_ROLE")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	server := http.Server{
		Addr:              os.Getenv("PGRST_SERVER_HOST") + ":" + os.Getenv("PGRST_SERVER_PORT"),
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			role, ok := verify(os.Getenv("PGRST_JWT_SECRET"), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			if !ok {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprint(w, role, " ", os.Getenv("PGRST_DB_MAX_ROWS"), " ", os.Getenv("PGRST_DB_SCHEMAS"))
		}),
	}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
}

// verify returns a token's role if its signature is right and its time not over.
func verify(secret, token string) (string, bool) {
	header, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return "", false
	}
	var claims struct {
		Role string `json:"role"`
		Exp  int64  `json:"exp"`
	}
	if err := json.Unmarshal(decoded, &claims); err != nil {
		return "", false
	}
	return claims.Role, token == sign(secret, header+"."+payload) && claims.Exp > time.Now().Unix()
}

func TestPostgRESTStartsWithItsConfiguration(t *testing.T) {
	script := filepath.Join(t.TempDir(), "postgrest")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"+helperVariable+"=postgrest exec "+os.Args[0]+"\n"), 0o700)) //nolint:gosec // a program
	t.Setenv("POSTGREST_BIN", script)
	server := startREST(t, PostgREST, Options{Migrations: things, MaxRows: 7})
	for _, role := range []string{"service_role", "anon", "authenticated"} {
		status, body := call(t, server, role, "GET", "/", "")
		require.Equal(t, http.StatusNotFound, status)
		require.Equal(t, role+" 7 public", body)
	}
	for _, refused := range []string{"expired", "forged"} {
		status, _ := call(t, server, refused, "GET", "/", "")
		require.Equal(t, http.StatusUnauthorized, status, refused)
	}
	require.NoError(t, server.Restart(t.Context()))
	require.Empty(t, server.Config().URL)
	_, err := server.Config().ServiceClient()
	require.NoError(t, err)
}

// The example of RFC 7515, appendix A.1.
func TestSign(t *testing.T) {
	t.Parallel()
	key, err := base64.RawURLEncoding.DecodeString(
		"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
	require.NoError(t, err)
	signed := "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	require.Equal(t, signed+".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", sign(string(key), signed))
}
