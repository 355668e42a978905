package supabasetest

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// uuidKind is UUID, its lower-case text here, which orders like its bytes.
type uuidKind struct{}

// parse reads 32 hexadecimal digits, with a hyphen allowed behind every four,
// in braces or not.
func (uuidKind) parse(text string) (value, error) {
	refused := invalidInput("22P02", "uuid", text)
	rest, braces := strings.CutPrefix(text, "{")
	var id [16]byte
	for i := range id {
		if len(rest) < 2 {
			return nil, refused
		}
		if _, err := hex.Decode(id[i:i+1], []byte(rest[:2])); err != nil {
			return nil, refused
		}
		rest = rest[2:]
		if i%2 == 1 && i < len(id)-1 {
			rest = strings.TrimPrefix(rest, "-")
		}
	}
	if braces {
		if rest == "" || rest[0] != '}' {
			return nil, refused
		}
		rest = rest[1:]
	}
	if rest != "" {
		return nil, refused
	}
	return printUUID(id), nil
}

func (uuidKind) output(v value) string { return v.(string) }

func (uuidKind) appendJSON(data []byte, v value) []byte { return appendJSONString(data, v.(string)) }

func (uuidKind) compare(a, b value) int { return strings.Compare(a.(string), b.(string)) }

// randomUUID is gen_random_uuid: version 4.
func randomUUID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return printUUID(id)
}

func printUUID(id [16]byte) string {
	text := hex.EncodeToString(id[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}
