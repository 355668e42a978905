package supabase_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/supabase"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secretKey is what no output may hold.
const secretKey = "sb_secret_0123456789abcdefghij"

// serve starts a server that answers with handler, counting requests.
func serve(t *testing.T, handler http.HandlerFunc) (url string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

// answer writes one answer with a body.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// open returns a client of url that never retries, unless change says so.
func open(t *testing.T, url string, change ...func(*supabase.Config)) *supabase.Client {
	t.Helper()
	config := supabase.Config{URL: url, Key: secretKey, MaxAttempts: 1}
	for _, c := range change {
		c(&config)
	}
	client, err := config.ServiceClient()
	require.NoError(t, err)
	return client
}

// read sends one GET and returns its body and its error's *Error.
func read(t *testing.T, client *supabase.Client) (string, *supabase.Error) {
	t.Helper()
	body, _, err := client.From("checks").Select("*", "", false).ExecuteWithContext(t.Context())
	if err == nil {
		return string(body), nil
	}
	var e *supabase.Error
	require.ErrorAs(t, err, &e)
	return "", e
}

// roundTripper stands in for the network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }
