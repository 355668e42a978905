package healthcheck_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// stockOld stores rows that are old, some apart and some of one created_at.
func stockOld(t *testing.T, server *supabasetest.Server, apart, together int) {
	t.Helper()
	old := time.Now().UTC().AddDate(-1, 0, 0)
	rows := make([]map[string]any, 0, apart+together)
	for i := range apart + together {
		createdAt := old
		if i < apart {
			createdAt = old.Add(time.Duration(i-apart/2) * time.Microsecond)
		}
		rows = append(rows, map[string]any{"service_name": "old", "status": "down", "created_at": createdAt})
	}
	store(t, server, rows...)
}

// deletes returns the sizes of the slices that were asked for.
func deletes(server *supabasetest.Server) (sizes []string) {
	for _, request := range server.Requests() {
		if request.Method == http.MethodGet && request.Query.Get("select") == "created_at" {
			sizes = append(sizes, request.Query.Get("offset"))
		}
	}
	return sizes
}

// quickly runs a test in which no slice takes any time, on a double with rows of
// some ages.
func quickly(t *testing.T, ages []time.Duration, undated int, run func(*testing.T, *supabasetest.Server, healthcheck.HealthCheckModel)) {
	t.Helper()
	server, _ := start(t)
	synctest.Test(t, func(t *testing.T) {
		config := server.Config()
		config.Transport = server.Transport()
		rows := []map[string]any{}
		for _, age := range ages {
			rows = append(rows, map[string]any{"service_name": "api", "status": "down", "created_at": time.Now().Add(-age)})
		}
		for range undated {
			rows = append(rows, map[string]any{"service_name": "api", "status": "down", "created_at": nil})
		}
		require.NoError(t, server.Insert("service_health_checks", rows))
		run(t, server, healthcheck.HealthCheckModel{Connect: config.ServiceClient})
	})
}

// ages are those of n rows from one on, a second apart.
func ages(n int, from time.Duration) (ages []time.Duration) {
	for i := range n {
		ages = append(ages, from+time.Duration(i)*time.Second)
	}
	return ages
}

const day = 24 * time.Hour

func TestDeleteOlderThanGoesInSlices(t *testing.T) {
	t.Parallel()
	quickly(t, ages(22_000, 365*day), 0, func(t *testing.T, server *supabasetest.Server, model healthcheck.HealthCheckModel) {
		deleted, err := model.DeleteOlderThan(t.Context(), 30)
		require.NoError(t, err)
		require.Equal(t, int64(22_000), deleted)
		require.Equal(t, []string{"", "5000", "10000", "20000"}, deletes(server), "a page to begin with")
		require.Len(t, server.Requests(), 2*4, "two for a slice")
		require.Empty(t, server.Rows("service_health_checks"))
	})
}

func TestDeleteOlderThanOfRowsWithOneCreatedAt(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	stockOld(t, server, 1000, 12_500)
	deleted, err := model.DeleteOlderThan(t.Context(), 30)
	require.NoError(t, err)
	require.Equal(t, int64(13_500), deleted)
	for _, request := range server.Requests() {
		require.Less(t, len(request.Query.Encode()), 12_000, "URLs stay short")
	}
	require.Zero(t, count(t, server))
}

func TestDeleteOlderThanMakesSlicesSmaller(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"PostgREST": `{"code":"57014","message":"canceling statement due to statement timeout","details":null,"hint":null}`,
		"lite":      `{"code":"SUP","message":"canceling statement due to statement timeout"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, model := start(t)
			config := server.Config()
			config.MaxAttempts = 1
			model.Connect = config.ServiceClient
			stockOld(t, server, 6000, 0)
			for range 2 {
				server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
					if r.Method != http.MethodDelete {
						return false
					}
					w.WriteHeader(http.StatusInternalServerError)
					_, _ = w.Write([]byte(answer))
					return true
				})
			}
			deleted, err := model.DeleteOlderThan(t.Context(), 30)
			require.NoError(t, err)
			require.Equal(t, int64(6000), deleted)
			require.Equal(t, []string{"", "625", "156"}, deletes(server)[:3])
		})
	}
}

// A server on which not even few rows can be deleted in time.
func TestDeleteOlderThanGivesUp(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	stockOld(t, server, 10, 0)
	server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		for range 8 {
			answerNext(server, http.StatusInternalServerError, nil, `{"code":"57014","message":"canceling statement due to statement timeout"}`)
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"code":"57014","message":"canceling statement due to statement timeout"}`))
		return true
	})
	_, err := model.DeleteOlderThan(t.Context(), 30)
	var e *supabase.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "57014", e.Code)
	require.Equal(t, []string{"", "625", "156", "100"}, deletes(server))
}

func TestDeleteOlderThanSaysWhatWasDeleted(t *testing.T) {
	t.Parallel()
	t.Run("when it fails", func(t *testing.T) {
		t.Parallel()
		server, model := start(t)
		stockOld(t, server, 6000, 0)
		skipOne(server, http.MethodDelete)
		server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodDelete {
				w.WriteHeader(http.StatusForbidden)
			}
			return r.Method == http.MethodDelete
		})
		deleted, err := model.DeleteOlderThan(t.Context(), 30)
		require.ErrorIs(t, err, supabase.ErrPermission)
		require.Equal(t, int64(999), deleted)
		again, err := model.DeleteOlderThan(t.Context(), 30)
		require.NoError(t, err)
		require.Equal(t, int64(5001), again, "another call goes on from there")
	})
	t.Run("when its context ends between slices", func(t *testing.T) {
		t.Parallel()
		server, model := start(t)
		stockOld(t, server, 6000, 0)
		ctx, cancel := context.WithCancel(t.Context())
		server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodDelete {
				return false
			}
			server.ServeHTTP(w, r)
			return true
		})
		server.Intercept(func(http.ResponseWriter, *http.Request) bool {
			if len(deletes(server)) < 2 {
				return false
			}
			cancel()
			<-t.Context().Done()
			return true
		})
		deleted, err := model.DeleteOlderThan(ctx, 30)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, int64(999), deleted)
	})
}

func TestDeleteOlderThanBesideAnother(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	stockOld(t, server, 11_000, 7000)
	sums := make(chan int64)
	for range 2 {
		go func() {
			deleted, err := model.DeleteOlderThan(context.Background(), 30)
			if err != nil {
				deleted = -1 << 40
			}
			sums <- deleted
		}()
	}
	require.Equal(t, int64(18_000), <-sums+<-sums)
	require.Zero(t, count(t, server))
}

// A server that answers what it likes must not keep a caller for ever.
func TestDeleteOlderThanEndsWhereNothingIsDeleted(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	config := server.Config()
	config.Transport = canned{}
	model.Connect = config.ServiceClient
	_, err := model.DeleteOlderThan(t.Context(), 30)
	require.ErrorContains(t, err, "the server does not delete what it lists")
}

func TestDeleteOlderThanNeedsBoundaries(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	for body, message := range map[string]string{
		`null`:                 "null is not an array of rows",
		`[{}]`:                 "a row has no created_at",
		`[{"created_at":5}]`:   "created_at cannot hold a JSON number",
		`{"created_at":"now"}`: "the answer cannot be decoded",
		``:                     "the answer cannot be decoded",
	} {
		answerNext(server, http.StatusOK, nil, body)
		_, err := model.DeleteOlderThan(t.Context(), 30)
		require.ErrorContains(t, err, message, body)
	}
}

// What is asked for tells a small table from one that is cut short.
func TestDeleteOlderThanCountsItsRequests(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		old, young, undated, maxRows, requests int
	}{
		"nothing":                            {0, 0, 0, 1000, 1},
		"nothing that is old":                {0, 3, 1, 1000, 1},
		"nothing that has a time":            {0, 0, 2, 1000, 1},
		"a few":                              {3, 1, 1, 1000, 2},
		"just fewer than a page":             {999, 1, 0, 1000, 2},
		"a page":                             {1000, 5, 0, 1000, 4},
		"several slices":                     {5999, 1, 0, 1000, 4},
		"a few and nothing younger":          {3, 0, 0, 1000, 3},
		"a server that cuts pages short":     {600, 5, 0, 2, 3},
		"one that cuts them before the rest": {1, 5, 0, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := append(ages(test.old, 365*day), ages(test.young, 29*day)...)
			quickly(t, all, test.undated, func(t *testing.T, server *supabasetest.Server, model healthcheck.HealthCheckModel) {
				server.SetMaxRows(test.maxRows)
				deleted, err := model.DeleteOlderThan(t.Context(), 30)
				require.NoError(t, err)
				require.EqualValues(t, test.old, deleted)
				require.Len(t, server.Requests(), test.requests)
			})
		})
	}
}
