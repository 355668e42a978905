package realserver

import (
	"errors"
	"net/http"
	"os"
	"strings"

	"github.com/supavigil/supavigil/supabase"
)

// FromEnv returns the server that the environment points at, or nil when it
// points at none: SUPAVIGIL_TEST_REST_URL is where its tables are (on Supabase,
// with /rest/v1), SUPAVIGIL_TEST_KEY service_role's key and
// SUPAVIGIL_TEST_DATABASE_URL, which may be missing, its owner's connection URL.
// It is used as it is: nothing is migrated, started or stopped.
func FromEnv() (*REST, error) {
	restURL, key := os.Getenv("SUPAVIGIL_TEST_REST_URL"), os.Getenv("SUPAVIGIL_TEST_KEY")
	switch {
	case restURL == "" && key == "":
		return nil, nil
	case restURL == "":
		return nil, errors.New("SUPAVIGIL_TEST_KEY is set, but SUPAVIGIL_TEST_REST_URL is not")
	case key == "":
		return nil, errors.New("SUPAVIGIL_TEST_REST_URL is set, but SUPAVIGIL_TEST_KEY is not")
	}
	header := http.Header{"Apikey": {key}}
	if !strings.HasPrefix(key, "sb_") {
		header.Set("Authorization", "Bearer "+key)
	}
	return &REST{
		Kind: Given, RESTURL: strings.TrimRight(restURL, "/"), Key: supabase.Secret(key),
		DatabaseURL: os.Getenv("SUPAVIGIL_TEST_DATABASE_URL"),
		headers:     map[string]http.Header{"service_role": header},
	}, nil
}
