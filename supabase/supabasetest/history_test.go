package supabasetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHistoryFunctionsTakeTheirArgumentsAlone(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	require.NoError(t, server.Insert("service_health_checks", json.RawMessage(`{"service_name":"api","status":"down","checked_at":"2026-01-02T03:04:05Z"}`)))
	const period = `"starts":["2026-01-02T03:00:00Z"],"ends":["2026-01-02T03:10:00Z"]`
	for _, test := range []struct {
		function, args string
		status         int
		want           string
	}{
		{"service_states", `{}`, 200, `"since":"2026-01-02T03:04:05+00:00","checks":1}]`},
		{"service_states", `{"service_names":null,"seen_since":null,"after_service":null,"max_services":1}`, 200, `[{"latest":{"id":`},
		{"service_states", `{"service_names":["web"]}`, 200, `[]`},
		{"service_states", `{"after_service":"api"}`, 200, `[]`},
		{"service_states", `{"seen_since":"2026-01-02T03:04:05.000001Z"}`, 200, `[]`},
		{"service_states", `{"names":["web"]}`, 404, "Could not find the function public.service_states(names) in the schema cache"},
		{"service_states", `{"service_names":"web"}`, 501, codeUnsupported},
		{"service_states", `{"seen_since":"soon"}`, 501, codeUnsupported},
		{"service_history", `{` + period + `}`, 200, `[{"service_name":"api","minutes":[[0,0,1]],"latency":null}]`},
		{"service_history", `{` + period + `,"slot_minutes":10,"quantiles":[0.5]}`, 200, `[{"service_name":"api","minutes":[[0,0,10]],"latency":[null]}]`},
		{"service_history", `{` + period + `,"slot_minutes":7}`, 501, codeUnsupported},
		{"service_history", `{` + period + `,"location":"UTC"}`, 404, "PGRST202"},
		{"service_history", `{"starts":[]}`, 404, "PGRST202"},
		{"service_history", `{"starts":["2026-01-02T03:00:00Z"],"ends":[]}`, 501, codeUnsupported},
		{"rebuild_service_history", `{"since":"2026-01-02T03:00:00Z","until":"2026-01-02T03:00:00Z"}`, 200, `{"hours":0}`},
		{"rebuild_service_history", `{"since":"2026-01-02T03:00:00Z","until":"2026-01-02T04:00:00Z"}`, 200, `{"hours":1}`},
		{"rebuild_service_history", `{"since":"2026-01-02T03:00:00Z"}`, 404, "PGRST202"},
		{"rebuild_service_history", `{"since":null,"until":null}`, 501, codeUnsupported},
		{"delete_service_history", `{"older_than_days":null}`, 501, codeUnsupported},
		{"delete_service_history", `{}`, 404, "PGRST202"},
		{"delete_service_history", `{"older_than_days":1}`, 200, `{"deleted":1}`},
	} {
		r := server.must(t, http.MethodPost, "rpc/"+test.function, test.args)
		require.Equal(t, test.status, r.status, "%s %s: %s", test.function, test.args, r.body)
		require.Contains(t, r.body, test.want, "%s %s", test.function, test.args)
	}
	request := server.newRequest(t, http.MethodPost, "rpc/service_states", `{}`)
	request.Header.Del("Authorization")
	r, err := do(request)
	require.NoError(t, err)
	require.Contains(t, r.body, "permission denied for function service_states")
}

// The oldest hours go first, those of a clock that is not the machine's.
func TestHistoryIsDeletedByTheHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := newTestServer(t)
		call := func(function, args string) string {
			r, err := server.by(server.Transport(), server.newRequest(t, http.MethodPost, "rpc/"+function, args))
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, r.status, r.body)
			return r.body
		}
		now := time.Now().UTC()
		for hours := range 5 {
			for _, service := range []string{"api", "web"} {
				at := now.AddDate(0, 0, -1).Add(-time.Duration(hours) * time.Hour)
				require.NoError(t, server.Insert("service_health_checks", map[string]any{"service_name": service, "status": "healthy", "checked_at": at}))
			}
		}
		left := func() (minutes int) {
			starts, err := json.Marshal([]time.Time{now.AddDate(0, 0, -2)})
			require.NoError(t, err)
			ends, err := json.Marshal([]time.Time{now})
			require.NoError(t, err)
			body := call("service_history", fmt.Sprintf(`{"starts":%s,"ends":%s}`, starts, ends))
			var services []struct{ Minutes [][3]int }
			require.NoError(t, json.Unmarshal([]byte(body), &services))
			for _, service := range services {
				minutes += service.Minutes[0][0]
			}
			return minutes
		}
		require.Equal(t, 10, left())
		for _, test := range []struct {
			most    int
			deleted string
			left    int
		}{{3, `{"deleted":3}`, 7}, {100, `{"deleted":5}`, 2}, {100, `{"deleted":0}`, 2}} {
			require.Equal(t, test.deleted, call("delete_service_history", fmt.Sprintf(`{"older_than_days":1,"max_rows":%d}`, test.most)))
			require.Equal(t, test.left, left())
		}
		time.Sleep(time.Hour) //nolint:forbidigo // in a bubble
		require.Equal(t, `{"deleted":2}`, call("delete_service_history", `{"older_than_days":1}`))
		require.Zero(t, left())
	})
}
