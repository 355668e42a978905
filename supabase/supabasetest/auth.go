package supabasetest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/supavigil/supavigil/supabase"
)

const roleService = "service_role"

// signer signs and checks JWTs with HS256 and a secret of its own.
type signer struct{ secret []byte }

// claims are those that PostgREST looks at here. Expires is absent when zero.
type claims struct {
	Role    string `json:"role,omitempty"`
	Issued  int64  `json:"iat,omitempty"`
	Expires int64  `json:"exp,omitempty"`
}

func newSigner() signer {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails: https://pkg.go.dev/crypto/rand#Read
	return signer{secret: secret}
}

func (s signer) serviceKey() supabase.Secret {
	return supabase.Secret(s.sign(claims{Role: roleService, Issued: time.Now().Unix()}))
}

func (s signer) sign(c claims) string {
	payload, _ := json.Marshal(c) //nolint:errchkjson // strings and integers marshal
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) +
		"." + base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(s.mac(signed))
}

func (s signer) mac(signed string) []byte {
	mac := hmac.New(sha256.New, s.secret)
	_, _ = mac.Write([]byte(signed))
	return mac.Sum(nil)
}

// anonymous says whose a request is: nobody's, or the service role's. The error
// is that of a token that does not hold.
func (s signer) anonymous(header http.Header) (bool, error) {
	token, err := token(header)
	if err != nil || token == "" {
		return true, err
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false, badToken("PGRST301", fmt.Sprintf("Expected 3 parts in JWT; got %d", len(parts)))
	}
	var kind struct {
		Algorithm string `json:"alg"`
	}
	var c claims
	mac, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || decodePart(parts[0], &kind) != nil || decodePart(parts[1], &c) != nil {
		return false, unsupported("a token with three parts that is no JWT")
	}
	if kind.Algorithm != "HS256" || !hmac.Equal(mac, s.mac(parts[0]+"."+parts[1])) {
		return false, badToken("PGRST301", "No suitable key or wrong key type").
			withDetails("None of the keys was able to decode the JWT")
	}
	// PostgREST lets clocks differ by 30 s.
	if c.Expires != 0 && time.Now().Unix()-30 > c.Expires {
		return false, badToken("PGRST303", "JWT expired")
	}
	if c.Role != roleService {
		return false, unsupported("the role %q", c.Role)
	}
	return false, nil
}

// token returns the JWT of a request, "" without one. On Supabase the gateway
// makes an Authorization header of an apikey that comes alone.
func token(header http.Header) (string, error) {
	authorization := header.Get("Authorization")
	if authorization == "" {
		return header.Get("Apikey"), nil
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", unsupported("an Authorization header other than Bearer with a token")
	}
	return token, nil
}

func decodePart(part string, into any) error {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func badToken(code, message string) *failure {
	return &failure{
		status:    http.StatusUnauthorized,
		code:      code,
		message:   message,
		challenge: fmt.Sprintf(`Bearer error="invalid_token", error_description="%s"`, message),
	}
}
