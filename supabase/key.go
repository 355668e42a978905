package supabase

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode"
)

const keyVariables = "SUPABASE_SERVICE_KEY, SUPABASE_SERVICE_ROLE_KEY or SUPABASE_SECRET_KEY"

// checkKey returns what is wrong with key, never the key; "" when it may be
// sent. A signature cannot be checked here; a wrong key is the server's 401.
func checkKey(key string) string {
	role, isJWT := roleOf(key)
	switch {
	case key == "":
		return "the key is missing: set " + keyVariables + " (or Config.Key) to the project's service-role key"
	case strings.ContainsFunc(key, unicode.IsSpace):
		return "the key holds white space: give it without spaces or line breaks"
	case strings.ContainsFunc(key, func(r rune) bool { return r < 0x21 || r > 0x7e }):
		return "the key holds characters that no key has: give it as the dashboard shows it"
	case strings.ContainsAny(key, "\"'`<>="):
		return "the key holds quotes, brackets or an equals sign: give its value alone"
	case strings.HasPrefix(key, "sb_publishable_"):
		return "the key is a publishable one, for browsers: give a secret key (sb_secret_…)"
	case isJWT && role == "":
		return "the key is a JWT without a role: give the service_role key"
	case role == "anon", role == "authenticated":
		return "the key is a JWT of role " + role + ": give the service_role key"
	default:
		return ""
	}
}

// roleOf reads the role claim of a JWT, without verifying it.
func roleOf(key string) (role string, isJWT bool) {
	parts := strings.Split(key, ".")
	if len(parts) != 3 {
		return "", false
	}
	var claims struct {
		Role string `json:"role"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return "", true
	}
	return claims.Role, true
}

// bearerOf returns the Authorization of a key: nil for a secret key, which is no JWT,
// and which the gateway refuses as a bearer token
// (https://supabase.com/docs/guides/api/api-keys).
func bearerOf(key string) []string {
	if strings.HasPrefix(key, "sb_secret_") {
		return nil
	}
	return []string{"Bearer " + key}
}
