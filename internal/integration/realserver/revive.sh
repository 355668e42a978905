# Runs the server "$@" and, if it ends with code 75, runs it again until it
# stays. TERM ends it with SIGKILL; this shell is gone when the server is.
trap 'kill -s KILL "$server" 2>/dev/null; wait "$server"; exit 137' TERM

run() {
	"$@" &
	server=$!
	wait "$server"
}

run "$@"
code=$?
[ "$code" -eq 75 ] || exit "$code"
until run "$@"; do sleep 0.1; done
