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
	// Timeout limits one attempt, from dialling to the last byte of the body.
	// Defaults to 10 s.
	Timeout time.Duration
	// MaxAttempts is how often each request is tried in total, the first try
	// included; 1 never retries. Defaults to 4.
	MaxAttempts int
	// Transport carries the requests below the client's own round trippers. It
	// must honour the context of its requests. After silence its
	// CloseIdleConnections is called, if it has one, so that no further attempt
	// is spent on a connection that died. Defaults to one pool that the whole
	// process shares.
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
	if c.Transport == nil {
		c.Transport = pool
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

// restURL returns where PostgREST is, or what is wrong with the URLs. It checks
// URL even beside RESTURL, since Platform uses it.
func (c Config) restURL() (*url.URL, string) {
	var rest *url.URL
	if c.URL == "" && c.RESTURL == "" {
		return nil, "the URL is missing: set SUPABASE_URL (or Config.URL) to the project's URL, https://abc.supabase.co"
	}
	if c.URL != "" {
		project, problem := parseURL("URL", c.URL)
		if problem != "" {
			return nil, problem
		}
		if project.Path != "" && strings.Contains(project.Path+"/", restPath+"/") {
			return nil, "URL must be the project's, without " + restPath + "; a PostgREST's own goes in RESTURL (SUPABASE_REST_URL)"
		}
		project.Path += restPath
		rest = project
	}
	if c.RESTURL != "" {
		own, problem := parseURL("RESTURL", c.RESTURL)
		if problem != "" {
			return nil, problem
		}
		rest = own
	}
	return rest, ""
}

// parseURL never quotes the URL, which can hold a password.
func parseURL(name, raw string) (*url.URL, string) {
	parsed, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, name + " is not a URL: give it as https://abc.supabase.co"
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return nil, name + " needs the scheme http or https: give it as https://abc.supabase.co"
	case parsed.Hostname() == "":
		return nil, name + " has no host: give it as https://abc.supabase.co"
	case parsed.User != nil:
		return nil, name + " must not hold a user or password: the key goes in Config.Key"
	case parsed.RawQuery != "" || parsed.ForceQuery || strings.Contains(raw, "#"):
		return nil, name + " must not hold a query or a fragment"
	case parsed.Path == "":
		return parsed, ""
	case strings.ContainsFunc(parsed.Path, notInPath) || strings.Contains(parsed.Path, "//") || strings.Contains(parsed.Path+"/", "/../") || strings.Contains(parsed.Path+"/", "/./"):
		return nil, name + " has a path that no server of PostgREST needs: letters, digits, -, _, . and ~ between single slashes"
	}
	parsed.Path = strings.TrimRight(parsed.Path, "/")
	parsed.RawPath = ""
	return parsed, ""
}

func notInPath(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.~/", r)
}
