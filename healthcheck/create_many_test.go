package healthcheck_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func manyChecks(n int) []healthcheck.CreateHealthCheckData {
	data := make([]healthcheck.CreateHealthCheckData, n)
	for i := range data {
		data[i] = healthcheck.CreateHealthCheckData{ServiceName: "api", Status: healthcheck.StatusHealthy, LatencyMS: &i}
	}
	return data
}

// count returns how many checks the double holds.
func count(t *testing.T, server *supabasetest.Server) int {
	t.Helper()
	n := 0
	for _, err := range (healthcheck.HealthCheckModel{Connect: server.Config().ServiceClient}).All(t.Context(), healthcheck.FindAllOptions{}) {
		require.NoError(t, err)
		n++
	}
	return n
}

func TestCreateManySendsBoundedRequests(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	data := manyChecks(2500)
	for i := range 500 {
		data[i*5].CheckedAt = noon
	}
	data[2].ErrorMessage = new(strings.Repeat("x", 1<<20)) // more than a request takes beside others
	stored, err := model.CreateMany(t.Context(), data)
	require.NoError(t, err)
	require.Equal(t, int64(2500), stored)
	sizes := []int{}
	for _, request := range server.Requests() {
		require.Equal(t, http.MethodPost, request.Method)
		require.Equal(t, "return=minimal", request.Header.Get("Prefer"), "nothing travels back")
		var rows []map[string]any
		require.NoError(t, json.Unmarshal(request.Body, &rows))
		for _, row := range rows {
			require.Len(t, row, len(rows[0]), "the same columns")
		}
		require.True(t, len(request.Body) <= 1<<20+1000 || len(rows) == 1)
		sizes = append(sizes, len(rows))
	}
	require.Equal(t, []int{500, 1, 1, 1000, 998}, sizes, "those with checked_at, then the others; the large row alone")
	require.Equal(t, 2500, count(t, server))
}

func TestCreateManyOfNothing(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	stored, err := model.CreateMany(t.Context(), []healthcheck.CreateHealthCheckData{})
	require.NoError(t, err)
	require.Zero(t, stored)
	require.Empty(t, server.Requests())
}

func TestCreateManyReportsEveryFault(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	data := manyChecks(6)
	data[1].ServiceName = " "
	data[1].Status = "up"
	data[3].ID, data[4].ID = id, strings.ToUpper(id)
	data[5].ProbeDetails = map[string]any{"f": func() {}}
	stored, err := model.CreateMany(t.Context(), data)
	requireInvalid(t, server, err, `data[1]: service_name must not be blank; data[1]: status must be healthy, degraded or down, not "up"; `+
		`data[4]: id must not be that of data[3]; data[5]: probe_details must marshal to JSON: json: unsupported type: func()`)
	require.Zero(t, stored)
}

// Answers of every request are lost, some more than once.
func TestCreateManyStoresOnceThoughAnswersAreLost(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	for i := range 5 {
		loseAnswer(server)
		if i%2 == 0 {
			skipOne(server, http.MethodPost)
		}
	}
	stored, err := model.CreateMany(t.Context(), manyChecks(2500))
	require.NoError(t, err)
	require.Equal(t, int64(2500), stored)
	require.Equal(t, 2500, count(t, server))
}

// skipOne lets one request of a method through to the double.
func skipOne(server *supabasetest.Server, method string) {
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != method {
			return false
		}
		server.ServeHTTP(w, r)
		return true
	})
}

func TestCreateManySaysHowManyAreStored(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	skipOne(server, http.MethodPost)
	answerNext(server, http.StatusForbidden, nil, `{"code":"42501","message":"permission denied"}`)
	var stored int64
	var err error
	events := logged(t, zerolog.InfoLevel, func(ctx context.Context) { stored, err = model.CreateMany(ctx, manyChecks(1500)) })
	require.ErrorIs(t, err, supabase.ErrPermission)
	require.Equal(t, int64(1000), stored)
	require.Equal(t, 1000, count(t, server))
	require.Len(t, events, 1, "one operation")
	require.EqualValues(t, 1000, events[0]["rows"])
	require.EqualValues(t, 2, events[0]["requests"])
}

func TestCreateManyOfRowsThatAreThere(t *testing.T) {
	t.Parallel()
	data := manyChecks(300)
	for i := range data {
		data[i].ID = fmt.Sprintf("0198c0de-0000-7000-8000-%012d", i)
	}
	t.Run("all by somebody else, on the first attempt", func(t *testing.T) {
		t.Parallel()
		server, model := start(t)
		_, err := model.CreateMany(t.Context(), data)
		require.NoError(t, err)
		stored, err := model.CreateMany(t.Context(), data)
		require.ErrorIs(t, err, supabase.ErrConflict)
		require.Zero(t, stored)
		require.Equal(t, 300, count(t, server))
	})
	t.Run("one by somebody else, after a lost request", func(t *testing.T) {
		t.Parallel()
		server, model := start(t)
		_, err := model.Create(t.Context(), data[299])
		require.NoError(t, err)
		answerNext(server, http.StatusBadGateway, nil, "")
		stored, err := model.CreateMany(t.Context(), data)
		require.ErrorIs(t, err, supabase.ErrConflict, "a row of the request is there, the request's others are not")
		require.Zero(t, stored)
		require.Equal(t, 1, count(t, server))
	})
	t.Run("by a gateway that repeated the request", func(t *testing.T) {
		t.Parallel()
		server, model := start(t)
		server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			body := new(bytes.Buffer)
			_, _ = body.ReadFrom(r.Body)
			for _, to := range []http.ResponseWriter{newRecorder(), w} {
				again := r.Clone(r.Context())
				again.Body = nopCloser{bytes.NewReader(body.Bytes())}
				server.ServeHTTP(to, again)
			}
			return true
		})
		stored, err := model.CreateMany(t.Context(), manyChecks(300))
		require.NoError(t, err, "the ids were made for this call: nobody else can have stored them")
		require.Equal(t, int64(300), stored)
		require.Equal(t, 300, count(t, server))
	})
	t.Run("and the reading back fails", func(t *testing.T) {
		t.Parallel()
		server, model := start(t)
		loseAnswer(server)
		server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet {
				return false
			}
			w.WriteHeader(http.StatusForbidden)
			return true
		})
		stored, err := model.CreateMany(t.Context(), data)
		require.ErrorIs(t, err, supabase.ErrPermission)
		require.Zero(t, stored, "for certain")
		require.Equal(t, 300, count(t, server))
	})
}

func TestCreateManyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		server.ServeHTTP(w, r)
		time.AfterFunc(0, cancel)
		return true
	})
	stored, err := model.CreateMany(ctx, manyChecks(200_000))
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, stored, int64(200_000))
	require.GreaterOrEqual(t, count(t, server), int(stored))
}

// Requests that a gateway finds too large, or whose statement takes too long, are
// made smaller, and so are those after them.
func TestCreateManyCutsItsRequestsSmaller(t *testing.T) {
	t.Parallel()
	const rowsPerStatement, bytesPerBody = 150, 30_000
	for name, test := range map[string]struct {
		refuses func(rows, bytes int) bool
		answer  func(http.ResponseWriter)
		most    int // requests for 3,000 rows of 210 bytes
	}{
		"413":             {func(_, bytes int) bool { return bytes > bytesPerBody }, says(http.StatusRequestEntityTooLarge, "<html>"), 60},
		"57014":           {func(rows, _ int) bool { return rows > rowsPerStatement }, says(http.StatusInternalServerError, `{"code":"57014","message":"canceling statement due to statement timeout"}`), 40},
		"down to one row": {func(rows, _ int) bool { return rows > 1 }, says(http.StatusRequestEntityTooLarge, ""), 3020},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, model := start(t)
			config := server.Config()
			var sizes []int
			config.Transport = inProcess(server, func(w http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(r.Body)
				var rows []json.RawMessage
				_ = json.Unmarshal(body, &rows)
				r.Body = io.NopCloser(bytes.NewReader(body))
				sizes = append(sizes, len(rows))
				if !test.refuses(len(rows), len(body)) {
					return false
				}
				test.answer(w)
				return true
			})
			model.Connect = config.ServiceClient
			var stored int64
			var err error
			events := logged(t, zerolog.InfoLevel, func(ctx context.Context) {
				stored, err = model.CreateMany(ctx, manyChecks(3000))
			})
			require.NoError(t, err)
			require.Equal(t, int64(3000), stored)
			require.Equal(t, 3000, count(t, server))
			require.LessOrEqual(t, len(sizes), test.most)
			require.EqualValues(t, 3000, events[0]["rows"])
		})
	}
}

// A row that is refused alone is the end, and what was stored before is counted.
func TestCreateManyEndsWhereARowAloneIsRefused(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	config := server.Config()
	requests := 0
	config.Transport = inProcess(server, func(w http.ResponseWriter, r *http.Request) bool {
		requests++
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if len(body) > 100_000 {
			says(http.StatusRequestEntityTooLarge, "")(w)
		}
		return len(body) > 100_000
	})
	model.Connect = config.ServiceClient
	data := manyChecks(3000)
	data[2345].ErrorMessage = new(strings.Repeat("x", 100_000))
	stored, err := model.CreateMany(t.Context(), data)
	require.Equal(t, http.StatusRequestEntityTooLarge, asError(t, err).Status)
	require.False(t, isUncertain(t, err))
	require.Equal(t, int64(2345), stored)
	require.Equal(t, 2345, count(t, server))
	require.Less(t, requests, 30, "small rows stay together")
}

// The first microsecond of year 1 is the zero time once it is cut, and left out.
func TestCreateManyGroupsTimesAsTheyTravel(t *testing.T) {
	t.Parallel()
	_, model := start(t)
	data := manyChecks(3)
	data[0].CheckedAt, data[1].CheckedAt = noon, time.Time{}.Add(999)
	stored, err := model.CreateMany(t.Context(), data)
	require.NoError(t, err)
	require.Equal(t, int64(3), stored)
}
