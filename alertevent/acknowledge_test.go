package alertevent_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// Whatever becomes of the first attempt, whatever the next is told and however far
// the alert has come: nil means that it stands where it should, an error that it
// does not, unless it says that it is uncertain.
func TestWhatMovingAnswersIsTrue(t *testing.T) {
	t.Parallel()
	calls := map[string]struct {
		move    func(alertevent.AlertEventModel) func(context.Context, string) (*alertevent.AlertEvent, error)
		movable []alertevent.Status
	}{
		"Acknowledge": {
			func(m alertevent.AlertEventModel) func(context.Context, string) (*alertevent.AlertEvent, error) {
				return m.Acknowledge
			},
			[]alertevent.Status{alertevent.StatusActive},
		},
		"Resolve": {
			func(m alertevent.AlertEventModel) func(context.Context, string) (*alertevent.AlertEvent, error) {
				return m.Resolve
			},
			[]alertevent.Status{alertevent.StatusActive, alertevent.StatusAcknowledged},
		},
	}
	for call, c := range calls {
		for _, runs := range []bool{true, false} {
			for _, certain := range []bool{true, false} {
				for _, later := range []int{0, 401, 403, 404, 413, 500, 502, 200} {
					for _, before := range []alertevent.Status{alertevent.StatusActive, alertevent.StatusAcknowledged, alertevent.StatusResolved, "none"} {
						for _, looks := range []bool{true, false} {
							if runs && certain {
								continue
							}
							t.Run(fmt.Sprintf("%s/runs: %v, certain: %v, then %d, the alert %s, looking succeeds: %v", call, runs, certain, later, before, looks), func(t *testing.T) {
								server := supabasetest.NewServer()
								defer server.Close()
								if before != "none" {
									store(t, server, map[string]any{"id": id, "service_name": "api", "alert_type": "service_down", "status": before})
								}
								config := server.Config()
								config.MaxAttempts = 2
								patches := 0
								config.Transport = inProcess(server, func(w http.ResponseWriter, r *http.Request) bool {
									if r.Method == http.MethodPatch {
										patches++
									}
									switch {
									case r.Method == http.MethodGet:
										if !looks {
											w.WriteHeader(http.StatusForbidden)
										}
										return !looks
									case patches == 1 && certain:
										w.WriteHeader(http.StatusTooManyRequests)
									case patches == 1:
										if runs {
											server.ServeHTTP(httptest.NewRecorder(), r)
										}
									case later != 0:
										w.WriteHeader(later)
									default:
										return false
									}
									return true
								})
								model := alertevent.AlertEventModel{Connect: config.ServiceClient}
								var alert *alertevent.AlertEvent
								var err error
								synctest.Test(t, func(*testing.T) { alert, err = c.move(model)(context.Background(), id) })

								movable := before == alertevent.StatusActive || before == c.movable[len(c.movable)-1]
								moved := movable && runs
								unclear := !certain || later == 500 || later == 502 || later == 200
								switch {
								case later == 0 && movable && !runs: // the second attempt moves it
									require.NoError(t, err)
								case later == 0 && !looks:
									require.Equal(t, !certain, isUncertain(t, err), err)
									require.ErrorIs(t, err, supabase.ErrPermission)
								case later == 0 && before == "none":
									require.ErrorIs(t, err, supabase.ErrNotFound)
									require.False(t, isUncertain(t, err))
								case later == 0:
									require.NoError(t, err)
								case unclear && !looks:
									require.True(t, isUncertain(t, err), err)
									require.Equal(t, later, asError(t, err).Status)
								case unclear && before != "none" && (moved || !movable):
									require.NoError(t, err)
								default:
									// What does not stand yet may still be on its way.
									require.Equal(t, later == 500 || later == 502 || later == 200, isUncertain(t, err), err)
									require.Equal(t, later, asError(t, err).Status)
								}
								require.Equal(t, err == nil, alert != nil)
								if alert != nil {
									require.NotContains(t, c.movable, alert.Status)
								}
							})
						}
					}
				}
			}
		}
	}
}

func TestMovingWithoutAnswerIsUncertain(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	created, err := model.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done()
		return true
	})
	_, err = model.Acknowledge(ctx, created.ID)
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, isUncertain(t, err))
	_, err = model.Acknowledge(ctx, created.ID)
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, isUncertain(t, err), "nothing was sent")
}

func TestAnUnknownAlertIsSaidToBe(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	_, err := model.Acknowledge(t.Context(), id)
	require.ErrorIs(t, err, supabase.ErrNotFound)
	require.ErrorContains(t, err, "there is no alert with that id")
	require.NotContains(t, err.Error(), "coerce")
	_, err = model.Resolve(t.Context(), id)
	require.ErrorIs(t, err, supabase.ErrNotFound)
	require.ErrorContains(t, err, "there is no alert with that id")
}
