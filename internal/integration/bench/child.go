package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// The hidden commands of this program's children.
const (
	serveCommand  = "bench-serve"
	clientCommand = "bench-client"
)

// child runs what a child of this program is started for.
func child(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	if args[0] == serveCommand {
		return serve(ctx, stdin, stdout)
	}
	var j job
	if len(args) != 2 {
		return fmt.Errorf("%s takes a job", clientCommand)
	}
	if err := json.Unmarshal([]byte(args[1]), &j); err != nil {
		return err
	}
	return j.do(ctx, stdout)
}

func isChild(args []string) bool {
	return len(args) > 0 && (args[0] == serveCommand || args[0] == clientCommand)
}

// limit is how long a measurement may take over what it was told.
const limit = time.Minute

// measure runs a job in a process of its own.
func (b *bench) measure(ctx context.Context, j job, t target) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, limit+j.WarmUp+j.Duration)
	defer cancel()
	told, err := json.Marshal(j)
	if err != nil {
		return outcome{}, err
	}
	args := b.command(j.Client, string(told))
	process := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // this program, or its own script
	process.Env = append(environment(), t.environment()...)
	var stdout, stderr bytes.Buffer
	process.Stdout, process.Stderr = &stdout, &stderr
	if err := process.Run(); err != nil {
		return outcome{}, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	var result outcome
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil {
		return outcome{}, fmt.Errorf("what it printed: %w", err)
	}
	return result, nil
}

// environment is this process's, but for what would lead a client elsewhere or
// change how a runtime works.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		switch {
		case strings.HasPrefix(name, "SUPABASE_"), strings.HasPrefix(name, "SSL_CERT_"), strings.HasPrefix(name, "NODE_"),
			name == "GODEBUG", name == "GOGC", name == "GOMEMLIMIT", name == "GOMAXPROCS":
		default:
			kept = append(kept, variable)
		}
	}
	return kept
}
