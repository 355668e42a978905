package healthcheck_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// firstFaults are what can become of a first attempt.
var firstFaults = map[string]struct {
	runs    bool                      // it is carried out
	certain bool                      // it is known not to have been
	answer  func(http.ResponseWriter) // nil: the connection breaks off
}{
	"stored, no answer":          {runs: true, answer: breaksOff},
	"not stored, no answer":      {answer: breaksOff},
	"stored, 502":                {runs: true, answer: says(http.StatusBadGateway, "<html>")},
	"not stored, 502":            {answer: says(http.StatusBadGateway, "<html>")},
	"stored, PGRST001":           {runs: true, answer: says(http.StatusServiceUnavailable, `{"code":"PGRST001","message":"gone"}`)},
	"not stored, 408":            {answer: says(http.StatusRequestTimeout, "")},
	"no schema cache":            {certain: true, answer: says(http.StatusServiceUnavailable, `{"code":"PGRST002","message":"no schema cache"}`)},
	"rolled back, 40001":         {certain: true, answer: says(http.StatusInternalServerError, `{"code":"40001","message":"could not serialize"}`)},
	"too many requests":          {certain: true, answer: says(http.StatusTooManyRequests, "")},
	"token issued in the future": {certain: true, answer: says(http.StatusUnauthorized, `{"code":"PGRST303","message":"JWT issued at future"}`)},
}

// laterAnswers are what the next attempts can be told; nil: what the double says.
var laterAnswers = map[string]struct {
	answer  func(http.ResponseWriter)
	class   error // nil: none
	status  int
	unclear bool // it may have been carried out, for all that it says
}{
	"as usual":            {},
	"401":                 {says(http.StatusUnauthorized, `{"message":"Invalid API key"}`), supabase.ErrPermission, 401, false},
	"403":                 {says(http.StatusForbidden, `{"code":"42501","message":"permission denied"}`), supabase.ErrPermission, 403, false},
	"404":                 {says(http.StatusNotFound, `{"code":"PGRST205","message":"Could not find the table"}`), nil, 404, false},
	"413":                 {says(http.StatusRequestEntityTooLarge, "<html>"), nil, 413, false},
	"raised by a trigger": {says(http.StatusBadRequest, `{"code":"P0001","message":"maintenance"}`), nil, 400, false},
	"not null":            {says(http.StatusBadRequest, `{"code":"23502","message":"null value in column \"region\""}`), nil, 400, false},
	"statement timeout":   {says(http.StatusInternalServerError, `{"code":"57014","message":"statement timeout"}`), supabase.ErrUnavailable, 500, false},
	"a gateway's 500":     {says(http.StatusInternalServerError, ""), supabase.ErrUnavailable, 500, true},
	"a gateway's 502":     {says(http.StatusBadGateway, ""), supabase.ErrUnavailable, 502, true},
	"a gateway's page":    {says(http.StatusOK, "<html>"), nil, 200, true},
	"another constraint":  {says(http.StatusConflict, `{"code":"23505","message":"one_a_minute"}`), supabase.ErrConflict, 409, false},
}

func breaksOff(http.ResponseWriter) {}

func says(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// Whatever becomes of the first attempt, whatever the next is told and whatever
// stands in the table: nil means that what was sent is stored, an error that it is
// not, unless it says that it is uncertain.
func TestWhatAnInsertAnswersIsTrue(t *testing.T) {
	t.Parallel()
	latency := 7
	data := []healthcheck.CreateHealthCheckData{{
		ID: strings.ToUpper(id), ServiceName: special, Status: healthcheck.StatusDown, LatencyMS: &latency, ErrorMessage: new(""),
		ProbeDetails: map[string]any{"b": 1.0, "a": []any{1e21, nil, "é"}}, CheckedAt: noon.Add(123456789),
	}, {
		ID: "0198c0de-0000-7000-8000-00000000000b", ServiceName: "api", Status: healthcheck.StatusHealthy, CheckedAt: noon,
	}}
	others := slices.Clone(data)
	others[0].ProbeDetails = map[string]any{"b": 1.0, "a": []any{1e21, nil, "e"}}
	calls := map[string]func(healthcheck.HealthCheckModel) error{
		"Create": func(m healthcheck.HealthCheckModel) error {
			check, err := m.Create(context.Background(), data[0])
			if err == nil && check.CheckedAt != noon.Add(123456*time.Microsecond) {
				return fmt.Errorf("another check: %v", check)
			}
			return err
		},
		"CreateMany": func(m healthcheck.HealthCheckModel) error {
			stored, err := m.CreateMany(context.Background(), data)
			if (err == nil) != (stored == 2) {
				return fmt.Errorf("%d are stored; %w", stored, err)
			}
			return err
		},
	}
	for call, run := range calls {
		for name, first := range firstFaults {
			for then, later := range laterAnswers {
				for state, there := range map[string][]healthcheck.CreateHealthCheckData{"empty": nil, "as sent": data, "another's": others} {
					for _, looks := range []bool{true, false} {
						if first.runs && there != nil {
							continue // it cannot have been stored
						}
						t.Run(fmt.Sprintf("%s/%s, then %s, the table %s, looking succeeds: %v", call, name, then, state, looks), func(t *testing.T) {
							server, model := start(t)
							if there != nil {
								_, err := model.CreateMany(t.Context(), there)
								require.NoError(t, err)
							}
							config := server.Config()
							config.MaxAttempts = 2
							posts := 0
							config.Transport = inProcess(server, func(w http.ResponseWriter, r *http.Request) bool {
								if r.Method == http.MethodPost {
									posts++
								}
								switch {
								case r.Method == http.MethodGet && !looks:
									says(http.StatusNotFound, "")(w)
								case r.Method == http.MethodPost && posts == 1:
									if first.runs {
										server.ServeHTTP(httptest.NewRecorder(), r)
									}
									first.answer(w)
								case r.Method == http.MethodPost && later.answer != nil:
									later.answer(w)
								default:
									return false
								}
								return true
							})
							model.Connect = config.ServiceClient
							var err error
							synctest.Test(t, func(*testing.T) { err = run(model) })

							unclear := !first.certain || later.unclear
							refused := later.answer != nil || state != "empty" || first.runs
							stored := first.runs || state == "as sent" && unclear || state == "empty" && later.answer == nil
							switch {
							case !refused:
								require.NoError(t, err)
							case unclear && !looks:
								require.True(t, isUncertain(t, err), err)
							case stored:
								require.NoError(t, err)
							default:
								// What is not there yet may still be on its way.
								require.Equal(t, later.unclear && state == "empty", isUncertain(t, err), err)
								if later.class != nil {
									require.ErrorIs(t, err, later.class)
								}
								if later.answer == nil || unclear && state == "another's" {
									require.ErrorIs(t, err, supabase.ErrConflict)
								}
								if later.answer != nil {
									require.Equal(t, later.status, asError(t, err).Status)
								}
							}
						})
					}
				}
			}
		}
	}
}

func onPost(server *supabasetest.Server, handle func(http.ResponseWriter, *http.Request)) {
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		handle(w, r)
		return true
	})
}

// Nobody is there to look with, or there is no time to.
func TestInsertsThatCannotBeLookedForAreUncertain(t *testing.T) {
	t.Parallel()
	data := []healthcheck.CreateHealthCheckData{{ServiceName: "api", Status: healthcheck.StatusDown}}
	for call, run := range map[string]func(context.Context, healthcheck.HealthCheckModel) error{
		"Create": func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			_, err := m.Create(ctx, data[0])
			return err
		},
		"CreateMany": func(ctx context.Context, m healthcheck.HealthCheckModel) error {
			_, err := m.CreateMany(ctx, data)
			return err
		},
	} {
		t.Run(call+", no answer at all", func(t *testing.T) {
			t.Parallel()
			server, model := start(t)
			config := server.Config()
			config.MaxAttempts = 2
			model.Connect = config.ServiceClient
			loseAnswer(server)
			loseAnswer(server)
			err := run(t.Context(), model)
			require.ErrorIs(t, err, supabase.ErrUnavailable)
			require.True(t, isUncertain(t, err))
			require.Len(t, server.Requests(), 2, "no look at a server that does not answer")
		})
		t.Run(call+", the caller left", func(t *testing.T) {
			t.Parallel()
			server, model := start(t)
			ctx, cancel := context.WithCancel(t.Context())
			onPost(server, func(_ http.ResponseWriter, r *http.Request) {
				server.ServeHTTP(httptest.NewRecorder(), r)
				cancel()
				<-r.Context().Done()
			})
			err := run(ctx, model)
			require.ErrorIs(t, err, context.Canceled)
			require.True(t, isUncertain(t, err))
		})
		t.Run(call+", the caller left while it was looked for", func(t *testing.T) {
			t.Parallel()
			server, model := start(t)
			ctx, cancel := context.WithCancel(t.Context())
			loseAnswer(server)
			onPost(server, func(w http.ResponseWriter, _ *http.Request) { says(http.StatusForbidden, "")(w) })
			server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodGet {
					cancel()
					<-r.Context().Done()
				}
				return r.Method == http.MethodGet
			})
			err := run(ctx, model)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, supabase.ErrPermission)
			require.True(t, isUncertain(t, err))
		})
		t.Run(call+", nothing was sent", func(t *testing.T) {
			t.Parallel()
			_, model := start(t)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := run(ctx, model)
			require.ErrorIs(t, err, context.Canceled)
			require.False(t, isUncertain(t, err))
		})
	}
}

// A server may return one row at a time.
func TestCreateManyLooksBeyondTheServersLimit(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	server.SetMaxRows(97)
	data := manyChecks(600)
	for i := range data {
		data[i].ID = healthcheck.NewID()
	}
	loseAnswer(server)
	stored, err := model.CreateMany(t.Context(), data)
	require.NoError(t, err)
	require.Equal(t, int64(600), stored)

	last := data[599]
	last.LatencyMS = new(1)
	data = append(manyChecks(300), last)
	loseNothing := says(http.StatusBadGateway, "")
	onPost(server, func(w http.ResponseWriter, _ *http.Request) { loseNothing(w) })
	stored, err = model.CreateMany(t.Context(), data)
	require.ErrorIs(t, err, supabase.ErrConflict)
	require.False(t, isUncertain(t, err))
	require.Zero(t, stored)
}
