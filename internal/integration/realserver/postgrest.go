package realserver

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/supavigil/supavigil/supabase"
)

// startPostgREST starts PostgREST as Supabase runs it, without the gateway: the
// tables are at the root, and the keys are tokens that it verifies itself.
func startPostgREST(ctx context.Context, options Options) (_ *REST, err error) {
	path, err := postgrestProgram()
	if err != nil {
		return nil, err
	}
	database, err := options.newDatabase(ctx)
	if err != nil {
		return nil, err
	}
	f, err := newFolder(ctx, os.TempDir(), "postgrest", nil)
	if err != nil {
		return nil, err
	}
	secret := rand.Text() + rand.Text() // at least 32 characters
	// The times lie back a little: a server's clock may be behind.
	now := time.Now().Add(-time.Minute)
	key := signJWT(secret, "service_role", now)
	r := &REST{
		Kind: PostgREST, Key: supabase.Secret(key), Database: database, DatabaseURL: database.URL, folder: f,
		headers: map[string]http.Header{
			"service_role":  {"Authorization": {"Bearer " + key}},
			"anon":          {"Authorization": {"Bearer " + signJWT(secret, "anon", now)}},
			"authenticated": {"Authorization": {"Bearer " + signJWT(secret, "authenticated", now)}},
			"expired":       {"Authorization": {"Bearer " + signJWT(secret, "service_role", now.AddDate(0, 0, -2))}},
			"forged":        {"Authorization": {"Bearer " + signJWT(rand.Text()+rand.Text(), "service_role", now)}},
		},
	}
	err = withPort(ctx, func(port int) error {
		r.RESTURL = "http://" + address(port)
		r.server = command{args: []string{path}, env: postgrestEnv(port, options.MaxRows, database.AuthenticatorURL, secret)}
		return r.start(ctx)
	})
	if err != nil {
		return nil, errOr(r.Stop(), err)
	}
	return r, nil
}

// postgrestEnv is PostgREST's configuration. Without a configuration in the
// database (db-config) a test's database cannot change the server's.
func postgrestEnv(port, maxRows int, databaseURL, secret string) []string {
	return []string{
		"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC",
		"PGRST_DB_URI=" + databaseURL,
		"PGRST_DB_SCHEMAS=public",
		"PGRST_DB_ANON_ROLE=anon",
		"PGRST_DB_MAX_ROWS=" + strconv.Itoa(maxRows),
		"PGRST_DB_CONFIG=false",
		"PGRST_JWT_SECRET=" + secret,
		"PGRST_SERVER_HOST=127.0.0.1",
		"PGRST_SERVER_PORT=" + strconv.Itoa(port),
		"PGRST_LOG_LEVEL=warn",
	}
}
