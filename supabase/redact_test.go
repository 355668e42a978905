package supabase

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func keysToHide() map[string]string {
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]string{
		"secret": "sb_secret_0123456789abcdefghij",
		"JWT": encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(`{"iss":"supabase","role":"service_role"}`)) +
			"." + encode([]byte("\x01\xf3\x92signature of 32 bytes, more\x00\xff")),
	}
}

// TestPiecesOfTheKeyAreHidden tries every long piece of a key, as servers may echo it.
func TestPiecesOfTheKeyAreHidden(t *testing.T) {
	t.Parallel()
	forms := map[string]func(string) string{
		"plain":         func(s string) string { return s },
		"in base64":     func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"in a header":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte("Bearer " + s + "\r\n")) },
		"in a dump":     func(s string) string { return base64.URLEncoding.EncodeToString([]byte("apikey: " + s)) },
		"in a query":    func(s string) string { return "https://host/?apikey=" + url.QueryEscape(s) + "&select=*" },
		"as %XX":        func(s string) string { return escaped(s, "%%%02X") },
		"as JSON":       func(s string) string { return escaped(s, `\u%04x`) },
		"between words": func(s string) string { return "bad key " + s + ", says the gateway" },
	}
	for kind, key := range keysToHide() {
		hide := redactor(key)
		start := strings.LastIndexByte(key, '.') + 1 // of what nobody else knows
		for name, form := range forms {
			for from := start; from < len(key); from++ {
				for to := from + 20; to <= len(key); to++ {
					shown := hide(form(key[from:to]))
					require.NotContains(t, shown, form(key[from:to]), "%s %s", kind, name)
					require.Contains(t, shown, redacted, "%s %s", kind, name)
				}
			}
		}
		for _, piece := range []string{key[:len(key)-1], key[1:], key[:len(key)/2], key[len(key)/2:], key[len(key)-shortestPiece:]} {
			require.NotContains(t, hide("x"+piece+"y"), piece)
		}
		require.Equal(t, redacted+" and "+redacted, hide(key[start:]+" and "+key[start:start+15]))
	}
}

func escaped(text, format string) string {
	var out strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&out, format, text[i])
	}
	return out.String()
}

func TestWhatIsNoSecretIsShown(t *testing.T) {
	t.Parallel()
	for _, key := range keysToHide() {
		hide := redactor(key)
		header, _, _ := strings.Cut(keysToHide()["JWT"], ".")
		for _, text := range []string{
			"", "x", "give a secret key (sb_secret_…)", header + ".", header[:20], `duplicate key value violates "100%25"`,
			"0198c0de-0000-7000-8000-00000000000a", strings.Repeat("service_health_checks ", 20),
		} {
			require.Equal(t, text, hide(text))
		}
	}
	require.Equal(t, "a "+redacted, redactor("shortkey")("a shortkey"), "a short key as a whole")
	require.Equal(t, "a shortke", redactor("shortkey")("a shortke"))
}

func FuzzRedact(f *testing.F) {
	key := keysToHide()["JWT"]
	hide := redactor(key)
	f.Add("bad ", 3, 40, " key")
	f.Fuzz(func(t *testing.T, before string, from, to int, after string) {
		if from < 0 || to > len(key) || to-from < shortestPiece || from < strings.IndexByte(key, '.') {
			return
		}
		require.NotContains(t, hide(before+key[from:to]+after), key[from:to])
		quoted, err := json.Marshal(before + key[from:to] + after)
		require.NoError(t, err)
		require.NotContains(t, hide(string(quoted)), key[from:to])
	})
}
