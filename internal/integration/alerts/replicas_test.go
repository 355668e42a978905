package alerts

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/internal/integration/realserver"
)

const (
	replicas = 4
	probers  = 16 // of a replica
	rounds   = 20
)

// A verdict is what one prober was told of a round.
type verdict struct {
	Raised   string   // the open alert
	Opened   bool     // by this one
	Resolved []string // by this one
}

// runReplica is a process that watches a service with 16 probers: for every line of
// its input all of them raise or resolve the same at once, and it prints what they
// were told.
func runReplica(ctx context.Context) error {
	var model alertevent.AlertEventModel // of the server that the environment names
	lines, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for lines.Scan() {
		verdicts, failures := make([]verdict, probers), make([]error, probers)
		var probing sync.WaitGroup
		for i := range probers {
			v := &verdicts[i]
			probing.Go(func() {
				if lines.Text() == "resolve" {
					var resolved []alertevent.AlertEvent
					resolved, failures[i] = model.ResolveOpen(ctx, alertevent.ResolveOpenData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
					for _, alert := range resolved {
						v.Resolved = append(v.Resolved, alert.ID)
					}
					return
				}
				alert, opened, err := model.Raise(ctx, alertevent.RaiseData{ServiceName: "api", AlertType: alertevent.AlertTypeServiceDown})
				if failures[i] = err; err == nil {
					v.Raised, v.Opened = alert.ID, opened
				}
			})
		}
		probing.Wait()
		if err := errors.Join(failures...); err != nil {
			return err
		}
		if err := out.Encode(verdicts); err != nil {
			return err
		}
	}
	return lines.Err()
}

// 64 probers in 4 processes meet the same trouble, 20 times: each time there is one
// alert, one is told that it opened it, and one that it resolved it.
func TestReplicas(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, server *realserver.REST, model alertevent.AlertEventModel) {
		t.Helper()
		running := make([]*program, replicas)
		for i := range running {
			var err error
			running[i], err = startProgram(t.Context(), "replica", server)
			require.NoError(t, err)
		}
		// ask gives all of them a line at once, and gathers what their probers were told.
		ask := func(line string) (told []verdict) {
			for _, p := range running {
				_, err := fmt.Fprintln(p.input, line)
				require.NoError(t, err)
			}
			for _, p := range running {
				answer, err := p.output.ReadBytes('\n')
				if err != nil {
					require.NoError(t, p.end())
				}
				var verdicts []verdict
				require.NoError(t, json.Unmarshal(answer, &verdicts))
				told = append(told, verdicts...)
			}
			require.Len(t, told, replicas*probers)
			return told
		}
		alerts := map[string]bool{}
		for round := range rounds {
			opened := 0
			told := ask("raise")
			for _, v := range told {
				require.Equal(t, told[0].Raised, v.Raised, "round %d: two alerts", round)
				if v.Opened {
					opened++
				}
			}
			require.Equal(t, 1, opened, "round %d: told that it was opened", round)
			require.NotContains(t, alerts, told[0].Raised, "round %d: one of before", round)
			alerts[told[0].Raised] = true
			var resolved []string
			for _, v := range ask("resolve") {
				resolved = append(resolved, v.Resolved...)
			}
			require.Equal(t, []string{told[0].Raised}, resolved, "round %d", round)
		}
		for _, p := range running {
			require.NoError(t, p.end())
		}
		all, err := model.FindAll(t.Context(), alertevent.FindAllOptions{ServiceName: "api"})
		require.NoError(t, err)
		require.Len(t, all, rounds)
		t.Logf("%d probers, %d rounds: %d alerts", replicas*probers, rounds, len(all))
	})
}
