package alerts

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/internal/integration/realserver"
)

// counted counts the requests that pass.
type counted struct {
	*http.Transport
	requests atomic.Int64
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return c.Transport.RoundTrip(r)
}

// A claim of 100 is one request, and waits neither for who claims nor for who
// changes an alert.
func TestClaimsAreOneRequestAndWaitForNobody(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, server *realserver.REST, model alertevent.AlertEventModel) {
		t.Helper()
		owner, other := open(t, server.DatabaseURL), open(t, server.DatabaseURL)
		owner.exec(t, "INSERT INTO alert_events (service_name, alert_type, status, dedup_key) SELECT 'svc-' || n, 'service_down', 'active', 'raised' FROM generate_series(1, 220) n")
		transport := &counted{Transport: &http.Transport{}}
		t.Cleanup(transport.CloseIdleConnections)
		config := server.Config()
		config.Transport, config.Timeout, config.MaxAttempts = transport, time.Minute, 1
		model.Connect = config.ServiceClient

		// One claims and one changes, and neither comes to an end.
		other.exec(t, "BEGIN")
		locked := must[[]notification](t, other, "claim_alert_notifications", args{"request_id": newID()})
		require.Len(t, locked, 100)
		owner.exec(t, "BEGIN")
		owner.exec(t, "UPDATE alert_events SET status = 'acknowledged' WHERE id IN (SELECT alert_id FROM alert_notifications ORDER BY since, alert_id OFFSET 100 LIMIT 10)")
		taken := map[string]bool{}
		for _, n := range locked {
			taken[n.Alert.ID] = true
		}
		for _, left := range []int{100, 10, 0} {
			before := transport.requests.Load()
			claimed, err := model.ClaimNotifications(t.Context(), alertevent.ClaimOptions{})
			require.NoError(t, err)
			require.EqualValues(t, 1, transport.requests.Load()-before)
			require.Len(t, claimed, left)
			for _, n := range claimed {
				require.False(t, taken[n.Alert.ID], "claimed twice")
				taken[n.Alert.ID] = true
			}
		}
		owner.exec(t, "COMMIT")
		other.exec(t, "ROLLBACK")
		claimed, err := model.ClaimNotifications(t.Context(), alertevent.ClaimOptions{Limit: 1000})
		require.NoError(t, err)
		require.Len(t, claimed, 110, "what was locked is due all the same")
	})
}
