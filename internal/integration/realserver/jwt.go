package realserver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// signJWT returns a token of a role, signed with HS256 and good for a day from
// a time on.
func signJWT(secret, role string, from time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	payload := fmt.Sprintf(`{"iss":"supabase","role":%q,"aud":"authenticated","sub":"00000000-0000-4000-8000-000000000001","iat":%d,"exp":%d}`,
		role, from.Unix(), from.Add(24*time.Hour).Unix())
	return sign(secret, encode([]byte(`{"alg":"HS256","typ":"JWT"}`))+"."+encode([]byte(payload)))
}

// sign adds the signature to a token's header and payload.
func sign(secret, token string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return token + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
