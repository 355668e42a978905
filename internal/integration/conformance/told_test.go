package conformance_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// Whatever is raised, moved, claimed, confirmed and outlived, the double says what
// the model says, by a clock that a test can wait for.
func TestNotificationsAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		plan := steps(rt, 150)
		var failure error
		synctest.Test(t, func(t *testing.T) {
			server := supabasetest.NewServer()
			defer server.Close()
			config := server.Config()
			config.Transport = server.Transport()
			failure = player{suite: open(t, double, config), wait: func(_ context.Context, d time.Duration) error {
				<-time.After(d)
				return nil
			}}.play(t.Context(), plan)
		})
		require.NoError(rt, failure)
	})
}

// PostgreSQL does too; there time passes by moving what was into the past.
func TestRealNotificationsAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	for _, kind := range []realserver.Kind{realserver.LitePostgres, realserver.PostgREST} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server, err := realserver.Start(context.Background(), kind, realserver.Options{Migrations: migrations.FS, Postgres: realserver.SharedPostgres(t)})
			realserver.Need(t, err)
			t.Cleanup(func() { require.NoError(t, server.Stop()) })
			owner, err := pgx.Connect(t.Context(), server.DatabaseURL)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, owner.Close(context.Background())) })
			p := player{suite: open(t, kind, server.Config()), wait: func(ctx context.Context, d time.Duration) error {
				if d < time.Minute {
					return nil
				}
				_, err := owner.Exec(ctx, "UPDATE alert_notifications SET since = since - $1::interval, leased_until = leased_until - $1::interval", d)
				return err
			}}
			const rounds = 10
			var done atomic.Int64
			rapid.Check(t, func(rt *rapid.T) {
				if done.Add(1) > rounds {
					return
				}
				p.empty(t)
				require.NoError(rt, p.play(rt.Context(), steps(rt, 150)))
			})
		})
	}
}

// A lease and the time to a reminder end to the millisecond.
func TestLeasesAndRemindersEndOnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := supabasetest.NewServer()
		defer server.Close()
		config := server.Config()
		config.Transport = server.Transport()
		s := open(t, double, config)
		options := alertevent.ClaimOptions{Lease: time.Second, RemindEvery: time.Hour}
		// after waits and says what is claimed then.
		after := func(wait time.Duration) []alertevent.NotificationKind {
			<-time.After(wait)
			_, kinds := s.claim(t, options)
			return kinds
		}
		s.raise(t, alertevent.RaiseData{ServiceName: "api", AlertType: down})
		require.Equal(t, []alertevent.NotificationKind{alertevent.KindOpened}, after(0))
		require.Empty(t, after(time.Second-time.Millisecond))
		<-time.After(time.Millisecond)
		claimed, _ := s.claim(t, options)
		require.Len(t, claimed, 1)
		require.NoError(t, s.alerts.ConfirmNotification(t.Context(), claimed[0]))
		require.Empty(t, after(time.Hour-time.Millisecond))
		require.Equal(t, []alertevent.NotificationKind{alertevent.KindReminder}, after(time.Millisecond))
	})
}
