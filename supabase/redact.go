package supabase

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
)

// shortestPiece is how many bytes of a key in a row are hidden. It is more than
// the prefix sb_secret_, which everybody knows.
const shortestPiece = 12

// redactor returns what hides a key, and every piece of it, in a server's words,
// be it plain, in base64 or escaped as in URLs and JSON. The header of a JWT by
// itself is no secret: others have the same.
func redactor(key string) func(string) string {
	secret := key
	if header, rest, ok := strings.Cut(key, "."); ok && strings.HasPrefix(header, "eyJ") {
		secret = key[len(header)+1-min(shortestPiece-1, len(header)):]
		if len(rest) == 0 {
			secret = key
		}
	}
	return func(text string) string {
		plain := piecesOf(min(shortestPiece, len(key)), secret)
		encoded := pieces{}
		if len(key) >= shortestPiece {
			encoded = piecesOf(base64.RawStdEncoding.EncodedLen(shortestPiece),
				base64.RawStdEncoding.EncodeToString([]byte(secret)),
				base64.RawStdEncoding.EncodeToString([]byte(secret[1:])),
				base64.RawStdEncoding.EncodeToString([]byte(secret[2:])))
		}
		hide := func(text string) string { return encoded.hide(plain.hide(text)) }
		if readable := unescape(text); readable != text && hide(readable) != readable {
			return hide(readable)
		}
		return hide(text)
	}
}

// pieces are all runs of a length in some texts.
type pieces struct {
	length int
	runs   map[string]bool
}

func piecesOf(length int, texts ...string) pieces {
	p := pieces{length: length, runs: map[string]bool{}}
	for _, text := range texts {
		for i := 0; i+length <= len(text); i++ {
			p.runs[text[i:i+length]] = true
		}
	}
	return p
}

func (p pieces) hide(text string) string {
	var shown strings.Builder
	from := 0
	for i := 0; len(p.runs) > 0 && i+p.length <= len(text); i++ {
		if !p.runs[text[i:i+p.length]] {
			continue
		}
		end := i + p.length
		for end < len(text) && p.runs[text[end+1-p.length:end+1]] {
			end++
		}
		shown.WriteString(text[from:i] + redacted)
		from, i = end, end-1
	}
	return shown.String() + text[from:]
}

var escape = regexp.MustCompile(`(?:%|\\u00|\\x)[0-9A-Fa-f]{2}`)

func unescape(text string) string {
	return escape.ReplaceAllStringFunc(text, func(found string) string {
		value, err := strconv.ParseUint(found[len(found)-2:], 16, 8)
		if err != nil { // two hexadecimal digits
			return found
		}
		return string([]byte{byte(value)})
	})
}
