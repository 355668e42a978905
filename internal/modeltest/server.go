package modeltest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// Start returns a double that ends with the test.
func Start(t *testing.T) *supabasetest.Server {
	t.Helper()
	server := supabasetest.NewServer()
	t.Cleanup(server.Close)
	return server
}

// Store puts rows in a table past the model: created_at is not its to set.
func Store(t *testing.T, server *supabasetest.Server, table string, rows ...map[string]any) {
	t.Helper()
	client, err := server.Config().ServiceClient()
	require.NoError(t, err)
	_, _, err = client.From(table).Insert(rows, false, "", "minimal", "").ExecuteWithContext(t.Context())
	require.NoError(t, err)
}

// LoseAnswer carries the next request out and drops the connection.
func LoseAnswer(server *supabasetest.Server) {
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		server.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
}

// AnswerNext answers the next request with bytes of its own.
func AnswerNext(server *supabasetest.Server, status int, header map[string]string, body string) {
	server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	})
}

// RoundTripper is a function that is a transport.
type RoundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// InProcess is a transport to a double, below which handle sees requests first, as
// with Intercept; but each of them, and nothing leaves the bubble of a test. A handle
// that writes nothing breaks the connection off.
func InProcess(server *supabasetest.Server, handle func(http.ResponseWriter, *http.Request) bool) RoundTripper {
	return func(request *http.Request) (*http.Response, error) {
		r := httptest.NewRequestWithContext(request.Context(), request.Method, request.URL.String(), request.Body)
		r.Header = request.Header
		w := httptest.NewRecorder()
		w.Code = 0
		if !handle(w, r) {
			server.ServeHTTP(w, r)
		}
		if w.Code == 0 {
			return nil, errors.New("connection reset by peer")
		}
		return w.Result(), nil
	}
}
