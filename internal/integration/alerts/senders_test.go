package alerts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/internal/integration/realserver"
)

const senders = 8

// watch.claims has every lease and its confirmation, by the database's clock and in the
// order of the locks, as a trigger sees them; watch.sent has what people got.
const watching = `
CREATE SCHEMA watch;
CREATE TABLE watch.claims (
	n BIGINT GENERATED ALWAYS AS IDENTITY, alert_id UUID, kind TEXT, token UUID, at TIMESTAMPTZ, until TIMESTAMPTZ, confirmed_at TIMESTAMPTZ,
	PRIMARY KEY (alert_id, n)
);
CREATE TABLE watch.sent (alert_id UUID, kind TEXT, token UUID, at TIMESTAMPTZ DEFAULT clock_timestamp());
CREATE FUNCTION watch.watch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	IF NEW.leased IS NOT NULL AND NEW.leased_until IS DISTINCT FROM OLD.leased_until THEN
		INSERT INTO watch.claims (alert_id, kind, token, at, until) VALUES (NEW.alert_id, NEW.leased,
			CASE NEW.leased WHEN 'opened' THEN NEW.opened_by WHEN 'resolved' THEN NEW.resolved_by ELSE NEW.reminder_by END, clock_timestamp(), NEW.leased_until);
	ELSIF OLD.leased IS NOT NULL AND NEW.leased IS NULL THEN
		UPDATE watch.claims c SET confirmed_at = NEW.since
		WHERE c.alert_id = NEW.alert_id AND c.n = (SELECT max(l.n) FROM watch.claims l WHERE l.alert_id = NEW.alert_id);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER watch AFTER UPDATE ON alert_notifications FOR EACH ROW EXECUTE FUNCTION watch.watch();`

// never are what must not be found in them.
var never = map[string]string{
	"claimed before the lease was over, or after it was confirmed": `SELECT count(*) FROM watch.claims later JOIN watch.claims first USING (alert_id)
		WHERE first.n < later.n AND first.token <> later.token AND (later.at < first.until AND first.confirmed_at IS NULL OR later.kind = first.kind AND first.confirmed_at IS NOT NULL AND first.kind <> 'reminder')`,
	"sent twice though no lease ran out": `SELECT count(*) FROM (SELECT alert_id, kind, token, row_number() OVER (PARTITION BY alert_id, kind ORDER BY at) AS nth FROM watch.sent WHERE kind <> 'reminder') s
		WHERE nth > (SELECT 1 + count(*) FROM watch.claims c WHERE c.alert_id = s.alert_id AND c.kind = s.kind AND c.until < (SELECT max(l.at) FROM watch.claims l WHERE l.alert_id = s.alert_id AND l.kind = s.kind))`,
	"sent twice by one claim": "SELECT count(*) FROM (SELECT FROM watch.sent GROUP BY alert_id, kind, token HAVING count(*) > 1) s",
	"sent without a claim":    "SELECT count(*) FROM watch.sent s WHERE NOT EXISTS (SELECT FROM watch.claims c WHERE c.alert_id = s.alert_id AND c.kind = s.kind AND c.token = s.token AND c.at <= s.at)",
	"opened not sent":         "SELECT count(*) FROM alert_notifications n WHERE NOT EXISTS (SELECT FROM watch.sent s WHERE s.alert_id = n.alert_id AND s.kind = 'opened')",
	"resolved not sent": `SELECT count(*) FROM alert_events a WHERE a.status = 'resolved' AND a.dedup_key IS NOT NULL
		AND NOT EXISTS (SELECT FROM watch.sent s WHERE s.alert_id = a.id AND s.kind = 'resolved')`,
	"resolved sent of what is not": "SELECT count(*) FROM watch.sent s JOIN alert_events a ON a.id = s.alert_id WHERE s.kind = 'resolved' AND a.status <> 'resolved'",
	"something before opened was sent and confirmed": `SELECT count(*) FROM watch.sent s WHERE s.kind <> 'opened' AND NOT EXISTS (
		SELECT FROM watch.sent o JOIN watch.claims c USING (alert_id, kind, token) WHERE o.alert_id = s.alert_id AND o.kind = 'opened' AND o.at < c.confirmed_at AND c.confirmed_at < s.at)`,
	"reminded too early": fmt.Sprintf(`SELECT count(*) FROM watch.claims r JOIN watch.claims c USING (alert_id)
		WHERE r.kind = 'reminder' AND c.n < r.n AND c.confirmed_at > r.at - INTERVAL '%d milliseconds'`, senderRemind.Milliseconds()),
	"sent of what was only created": "SELECT count(*) FROM watch.sent s JOIN alert_events a ON a.id = s.alert_id WHERE a.dedup_key IS NULL",
}

// 8 processes tell people of 1,000 alerts, and are killed while they do.
func TestSendersThatDie(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, server *realserver.REST, model alertevent.AlertEventModel) {
		t.Helper()
		owner := open(t, server.DatabaseURL)
		owner.exec(t, watching)
		alerts := 200
		if long() {
			alerts = 1_000
		}
		for i := range oldAlerts {
			_, err := model.Create(t.Context(), alertevent.CreateAlertEventData{ServiceName: fmt.Sprint("created ", i), AlertType: alertevent.AlertTypeServiceDown})
			require.NoError(t, err)
		}
		limit, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // ten times what it takes
		defer cancel()
		ctx, stop := context.WithCancelCause(limit)
		defer stop(nil)
		var sending, raising sync.WaitGroup
		var deaths atomic.Int64
		failed := make([]error, senders)
		for i := range senders {
			sending.Go(func() {
				if err := keepSending(ctx, server, &deaths); err != nil {
					stop(err)
				}
			})
			raising.Go(func() {
				for n := i; n < alerts && failed[i] == nil; n += senders {
					failed[i] = trouble(t.Context(), model, n)
				}
			})
		}
		raising.Wait()
		require.NoError(t, errors.Join(failed...))
		active := owner.count(t, "SELECT count(*) FROM alert_events WHERE status = 'active' AND dedup_key IS NOT NULL")
		require.Positive(t, active)
		// Until all is told, and each that is still active was reminded of three times.
		poll := time.NewTicker(100 * time.Millisecond)
		defer poll.Stop()
		for owner.count(t, "SELECT count(*) FROM alert_notifications WHERE next IN ('opened', 'resolved')") > 0 ||
			owner.count(t, "SELECT count(*) FROM (SELECT FROM watch.claims WHERE kind = 'reminder' AND confirmed_at IS NOT NULL GROUP BY alert_id HAVING count(*) >= 3) r") < active {
			select {
			case <-poll.C:
			case <-ctx.Done():
				require.NoError(t, context.Cause(ctx))
			}
		}
		ended := errors.New("ended")
		stop(ended)
		sending.Wait()
		require.Equal(t, ended, context.Cause(ctx), "a sender failed")
		require.Positive(t, deaths.Load())

		for what, query := range never {
			require.Zero(t, owner.count(t, query), what)
		}
		require.Equal(t, alerts, owner.count(t, "SELECT count(DISTINCT alert_id) FROM watch.sent"))
		figure := func(query string) int { return owner.count(t, query) }
		t.Logf("%d alerts, %d resolved, %d active at the end: %d sent, %d of them again, %d of %d reminders; %d deaths; a reminder was claimed at most %d ms after it was due, once all else was told",
			alerts, figure("SELECT count(*) FROM alert_events WHERE status = 'resolved'"), active, figure("SELECT count(*) FROM watch.sent"),
			figure("SELECT count(*) - count(DISTINCT (alert_id, kind)) FROM watch.sent WHERE kind <> 'reminder'"),
			figure("SELECT count(*) FROM watch.claims WHERE kind = 'reminder' AND confirmed_at IS NOT NULL"), figure("SELECT count(*) FROM watch.claims WHERE kind = 'reminder'"), deaths.Load(),
			figure(fmt.Sprintf(`SELECT coalesce(max(extract(epoch FROM at - before)) * 1000, 0)::int - %[1]d
				FROM (SELECT kind, at, lag(confirmed_at) OVER (PARTITION BY alert_id ORDER BY n) AS before FROM watch.claims) c
				WHERE kind = 'reminder' AND before + INTERVAL '%[1]d milliseconds' > (SELECT max(confirmed_at) FROM watch.claims WHERE kind <> 'reminder')`, senderRemind.Milliseconds())))

		// What was only created is told of from when a Raise takes it over.
		taken := map[string]bool{}
		for _, service := range []string{"created 1", "old 1"} {
			alert, opened, err := model.Raise(t.Context(), alertevent.RaiseData{ServiceName: service, AlertType: alertevent.AlertTypeServiceDown})
			require.NoError(t, err)
			require.False(t, opened)
			taken[alert.ID] = true
		}
		claimed, err := model.ClaimNotifications(t.Context(), alertevent.ClaimOptions{})
		require.NoError(t, err)
		require.Len(t, claimed, 2)
		for _, n := range claimed {
			require.Equal(t, alertevent.KindOpened, n.Kind)
			require.True(t, taken[n.Alert.ID])
		}
	})
}

// trouble raises an alert. Of ten, five are resolved, at once or when others were
// raised, four are acknowledged, and one is left as it is.
func trouble(ctx context.Context, model alertevent.AlertEventModel, n int) error {
	service := func(n int) string { return fmt.Sprint("svc-", n) }
	alert, _, err := model.Raise(ctx, alertevent.RaiseData{ServiceName: service(n), AlertType: alertevent.AlertTypeServiceDown})
	if err != nil {
		return err
	}
	switch n % 10 {
	case 0, 1, 2:
		_, err = model.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: service(n), AlertType: alertevent.AlertTypeServiceDown})
	case 3, 4:
		_, err = model.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: service(n - 10*senders), AlertType: alertevent.AlertTypeServiceDown})
	case 5, 6, 7, 8:
		_, _, err = model.Transition(ctx, alertevent.TransitionData{ID: alert.ID, To: alertevent.StatusAcknowledged})
	}
	return err
}

// keepSending runs a sender, and another one when it was killed.
func keepSending(ctx context.Context, server *realserver.REST, deaths *atomic.Int64) error {
	for ctx.Err() == nil {
		sender, err := startProgram(context.WithoutCancel(ctx), "sender", server)
		if err != nil {
			return err
		}
		stopped := context.AfterFunc(ctx, func() { _ = sender.input.Close() })
		err = sender.Wait()
		stopped()
		if status, ok := sender.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			deaths.Add(1)
		} else if err != nil {
			return fmt.Errorf("%w: %s", err, sender.errors.String())
		}
	}
	return nil
}
