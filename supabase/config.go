package supabase

import (
	"cmp"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Config says which project a client talks to. Only a URL and a key are required.
type Config struct {
	URL     string // the project's, https://abc.supabase.co
	RESTURL string // for a bare PostgREST. Defaults to URL + "/rest/v1"
	Key     Secret // the service-role key: sb_secret_… or a JWT with that role
	Schema  string // the exposed schema with the tables. Defaults to "public"
	// Timeout limits one attempt, until its body is read, from when it has a
	// connection or begins to dial. Defaults to 10 s.
	Timeout     time.Duration
	MaxAttempts int // of a request, the first included; 1 never retries. Defaults to 4
	// Transport sends the requests. It must honour their contexts, send each once,
	// and not follow redirects, which would give the key to another host. When no
	// answer came its CloseIdleConnections is called, if it has one. In an
	// *http.Transport with MaxConnsPerHost, where requests wait, the dialer should be
	// a net.Dialer: its hooks tell when the attempt's time begins.
	// Defaults to a pool of the whole process, with 64 connections per host.
	Transport http.RoundTripper
}

const (
	defaultTimeout     = 10 * time.Second
	defaultMaxAttempts = 4
	restPath           = "/rest/v1"
)

// ConfigFromEnv reads the environment. An empty variable counts as unset.
//
//	SUPABASE_URL          Config.URL
//	SUPABASE_REST_URL     Config.RESTURL
//	SUPABASE_SERVICE_KEY  Config.Key; or SUPABASE_SERVICE_ROLE_KEY or SUPABASE_SECRET_KEY
//	SUPABASE_SCHEMA       Config.Schema
//
// Without a URL or a key the error is an ErrInvalid that names what is missing. The
// values are checked by [Config.ServiceClient]; a URL may hold a password until then.
func ConfigFromEnv() (Config, error) {
	config := Config{
		URL:     os.Getenv("SUPABASE_URL"),
		RESTURL: os.Getenv("SUPABASE_REST_URL"),
		Key:     Secret(cmp.Or(os.Getenv("SUPABASE_SERVICE_KEY"), os.Getenv("SUPABASE_SERVICE_ROLE_KEY"), os.Getenv("SUPABASE_SECRET_KEY"))),
		Schema:  os.Getenv("SUPABASE_SCHEMA"),
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
	if problem = cmp.Or(problem, checkKey(string(c.Key)), c.checkLimits()); problem != "" {
		return settings{}, refused("", "", problem)
	}
	c.Schema = cmp.Or(c.Schema, "public")
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, defaultMaxAttempts)
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
