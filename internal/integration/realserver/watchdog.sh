# Makes the folder $1 and, when standard input ends, stops the process group that
# its file run/pid names, and removes it. That file has two words, the group's
# number and the signal that ends it; 0 lets it finish. The test process holds
# the other end of standard input, so its end, however it comes, is what starts
# the cleaning up.

# The watchdog outlives an interrupt at the terminal, which reaches every process.
trap '' HUP INT QUIT TERM PIPE

mkdir -m 700 "$1" "$1/run" || exit 1
echo ready
while read -r _; do :; done

# Renamed first: a program on its way up finds no place for its pid, and ends by
# itself; one that has written it is found below.
mv "$1/run" "$1/ended" || exit 1

ended() { # waits until the group is gone, at most 600 × 0.05 s
	tries=0
	while kill -s 0 -- "-$pid" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -le 600 ] || return 1
		sleep 0.05
	done
}

if read -r pid signal 2>/dev/null <"$1/ended/pid"; then
	kill -s "$signal" -- "-$pid" 2>/dev/null
	ended || {
		kill -s KILL -- "-$pid" 2>/dev/null
		ended
	}
fi
rm -rf "$1"
