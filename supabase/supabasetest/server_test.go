package supabasetest

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeysDoNotMix(t *testing.T) {
	t.Parallel()
	one, other := newTestServer(t), newTestServer(t)
	require.NotEqual(t, string(one.Key), string(other.Key))
	ours, theirs := string(one.Key), string(other.Key)
	for name, test := range map[string]struct {
		header http.Header
		status int
		code   string
	}{
		"bearer":                         {http.Header{"Authorization": {"Bearer " + ours}}, http.StatusCreated, ""},
		"bearer in lower case":           {http.Header{"Authorization": {"bearer " + ours}}, http.StatusCreated, ""},
		"apikey alone":                   {http.Header{"Apikey": {ours}}, http.StatusCreated, ""},
		"both":                           {http.Header{"Apikey": {ours}, "Authorization": {"Bearer " + ours}}, http.StatusCreated, ""},
		"another server's":               {http.Header{"Authorization": {"Bearer " + theirs}}, http.StatusUnauthorized, "PGRST301"},
		"another server's apikey":        {http.Header{"Apikey": {theirs}}, http.StatusUnauthorized, "PGRST301"},
		"another server's beside apikey": {http.Header{"Apikey": {ours}, "Authorization": {"Bearer " + theirs}}, http.StatusUnauthorized, "PGRST301"},
		"no JWT":                         {http.Header{"Apikey": {"sb_secret_x"}}, http.StatusUnauthorized, "PGRST301"},
		"none":                           {http.Header{}, http.StatusUnauthorized, "42501"},
		"basic":                          {http.Header{"Authorization": {"Basic eDp5"}}, http.StatusNotImplemented, codeUnsupported},
		"parts that are no JSON":         {http.Header{"Apikey": {"a.b.c"}}, http.StatusNotImplemented, codeUnsupported},
	} {
		request := one.newRequest(t, http.MethodPost, "service_health_checks", `{"service_name": "db", "status": "down"}`)
		request.Header = test.header
		r, err := do(request)
		require.NoError(t, err, name)
		require.Equal(t, test.status, r.status, "%s: %s", name, r.body)
		require.Contains(t, r.body, test.code, name)
	}
}

func TestAnonymousChangesNothing(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.must(t, http.MethodPost, "service_health_checks", oneCheck)
	for _, method := range []string{http.MethodPatch, http.MethodDelete} {
		request := server.newRequest(t, method, "service_health_checks?status=eq.down", `{"status": "healthy"}`, "Prefer: count=exact")
		request.Header.Del("Authorization")
		r, err := do(request)
		require.NoError(t, err)
		require.Equal(t, http.StatusNoContent, r.status)
		require.Equal(t, "*/0", r.header.Get("Content-Range"))
	}
	require.Contains(t, server.must(t, http.MethodGet, "service_health_checks", "").body, `"down"`)
}

func TestRequestsAreCopies(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.must(t, http.MethodPost, "alert_events?columns=status", `[]`, "Prefer: return=minimal")
	for range 2 {
		requests := server.Requests()
		require.Len(t, requests, 1)
		r := requests[0]
		require.Equal(t, http.MethodPost, r.Method)
		require.Equal(t, "/rest/v1/alert_events", r.Path)
		require.Equal(t, "status", r.Query.Get("columns"))
		require.Equal(t, "return=minimal", r.Header.Get("Prefer"))
		require.Equal(t, "[]", string(r.Body))
		r.Query.Set("columns", "x")
		r.Header.Set("Prefer", "x")
		r.Body[0] = 'x'
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	require.Equal(t, server.URL, server.Config().URL)
	require.Equal(t, string(server.Key), string(server.Config().Key))
	_, err := server.Config().ServiceClient()
	require.NoError(t, err)
}

func TestConcurrentClients(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	const clients, rounds = 8, 8
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			for round := range rounds {
				id := fmt.Sprintf("00000000-0000-4000-8000-%06d%06d", client, round)
				body := fmt.Sprintf(`{"id": %q, "service_name": "s%d", "status": "healthy", "probe_details": {"b": 1, "a": 2}}`, id, client)
				for _, step := range []struct {
					method, path, body string
					status             int
				}{
					{http.MethodPost, "service_health_checks", body, http.StatusCreated},
					{http.MethodPost, "service_health_checks", body, http.StatusConflict},
					{http.MethodPatch, "service_health_checks?id=eq." + id, `{"status": "down"}`, http.StatusNoContent},
					{http.MethodGet, "service_health_checks?order=created_at.desc,id.desc", "", http.StatusOK},
					{http.MethodDelete, "service_health_checks?status=eq.healthy", "", http.StatusNoContent},
				} {
					r, err := do(server.newRequest(t, step.method, step.path, step.body))
					// Another client's DELETE may come between the first two.
					if err != nil || r.status != step.status && r.status != http.StatusCreated {
						t.Errorf("%s %s: %v %d %s", step.method, step.path, err, r.status, r.body)
						return
					}
				}
				server.SetMaxRows(100 + round)
				_ = server.Requests()
			}
		})
	}
	group.Wait()
	require.Len(t, server.Requests(), clients*rounds*5)
}

func TestMaxRows(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.must(t, http.MethodPost, "alert_events",
		"["+strings.Repeat(`{"service_name": "db", "alert_type": "recovery", "status": "active"},`, 4)+
			`{"service_name": "db", "alert_type": "recovery", "status": "active"}]`)
	for most, want := range map[int]string{2: "0-1/5", 5: "0-4/5", 0: "0-4/5", -1: "0-4/5"} {
		server.SetMaxRows(most)
		r := server.must(t, http.MethodGet, "alert_events?select=id&limit=9", "", "Prefer: count=exact")
		require.Equal(t, want, r.header.Get("Content-Range"), most)
	}
}
