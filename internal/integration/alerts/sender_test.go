package alerts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/supabase"
)

const (
	senderLease  = 2 * time.Second
	senderRemind = 2 * time.Second
)

// runSender is a process that claims, sends and confirms until its parent ends it,
// but for the times when it is killed in between, or is slower than its lease. What
// people get is a row of watch.sent, by the database's clock.
func runSender(ctx context.Context) error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	people, err := connect(ctx, os.Getenv(databaseVar))
	if err != nil {
		return err
	}
	var model alertevent.AlertEventModel // of the server that the environment names
	for {
		claimed, err := model.ClaimNotifications(ctx, alertevent.ClaimOptions{Lease: senderLease, RemindEvery: senderRemind, Limit: 25})
		if err != nil {
			return fmt.Errorf("claim: %w", err)
		}
		if len(claimed) == 0 {
			<-time.After(20 * time.Millisecond)
		}
		for _, n := range claimed {
			switch rand.IntN(200) { //nolint:gosec // not a secret
			case 0, 1:
				die()
			case 2:
				<-time.After(senderLease + senderLease/2)
			}
			if _, err := people.Exec(ctx, "INSERT INTO watch.sent (alert_id, kind, token) VALUES ($1, $2, $3)", n.Alert.ID, n.Kind, n.Token); err != nil {
				return fmt.Errorf("send: %w", err)
			}
			if rand.IntN(100) == 0 { //nolint:gosec // not a secret
				die()
			}
			if err := model.ConfirmNotification(ctx, n); err != nil && !errors.Is(err, supabase.ErrConflict) {
				return fmt.Errorf("confirm: %w", err)
			}
		}
	}
}

// die kills this process, which does nothing any more: no defer, no confirmation.
func die() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {}
}
