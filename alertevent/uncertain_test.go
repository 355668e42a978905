package alertevent_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
)

// A refusal after an answer was lost says nothing of the attempt before. The same call
// once more does.
func TestTransitionRefusedAfterALostAnswer(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	alert, _, err := model.Raise(t.Context(), alertevent.RaiseData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.NoError(t, err)
	_, _, err = model.Transition(t.Context(), alertevent.TransitionData{ID: alert.ID, To: alertevent.StatusResolved})
	require.NoError(t, err)

	data := alertevent.TransitionData{ID: alert.ID, To: alertevent.StatusAcknowledged, RequestID: "0190c0de-0000-7000-8000-00000000000b"}
	loseAnswer(server)
	for _, uncertain := range []bool{true, false} {
		_, _, err = model.Transition(t.Context(), data)
		require.ErrorIs(t, err, supabase.ErrConflict)
		require.Equal(t, uncertain, isUncertain(t, err))
	}
	history, err := model.History(t.Context(), alert.ID)
	require.NoError(t, err)
	require.Len(t, history, 2)
}

// @supabase/lite counts by a statement of its own, so that its count can be that of a
// later moment: the list goes on until it has come to its end.
func TestFindOpenWhereTheCountIsOfAnotherMoment(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	alert, _, err := model.Raise(t.Context(), alertevent.RaiseData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.NoError(t, err)
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
		w.Header().Set("Content-Range", strings.Replace(answer.Header().Get("Content-Range"), "/1", "/2", 1))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		return true
	})
	before := len(server.Requests())
	open, err := model.FindOpen(t.Context(), "api")
	require.NoError(t, err)
	require.Equal(t, []alertevent.AlertEvent{*alert}, open)
	require.Greater(t, len(server.Requests()), before+1)
}
