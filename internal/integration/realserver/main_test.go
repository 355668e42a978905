package realserver

import (
	"fmt"
	"os"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"
)

// helperVariable makes the test binary another program, which tests start.
const helperVariable = "SUPAVIGIL_REALSERVER_HELPER"

func TestMain(m *testing.M) {
	switch helper := os.Getenv(helperVariable); helper {
	case "":
		goleak.VerifyTestMain(Main(m))
	case "ending":
		os.Exit(helpEnding())
	case "postgrest":
		helpPostgREST()
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "no such helper:", helper)
		os.Exit(2)
	}
}

// things is a migration with what the servers' tests need.
var things = fstest.MapFS{
	"001_things.sql": {Data: []byte(`
CREATE TABLE things (id int PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now());
ALTER TABLE things ENABLE ROW LEVEL SECURITY;
CREATE TABLE ungranted (id int);
ALTER TABLE ungranted ENABLE ROW LEVEL SECURITY;`)},
	"002_grants.sql": {Data: []byte(`
DO $$ BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
		GRANT SELECT, INSERT, UPDATE, DELETE ON things TO service_role;
	END IF;
END $$;
CREATE FUNCTION nap(seconds float8) RETURNS int LANGUAGE sql AS 'SELECT pg_sleep(seconds); SELECT 1';`)},
	"README.md": {Data: []byte("not SQL")},
}
