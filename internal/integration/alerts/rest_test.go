package alerts

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/integration/realserver"
)

// What the functions answer and raise, as HTTP: a conflict is 409, and no such row
// is 200 with null, on every server.
func TestOverREST(t *testing.T) {
	t.Parallel()
	for _, kind := range realserver.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server := realserver.Shared(t, kind, all)
			post := func(role, function string, data args) (status int, body string) {
				t.Helper()
				sent, err := json.Marshal(data)
				require.NoError(t, err)
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.RESTURL+"/rpc/"+function, bytes.NewReader(sent))
				require.NoError(t, err)
				request.Header = server.Header(role)
				request.Header.Set("Content-Type", "application/json")
				client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
				response, err := client.Do(request)
				require.NoError(t, err)
				said, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				return response.StatusCode, strings.NewReplacer(" : ", ":", `": `, `":`).Replace(string(said)) // lite writes JSON anew
			}
			service := string(kind)
			id, token := newID(), newID()
			ask := func(function string, data args, status int, contains ...string) {
				t.Helper()
				got, body := post("service_role", function, data)
				require.Equal(t, status, got, body)
				for _, part := range contains {
					require.Contains(t, body, part)
				}
			}
			ask("raise_alert", args{
				"id": id, "service_name": service, "alert_type": "service_down", "dedup_key": nil, "message": nil, "details": `{"n":1}`,
			}, 200, `"opened":true`, `"details":{"n":1}`, `"dedup_key":"service_down"`)
			other := newID()
			ask("raise_alert", args{"id": other, "service_name": service, "alert_type": "recovery", "details": nil}, 200, `"details":null`)
			ask("raise_alert", args{"id": id, "service_name": service, "alert_type": "recovery"}, 409, `"code":"PT409"`, "the id is that of another alert")
			ask("claim_alert_notifications", args{"request_id": token, "lease_ms": 1000, "remind_every_ms": 0, "max_rows": 1000}, 200, `"kind":"opened"`)
			ask("confirm_alert_notification", args{"alert_id": id, "kind": "opened", "token": token}, 200, "true")
			ask("confirm_alert_notification", args{"alert_id": id, "kind": "opened", "token": newID()}, 409, `"code":"PT409"`)
			_, body := post("service_role", "confirm_alert_notification", args{"alert_id": newID(), "kind": "opened", "token": token})
			require.Equal(t, "null", body)
			ask("transition_alert", args{"request_id": newID(), "id": id, "to_status": "acknowledged", "by": "ann", "reason": nil}, 200, `"changed":true`)
			_, body = post("service_role", "transition_alert", args{"request_id": newID(), "id": newID(), "to_status": "acknowledged"})
			require.Equal(t, "null", body)
			ask("resolve_open_alerts", args{"request_id": newID(), "service_name": service, "alert_type": "service_down", "dedup_key": nil, "by": "ann", "reason": nil}, 200, id, `"status":"resolved"`)
			ask("transition_alert", args{"request_id": newID(), "id": id, "to_status": "acknowledged"}, 409, `"code":"PT409"`)
			ask("raise_alert", args{"id": newID(), "service_name": service, "alert_type": "service_down"}, 200, `"opened":true`)
			ask("transition_alert", args{"request_id": newID(), "id": id, "to_status": "active"}, 409, `"code":"23505"`)
			ask("alert_history", args{"alert_id": id}, 200, `"by":"ann"`, `"from_status":null`)
			ask("alert_response_times", args{"service_name": service, "alert_type": "service_down", "since": nil, "until": nil}, 200, `"raised":2`)
			ask("delete_resolved_alerts", args{"older_than_days": 1, "max_rows": 1000}, 200, `"deleted":0`)
			if kind == realserver.LitePGlite {
				return // which grants everything by itself
			}
			status, _ := post("anon", "alert_history", args{"alert_id": id})
			require.Contains(t, []int{401, 403, 404}, status)
		})
	}
}
