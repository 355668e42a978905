package supabase_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
)

// verbs are all but %p and %w, with which fmt asks no method.
var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%b", "%o", "%O", "%c", "%U", "%e", "%g", "%T", "% x", "%#x", "%20s", "%-20q"}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	secret := supabase.Secret(secretKey)
	config := supabase.Config{URL: "https://abc.supabase.co", Key: secret}
	client, err := config.ServiceClient()
	require.NoError(t, err)
	require.Equal(t, secretKey, string(secret), "the value stays within reach of who asks for it")

	values := map[string]any{
		"secret": secret, "pointer": &secret, "slice": []supabase.Secret{secret},
		"map value": map[string]supabase.Secret{"key": secret},
		"config":    config, "config pointer": &config, "client": client, "client value": *client, "nested": struct{ C *supabase.Client }{client},
		"any": []any{secret, config, client},
	}
	for name, value := range values {
		for _, verb := range verbs {
			requireNoKey(t, fmt.Sprintf(verb, value), name+" under "+verb)
		}
		var out bytes.Buffer
		text := slog.New(slog.NewTextHandler(&out, nil))
		text.Info("event", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("event", "value", value)
		logger := zerolog.New(&out)
		logger.Info().Interface("value", value).Msg("event")
		logger.Info().Any("value", value).Msg("event")
		if data, err := json.Marshal(value); err == nil {
			out.Write(data)
		}
		requireNoKey(t, out.String(), name+" in logs and JSON")
	}

	require.Equal(t, "REDACTED", fmt.Sprint(secret))
	require.Equal(t, "REDACTED", secret.String())
	require.Equal(t, "REDACTED", secret.GoString())
	data, err := json.Marshal(config)
	require.NoError(t, err)
	require.Contains(t, string(data), `"Key":"REDACTED"`)
	type document struct {
		Key supabase.Secret `xml:"key"`
	}
	data, err = xml.Marshal(document{secret})
	require.NoError(t, err)
	require.Contains(t, string(data), "REDACTED")

	var back supabase.Secret
	require.NoError(t, json.Unmarshal([]byte(`"abc"`), &back), "configuration files can be read")
	require.Equal(t, "abc", string(back))
}

// requireNoKey looks for the key, and for the key in hexadecimal.
func requireNoKey(t *testing.T, text, where string) {
	t.Helper()
	for _, form := range []string{secretKey, secretKey[10:], fmt.Sprintf("%x", secretKey), fmt.Sprintf("%X", secretKey), fmt.Sprintf("% x", secretKey)} {
		require.NotContains(t, text, form, where)
	}
}
