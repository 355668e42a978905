// Package alerts proves the functions of migration 016 on PostgreSQL itself:
// what they answer, that they stay exact while many sessions call them, repeat
// and die, what they cost, and what the migration does to a database in use; and
// the methods above them, from processes that are killed. At full length:
//
//	SUPAVIGIL_LONG=1 go -C internal/integration test -v -timeout 30m ./alerts
package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/internal/integration/realserver"
	"github.com/supavigil/supavigil/migrations"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(programVar); name != "" {
		if err := runProgram(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(realserver.Main(m))
}

// long says that the tests are to run in their long form.
func long() bool { return os.Getenv("SUPAVIGIL_LONG") == "1" }

// conflict is what the functions raise for an HTTP 409.
const conflict = "PT409"

func newDatabase(t *testing.T, files fs.FS) *realserver.Database {
	t.Helper()
	made, err := realserver.SharedPostgres(t).NewDatabase(t.Context(), files)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, made.Drop(context.Background())) })
	return made
}

// A session is one connection: the owner's, or the service role's.
type session struct{ *pgx.Conn }

func open(t *testing.T, url string, settings ...string) session {
	t.Helper()
	s, err := connect(t.Context(), url, settings...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func connect(ctx context.Context, url string, settings ...string) (session, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return session{}, err
	}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		config.RuntimeParams[name] = value
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	return session{conn}, err
}

const asService = "role=service_role"

// call calls a function as PostgREST does, with arguments by name.
func (s session) call(ctx context.Context, function string, args map[string]any) (json.RawMessage, error) {
	var names []string
	var values []any
	for name, value := range args {
		values = append(values, value)
		names = append(names, fmt.Sprintf("%s => $%d", name, len(values)))
	}
	var answer []byte
	err := s.QueryRow(ctx, fmt.Sprintf("SELECT %s(%s)", function, strings.Join(names, ", ")), values...).Scan(&answer)
	return answer, err
}

// An alert is what the tests look at of a row.
type alert struct {
	ID        string     `json:"id"`
	Service   string     `json:"service_name"`
	Status    string     `json:"status"`
	DedupKey  *string    `json:"dedup_key"`
	CreatedAt time.Time  `json:"created_at"`
	Acked     *time.Time `json:"acknowledged_at"`
	Resolved  *time.Time `json:"resolved_at"`
	Details   any        `json:"details"`
}

// An answer holds what any of the functions says.
type answer struct {
	Alert   *alert `json:"alert"`
	Opened  bool   `json:"opened"`
	Changed bool   `json:"changed"`
}

type notification struct {
	Kind  string `json:"kind"`
	Alert alert  `json:"alert"`
}

type transition struct {
	ID      string    `json:"id"`
	AlertID string    `json:"alert_id"`
	At      time.Time `json:"at"`
	From    *string   `json:"from_status"`
	To      string    `json:"to_status"`
	By      *string   `json:"by"`
	Reason  *string   `json:"reason"`
}

func decode[T any](data json.RawMessage, err error) (T, error) {
	var decoded T
	if err != nil || data == nil {
		return decoded, err
	}
	return decoded, json.Unmarshal(data, &decoded)
}

// must is call for a test that expects an answer.
func must[T any](t *testing.T, s session, function string, args map[string]any) T {
	t.Helper()
	decoded, err := decode[T](s.call(t.Context(), function, args))
	require.NoError(t, err, "%s %v", function, args)
	return decoded
}

// refused returns the SQLSTATE with which a call is refused.
func refused(t *testing.T, s session, function string, args map[string]any) string {
	t.Helper()
	_, err := s.call(t.Context(), function, args)
	return code(err)
}

func code(err error) string {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refusal.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

type args = map[string]any

// with returns base with more in it.
func with(base args, more ...any) args {
	merged := args{}
	maps.Copy(merged, base)
	for pair := range slices.Chunk(more, 2) {
		merged[pair[0].(string)] = pair[1]
	}
	return merged
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (s session) exec(t *testing.T, sql string, values ...any) {
	t.Helper()
	_, err := s.Exec(t.Context(), sql, values...)
	require.NoError(t, err, sql)
}

// count returns the number that a query selects.
func (s session) count(t *testing.T, sql string, values ...any) int {
	t.Helper()
	var n int
	require.NoError(t, s.QueryRow(t.Context(), sql, values...).Scan(&n), sql)
	return n
}

var all fs.FS = migrations.FS
