package supabasetest

import (
	"bytes"
	"runtime"
)

// inBubble says whether its caller runs in a bubble of testing/synctest, whose
// clock stands still while a goroutine of it waits for the network. Only the
// first line of a stack tells: "goroutine 7 [running, synctest bubble 1]:".
func inBubble() bool {
	stack := make([]byte, 128)
	header, _, _ := bytes.Cut(stack[:runtime.Stack(stack, false)], []byte("\n"))
	return bytes.Contains(header, []byte("synctest bubble"))
}
