package supabase

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// atOnce is a transport that answers every request with the same, without a
// network: what is left is what the client spends.
type atOnce struct {
	status int
	header http.Header
	body   []byte
}

func (a atOnce) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		_, _ = io.Copy(io.Discard, request.Body)
		_ = request.Body.Close()
	}
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: request,
		Header: a.header, ContentLength: int64(len(a.body)), Body: io.NopCloser(bytes.NewReader(a.body)),
	}, nil
}

func benchConfig(answer atOnce) Config {
	claims, _ := json.Marshal(map[string]any{"role": "service_role", "iss": "supabase", "ref": "abc", "iat": 1700000000, "exp": 2000000000})
	encode := base64.RawURLEncoding.EncodeToString
	return Config{
		URL: "https://abc.supabase.co", Transport: answer,
		Key: Secret(encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(claims) + "." + encode(bytes.Repeat([]byte{1}, 32))),
	}
}

var oneRow = atOnce{
	status: http.StatusCreated, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Content-Range": {"*/*"}},
	body: []byte(`{"id":"0198c0de-0000-7000-8000-00000000000a","service_name":"api"}`),
}

func BenchmarkServiceClient(b *testing.B) {
	for name, change := range map[string]func(*Config){
		"key=jwt":    func(*Config) {},
		"key=secret": func(c *Config) { c.Key = "sb_secret_0123456789abcdefghijklmnopqrstuv" },
	} {
		b.Run(name, func(b *testing.B) {
			config := benchConfig(oneRow)
			change(&config)
			b.ReportAllocs()
			for b.Loop() {
				client, err := config.ServiceClient()
				require.NoError(b, err)
				require.NotNil(b, client)
			}
		})
	}
	b.Run("environment", func(b *testing.B) {
		config := benchConfig(oneRow)
		b.Setenv("SUPABASE_URL", config.URL)
		b.Setenv("SUPABASE_SERVICE_KEY", string(config.Key))
		b.ReportAllocs()
		for b.Loop() {
			_, err := ServiceClient()
			require.NoError(b, err)
		}
	})
}

func BenchmarkBuildQuery(b *testing.B) {
	client, err := benchConfig(oneRow).ServiceClient()
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		query := client.From("service_health_checks").Select("*", "", false).
			Eq("service_name", "api").And("checked_at.not.is.null", "").Order("checked_at", nil).Limit(1, "").Single()
		if query == nil {
			b.Fatal("no query")
		}
	}
}

// The chain of round trippers alone, below postgrest-go.
func BenchmarkRoundTrip(b *testing.B) {
	client, err := benchConfig(oneRow).ServiceClient()
	require.NoError(b, err)
	chain := client.rest.Transport.Parent
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	body := []byte(`{"service_name":"api","status":"healthy"}`)
	b.ReportAllocs()
	for b.Loop() {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://abc.supabase.co/rest/v1/service_health_checks", bytes.NewReader(body))
		require.NoError(b, err)
		request.Header.Set("Accept", "application/json")
		response, err := chain.RoundTrip(request)
		require.NoError(b, err)
		_ = response.Body.Close()
	}
}

func BenchmarkExecute(b *testing.B) {
	client, err := benchConfig(oneRow).ServiceClient()
	require.NoError(b, err)
	row := map[string]string{"service_name": "api", "status": "healthy"}
	b.ReportAllocs()
	for b.Loop() {
		body, _, err := client.From("service_health_checks").Insert(row, false, "", "representation", "").Single().ExecuteWithContext(b.Context())
		require.NoError(b, err)
		require.Len(b, body, len(oneRow.body))
	}
}

func BenchmarkError(b *testing.B) {
	client, err := benchConfig(atOnce{
		status: http.StatusConflict, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		body: []byte(`{"code":"23505","details":"Key (id)=(0198c0de-0000-7000-8000-00000000000a) already exists.","hint":null,"message":"duplicate key value violates unique constraint \"service_health_checks_pkey\""}`),
	}).ServiceClient()
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_, _, err := client.From("service_health_checks").Insert(map[string]string{}, false, "", "", "").ExecuteWithContext(b.Context())
		if !errors.Is(err, ErrConflict) {
			b.Fatal(err)
		}
	}
}
