package healthcheck_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start returns a double and a model on it.
func start(t *testing.T) (*supabasetest.Server, healthcheck.HealthCheckModel) {
	t.Helper()
	server := supabasetest.NewServer()
	t.Cleanup(server.Close)
	return server, healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
}

// store puts rows in the table past the model: created_at is not its to set.
func store(t *testing.T, server *supabasetest.Server, rows ...map[string]any) {
	t.Helper()
	client, err := server.Config().ServiceClient()
	require.NoError(t, err)
	_, _, err = client.From("service_health_checks").Insert(rows, false, "", "minimal", "").ExecuteWithContext(t.Context())
	require.NoError(t, err)
}

// loseAnswer carries the next request out and drops the connection.
func loseAnswer(server *supabasetest.Server) {
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		server.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
}

// answerNext answers the next request with bytes of its own.
func answerNext(server *supabasetest.Server, status int, header map[string]string, body string) {
	server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	})
}

// logged runs an operation and returns its log events.
func logged(t *testing.T, level zerolog.Level, run func(ctx context.Context)) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	logger := zerolog.New(&out).Level(level)
	run(logger.WithContext(t.Context()))
	var events []map[string]any
	for line := range bytes.Lines(out.Bytes()) {
		var event map[string]any
		require.NoError(t, json.Unmarshal(line, &event))
		events = append(events, event)
	}
	return events
}

func requireInvalid(t *testing.T, server *supabasetest.Server, err error, message string) {
	t.Helper()
	require.ErrorIs(t, err, supabase.ErrInvalid)
	var e *supabase.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, message, e.Message)
	require.Zero(t, e.Attempts)
	require.Empty(t, server.Requests(), "nothing was sent")
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

var long = strings.Repeat("é", 101)

func newRecorder() http.ResponseWriter { return httptest.NewRecorder() }

type nopCloser struct{ io.Reader }

func (nopCloser) Close() error { return nil }

// canned answers every request alike, whatever it says.
type canned struct{}

func (canned) RoundTrip(request *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	answer.Header().Set("Content-Range", "*/5")
	if request.Method == http.MethodGet {
		_, _ = answer.WriteString(`[{"id":"` + id + `","created_at":"2020-01-02T03:04:05+00:00"}]`)
	}
	return answer.Result(), nil
}
