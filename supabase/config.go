package supabase

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Config says which project a client talks to, and how patiently. The zero
// value lacks a URL and a key; everything else has a default.
type Config struct {
	// URL is the project's URL, https://abc.supabase.co. PostgREST is expected
	// below it, at /rest/v1.
	URL string
	// RESTURL is for a bare PostgREST, without Supabase's gateway before it.
	// Defaults to URL + "/rest/v1".
	RESTURL string
	// Key is the service-role key: sb_secret_… or a JWT whose role is
	// service_role.
	Key Secret
	// Schema is the exposed schema that holds the tables. Defaults to "public".
	Schema string
	// Timeout limits one attempt, to the last byte of the body, from when it has
	// a connection or begins to dial. A wait for one of the pool's places is
	// limited by the context alone. Defaults to 10 s.
	Timeout time.Duration
	// MaxAttempts is how often each request is tried in total, the first try
	// included; 1 never retries. Defaults to 4.
	MaxAttempts int
	// Transport carries the requests below the client's own round trippers. It
	// must honour the context of its requests, send each once, and not follow
	// redirects, which would give the key to another host: an answer that came
	// from another URL is an error. After silence its CloseIdleConnections is
	// called, if it has one, so that no further attempt is spent on a connection
	// that died.
	//
	// Defaults to a pool that the whole process shares, with 64 places per host:
	// so many connections are open at once, and further requests wait (over
	// HTTP/2 a connection carries many). For more, give an *http.Transport whose
	// MaxConnsPerHost and MaxIdleConnsPerHost are larger. Where MaxConnsPerHost
	// is set, its dialer should be a net.Dialer, which tells when it begins; of
	// any other Transport an attempt's time begins at once.
	Transport http.RoundTripper
}

const (
	defaultSchema      = "public"
	defaultTimeout     = 10 * time.Second
	defaultMaxAttempts = 4
	restPath           = "/rest/v1"
)

// ConfigFromEnv reads SUPABASE_URL, SUPABASE_REST_URL, SUPABASE_SCHEMA and the
// key, the first set of SUPABASE_SERVICE_KEY, SUPABASE_SERVICE_ROLE_KEY and
// SUPABASE_SECRET_KEY. An empty variable counts as unset. Without a URL or a
// key it returns an ErrInvalid that names what is missing. What is there is
// checked by [Config.ServiceClient]; until then a URL may hold a password that
// somebody put there, so do not print it before.
func ConfigFromEnv() (Config, error) {
	config := Config{
		URL:     os.Getenv("SUPABASE_URL"),
		RESTURL: os.Getenv("SUPABASE_REST_URL"),
		Schema:  os.Getenv("SUPABASE_SCHEMA"),
	}
	for _, name := range []string{"SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"} {
		if value := os.Getenv(name); value != "" {
			config.Key = Secret(value)
			break
		}
	}
	var missing []string
	if config.URL == "" && config.RESTURL == "" {
		missing = append(missing, "SUPABASE_URL is not set: give the project's URL, https://abc.supabase.co (or SUPABASE_REST_URL for a bare PostgREST)")
	}
	if config.Key == "" {
		missing = append(missing, "the key is not set: give the service-role key in "+keyVariables)
	}
	if missing != nil {
		return Config{}, refused("", "", strings.Join(missing, "; "))
	}
	return config, nil
}

// settings is a Config that was checked and has its defaults.
type settings struct {
	Config
	rest *url.URL // no slash at the end
}

func (c Config) check() (settings, error) {
	rest, problem := c.restURL()
	if problem == "" {
		problem = checkKey(string(c.Key))
	}
	if problem == "" {
		problem = c.checkLimits()
	}
	if problem != "" {
		return settings{}, refused("", "", problem)
	}
	if c.Schema == "" {
		c.Schema = defaultSchema
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxAttempts == 0 {
		c.MaxAttempts = defaultMaxAttempts
	}
	return settings{Config: c, rest: rest}, nil
}

func (c Config) checkLimits() string {
	switch {
	case strings.ContainsFunc(c.Schema, func(r rune) bool { return r < 0x21 || r > 0x7e || r == ',' }):
		return "Schema must be one schema's name, without white space or commas"
	case c.Timeout < 0:
		return "Timeout must not be negative; 0 means " + defaultTimeout.String()
	case c.MaxAttempts < 0:
		return "MaxAttempts must not be negative; 0 means 4, 1 never retries"
	default:
		return ""
	}
}
