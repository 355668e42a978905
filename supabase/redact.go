package supabase

import (
	"encoding/base64"
	"regexp"
	"slices"
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
	if header, rest, _ := strings.Cut(key, "."); rest != "" && strings.HasPrefix(header, "eyJ") {
		secret = key[len(header)+1-min(shortestPiece-1, len(header)):]
	}
	return func(text string) string {
		plain := piecesOf(min(shortestPiece, len(key)), secret)
		encoded := piecesOf(1)
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
	texts  []string
	known  [256]bool // the bytes in them
}

func piecesOf(length int, texts ...string) *pieces {
	p := &pieces{length: length, texts: texts}
	for _, text := range texts {
		for i := range len(text) {
			p.known[text[i]] = true
		}
	}
	return p
}

func (p *pieces) hide(text string) string {
	var shown strings.Builder
	from, known := 0, 0 // bytes up to here that are shown or hidden; known ones in a row
	for i := 0; i < len(text); i++ {
		if known++; !p.known[text[i]] {
			known = 0
		}
		start := i + 1 - p.length
		if known < p.length || !p.has(text[start:i+1]) {
			continue
		}
		for i+1 < len(text) && p.has(text[i+2-p.length:i+2]) {
			i++
		}
		shown.WriteString(text[from:start] + redacted)
		from, known = i+1, 0
	}
	return shown.String() + text[from:]
}

func (p *pieces) has(piece string) bool {
	return slices.ContainsFunc(p.texts, func(text string) bool { return strings.Contains(text, piece) })
}

var escape = regexp.MustCompile(`(?:%|\\u00|\\x)[0-9A-Fa-f]{2}`)

func unescape(text string) string {
	if !strings.ContainsAny(text, `%\`) {
		return text
	}
	return escape.ReplaceAllStringFunc(text, func(found string) string {
		value, _ := strconv.ParseUint(found[len(found)-2:], 16, 8) // two hexadecimal digits
		return string([]byte{byte(value)})
	})
}
