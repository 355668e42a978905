package supabase

import (
	"net/url"
	"strings"
	"unicode"
)

// restURL returns where PostgREST is, or what is wrong with the URLs. It checks
// URL even if RESTURL is set, since Platform uses it.
func (c Config) restURL() (rest *url.URL, problem string) {
	if c.URL == "" && c.RESTURL == "" {
		return nil, "the URL is missing: set SUPABASE_URL (or Config.URL) to the project's URL, https://abc.supabase.co"
	}
	if c.URL != "" {
		if rest, problem = parseURL("URL", c.URL); problem != "" {
			return nil, problem
		}
		for _, service := range []string{restPath, "/auth/v1", "/storage/v1", "/functions/v1", "/graphql/v1", "/realtime/v1"} {
			if strings.Contains(rest.Path+"/", service+"/") {
				return nil, "URL must be the project's, without " + service + "; a PostgREST's own goes in RESTURL (SUPABASE_REST_URL)"
			}
		}
		if isProject(rest.Hostname()) && rest.Path != "" {
			return nil, "URL has a path: give the project's alone, https://abc.supabase.co"
		}
		rest.Path += restPath
	}
	if c.RESTURL != "" {
		rest, problem = parseURL("RESTURL", c.RESTURL)
		if problem == "" && isProject(rest.Hostname()) && rest.Path == "" {
			problem = "RESTURL is for a bare PostgREST: a project's URL goes in URL (SUPABASE_URL)"
		}
	}
	return rest, problem
}

// parseURL never quotes the URL, which can hold a password.
func parseURL(name, raw string) (*url.URL, string) {
	if problem := checkShape(raw); problem != "" {
		return nil, name + " " + problem
	}
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
	}
	if problem := checkHost(parsed); problem != "" {
		return nil, name + " " + problem
	}
	if strings.ContainsFunc(parsed.Path, notInPath) || strings.Contains(parsed.Path, "//") || strings.Contains(parsed.Path+"/", "/../") || strings.Contains(parsed.Path+"/", "/./") {
		return nil, name + " has a path that no server of PostgREST needs: letters, digits, -, _, . and ~ between single slashes"
	}
	parsed.Path = strings.TrimRight(parsed.Path, "/")
	parsed.RawPath = ""
	return parsed, ""
}

func notInPath(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.~/", r)
}

// notInHost leaves what other writings have to the resolver.
func notInHost(r rune) bool {
	return (r < 0x80 || !unicode.In(r, unicode.L, unicode.M, unicode.N)) && (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.:%", r)
}

// checkShape returns what was copied along with a URL, or instead of one.
func checkShape(raw string) string {
	const ends = " \t\r\n\"'`<>“”‘’"
	switch bare := strings.Trim(raw, ends); {
	case bare != raw && strings.TrimSpace(raw) != raw:
		return "has white space around it: give it without spaces and line breaks"
	case bare != raw:
		return "is in quotes or brackets: give it without them"
	case strings.ContainsFunc(raw, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "holds white space: give one URL, as https://abc.supabase.co"
	case strings.HasPrefix(raw, "postgres://"), strings.HasPrefix(raw, "postgresql://"):
		return "is the database's: give the project's, https://abc.supabase.co"
	default:
		return ""
	}
}

// checkHost returns what is wrong with a host of Supabase that serves no project's
// API (https://supabase.com/docs/guides/api, /guides/database/connecting-to-postgres).
func checkHost(parsed *url.URL) string {
	const give = ": give the project's, https://abc.supabase.co"
	host := strings.ToLower(strings.TrimSuffix(parsed.Hostname(), "."))
	port := parsed.Port()
	project := isProject(host)
	switch {
	case strings.ContainsFunc(host, notInHost):
		return "has a host with characters that no host has" + give
	case strings.HasSuffix(host, ".pooler.supabase.com"), project && strings.HasPrefix(host, "db."), project && (port == "5432" || port == "6543"):
		return "is the database's" + give
	case host == "supabase.com", strings.HasSuffix(host, ".supabase.com"):
		return "is the dashboard's" + give + ", where abc is what its address has after /project/"
	case host == "supabase.co", project && strings.Count(host, ".") > 2:
		return "is not a project's" + give
	case project && parsed.Scheme == "http":
		return "needs https: http would show the key to the network"
	default:
		return ""
	}
}

func isProject(host string) bool { return strings.HasSuffix(strings.ToLower(host), ".supabase.co") }
