package healthcheck_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/internal/modeltest"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start returns a double and a model on it.
func start(t *testing.T) (*supabasetest.Server, healthcheck.HealthCheckModel) {
	t.Helper()
	server := modeltest.Start(t)
	return server, healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}
}

func store(t *testing.T, server *supabasetest.Server, rows ...map[string]any) {
	t.Helper()
	modeltest.Store(t, server, "service_health_checks", rows...)
}

var (
	loseAnswer     = modeltest.LoseAnswer
	answerNext     = modeltest.AnswerNext
	logged         = modeltest.Logged
	requireInvalid = modeltest.RequireInvalid
	inProcess      = modeltest.InProcess
	asError        = modeltest.AsError
	isUncertain    = modeltest.IsUncertain
)

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
