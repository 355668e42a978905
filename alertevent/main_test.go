package alertevent_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/internal/modeltest"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start returns a double and a model on it.
func start(t *testing.T) (*supabasetest.Server, alertevent.AlertEventModel) {
	t.Helper()
	server := modeltest.Start(t)
	return server, alertevent.AlertEventModel{Connect: server.Config().ServiceClient}
}

func store(t *testing.T, server *supabasetest.Server, rows ...map[string]any) {
	t.Helper()
	modeltest.Store(t, server, "alert_events", rows...)
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
