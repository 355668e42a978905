package realserver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// goneLimit is more than what ends takes on any machine, a watchdog's patience
// included.
const goneLimit = 2 * time.Minute

// started is what a test process has running.
type started struct {
	Groups []int `json:"groups"` // process groups of servers
	Pids   []int `json:"pids"`   // PostgreSQL's sessions, each a group of its own
	Ports  []int `json:"ports"`
}

// runner ends as the tests of a package do.
type runner func() int

func (r runner) Run() int { return r() }

// helpEnding is a test process: it starts one of each server, prints what that
// is, and ends in the way that the environment says.
func helpEnding() int {
	return Main(runner(func() int {
		ctx := context.Background()
		postgres, err := sharedPostgres()
		if err != nil {
			panic(err)
		}
		have := started{Groups: []int{postgres.process.cmd.Process.Pid}, Ports: []int{postgres.port}}
		for kind := range strings.FieldsSeq(os.Getenv("KINDS")) {
			server, err := sharedREST(Kind(kind), things)
			if err != nil {
				panic(err)
			}
			var port int
			if _, err := fmt.Sscanf(server.URL, "http://127.0.0.1:%d", &port); err != nil {
				panic(err)
			}
			have.Groups = append(have.Groups, server.process.cmd.Process.Pid)
			have.Ports = append(have.Ports, port)
		}
		session, err := pgx.Connect(ctx, postgres.URL())
		if err != nil {
			panic(err)
		}
		rows, err := session.Query(ctx, "SELECT pid FROM pg_stat_activity")
		if err != nil {
			panic(err)
		}
		if have.Pids, err = pgx.CollectRows(rows, pgx.RowTo[int]); err != nil {
			panic(err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(have); err != nil {
			panic(err)
		}
		switch os.Getenv("ENDING") {
		case "panic":
			panic("as a test might")
		case "exit":
			os.Exit(3)
		case "wait":
			select {}
		}
		return 0
	})).Run()
}

func TestNothingIsLeftBehind(t *testing.T) {
	Need(t, needAll())
	for _, test := range []struct {
		name, ending string
		signal       os.Signal
		kinds        []Kind // beside PostgreSQL
	}{
		{name: "pass", ending: "pass", kinds: []Kind{LitePostgres}},
		{name: "panic", ending: "panic"},
		{name: "os.Exit", ending: "exit"},
		{name: "interrupt", ending: "wait", signal: os.Interrupt},
		{name: "terminate", ending: "wait", signal: syscall.SIGTERM},
		{name: "kill", ending: "wait", signal: os.Kill, kinds: []Kind{LitePostgres}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			temp := publicTemp(t)
			process, answers := startHelper(t, temp, test.ending, test.kinds)
			var have started
			line, err := answers.ReadBytes('\n')
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(line, &have))
			require.Len(t, have.Ports, 1+len(test.kinds))
			require.True(t, anyLeft(have))
			require.NotEmpty(t, processesNaming(t, temp))
			if test.signal != nil {
				require.NoError(t, process.Process.Signal(test.signal))
			}
			err = process.Wait()
			if test.ending == "pass" {
				require.NoError(t, err)
				require.Empty(t, foldersIn(t, temp), "an orderly end waits until all is gone")
			} else {
				require.Error(t, err)
			}
			require.Eventually(t, func() bool {
				return !anyLeft(have) && len(foldersIn(t, temp)) == 0 && len(processesNaming(t, temp)) == 0
			}, goneLimit, 50*time.Millisecond)
		})
	}
}

// A test process that is killed while its servers are starting leaves nothing
// either, whatever it was doing.
func TestNothingIsLeftBehindWhenKilledWhileStarting(t *testing.T) {
	Need(t, needAll())
	for _, after := range []int{20, 100, 250, 500, 800, 1500} {
		t.Run(fmt.Sprint(after, " ms"), func(t *testing.T) {
			t.Parallel()
			temp := publicTemp(t)
			process, _ := startHelper(t, temp, "wait", []Kind{LitePostgres})
			// Not an assertion: the moment only has to vary.
			time.AfterFunc(time.Duration(after)*time.Millisecond, func() { _ = process.Process.Kill() })
			require.Error(t, process.Wait())
			t.Cleanup(func() {
				if t.Failed() {
					t.Log("left behind:", foldersIn(t, temp), processesNaming(t, temp))
				}
			})
			require.Eventually(t, func() bool {
				return len(foldersIn(t, temp)) == 0 && len(processesNaming(t, temp)) == 0
			}, goneLimit, 50*time.Millisecond)
		})
	}
}

func needAll() error {
	if _, err := postgresPrograms(); err != nil {
		return err
	}
	if _, err := nodeProgram(); err != nil {
		return err
	}
	_, err := npmPackages(context.Background())
	return err
}

// publicTemp is a folder for temporary folders that every user may enter.
func publicTemp(t *testing.T) string {
	temp, err := os.MkdirTemp("/tmp", "supavigil-ending-") //nolint:usetesting // t.TempDir is closed to others
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(temp)) })
	require.NoError(t, os.Chmod(temp, 0o777)) //nolint:gosec // that is the point
	return temp
}

func startHelper(t *testing.T, temp, ending string, kinds []Kind) (*exec.Cmd, *bufio.Reader) {
	process := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test binary
	process.Env = append(os.Environ(), helperVariable+"=ending", "ENDING="+ending, "KINDS="+strings.Trim(fmt.Sprint(kinds), "[]"), "TMPDIR="+temp)
	output, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	return process, bufio.NewReader(output)
}

// anyLeft tells whether anything of what was started is still there.
func anyLeft(have started) bool {
	for _, group := range have.Groups {
		if !gone(-group) {
			return true
		}
	}
	for _, pid := range have.Pids {
		if !gone(pid) {
			return true
		}
	}
	for _, port := range have.Ports {
		dialer := net.Dialer{Timeout: time.Second}
		if connection, err := dialer.DialContext(context.Background(), "tcp", address(port)); err == nil {
			_ = connection.Close()
			return true
		}
	}
	return sharedMemoryOf(have.Groups)
}

// sharedMemoryOf tells whether a System V segment that one of the processes made
// is left: a postmaster that was killed outright leaves one. Linux only.
func sharedMemoryOf(pids []int) bool {
	table, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line) // key, id, mode, size, creator, …
		if creator, err := strconv.Atoi(fields[4]); err == nil && slices.Contains(pids, creator) {
			return true
		}
	}
	return false
}

func foldersIn(t *testing.T, temp string) []string {
	entries, err := filepath.Glob(filepath.Join(temp, "*"))
	require.NoError(t, err)
	return entries
}

// processesNaming lists processes whose command names a folder: watchdogs, and
// all servers. Without /proc there are none to see.
func processesNaming(t *testing.T, folder string) []string {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		if command, err := os.ReadFile(file); err == nil && strings.Contains(string(command), folder) {
			found = append(found, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}
