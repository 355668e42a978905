package alerts

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

// What a test starts, kills and starts again is this test binary, run as another
// program: the environment says which, and what server it speaks to. It ends with
// its standard input, so that it never outlives the test.
const (
	programVar  = "SUPAVIGIL_ALERTS_PROGRAM"
	databaseVar = "SUPAVIGIL_ALERTS_DATABASE_URL"
)

// runProgram is the whole of such a process.
func runProgram(name string) error {
	switch name {
	case "sender":
		return runSender(context.Background())
	case "replica":
		return runReplica(context.Background())
	}
	return fmt.Errorf("there is no program %q", name)
}

// A program is a running one.
type program struct {
	*exec.Cmd
	input  io.WriteCloser
	output *bufio.Reader
	errors bytes.Buffer
}

func startProgram(ctx context.Context, name string, server *realserver.REST) (*program, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	config := server.Config()
	p := &program{Cmd: exec.CommandContext(ctx, self)} //nolint:gosec // this test binary
	p.Env = append(os.Environ(), programVar+"="+name, databaseVar+"="+server.DatabaseURL,
		"SUPABASE_URL="+config.URL, "SUPABASE_REST_URL="+config.RESTURL, "SUPABASE_SERVICE_KEY="+string(config.Key), "SUPABASE_SCHEMA=")
	p.Stderr = &p.errors
	output, err := p.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.output = bufio.NewReader(output)
	if p.input, err = p.StdinPipe(); err != nil {
		return nil, err
	}
	return p, p.Start()
}

// end lets the program end, unless it has, and returns what it failed with.
func (p *program) end() error {
	_ = p.input.Close()
	err := p.Wait()
	if err != nil && p.errors.Len() > 0 {
		return errors.Join(err, errors.New(p.errors.String()))
	}
	return err
}

// eachServer runs a test on the servers that stand on a PostgreSQL, each with a
// database of its own in which some alerts are older than migration 016.
func eachServer(t *testing.T, test func(t *testing.T, server *realserver.REST, model alertevent.AlertEventModel)) {
	t.Helper()
	for _, kind := range []realserver.Kind{realserver.LitePostgres, realserver.PostgREST} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			realserver.Need(t, kind.Missing())
			server, err := realserver.Start(t.Context(), kind, realserver.Options{
				Migrations: withOldAlerts(t), Postgres: realserver.SharedPostgres(t),
			})
			realserver.Need(t, err)
			t.Cleanup(func() { require.NoError(t, server.Stop()) })
			model := alertevent.AlertEventModel{Connect: server.Config().ServiceClient}
			// At its first request lite changes default privileges; of many at once, some are 23505.
			_, err = model.ResolveOpen(t.Context(), alertevent.ResolveOpenData{ServiceName: "none", AlertType: alertevent.AlertTypeServiceDown})
			require.NoError(t, err)
			test(t, server, model)
		})
	}
}

const oldAlerts = 50

// withOldAlerts returns the migrations, with alerts that are made before 016.
func withOldAlerts(t *testing.T) fs.FS {
	t.Helper()
	files := fstest.MapFS{"015_old_alerts.sql": {Data: fmt.Appendf(nil, `INSERT INTO alert_events (service_name, alert_type, status)
		SELECT 'old ' || n, 'service_down', 'active' FROM generate_series(1, %d) n`, oldAlerts)}}
	names, err := fs.Glob(migrations.FS, "*.sql")
	require.NoError(t, err)
	for _, name := range names {
		data, err := fs.ReadFile(migrations.FS, name)
		require.NoError(t, err)
		files[name] = &fstest.MapFile{Data: data}
	}
	return files
}
