// Package faults_test attacks the library as networks and platforms do, and
// counts what is left: every fault on every operation, through a TCP proxy and
// through the double; many writers on a network that loses answers, on servers
// that are killed; callers that give up at any point; and long runs.
//
// Each test is bounded so that all of them take a minute or two. With
// SUPAVIGIL_LONG=1 they run at full length:
//
//	SUPAVIGIL_LONG=1 go -C internal/integration test -v -timeout 60m ./faults
package faults_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/internal/integration/realserver"
)

func TestMain(m *testing.M) {
	// They wait, most of the time: for time limits, and for servers to come back.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(realserver.Main(m),
		// A link of toxiproxy whose writer has ended is not read any more: what
		// still comes in blocks its goroutines for good. None of ours runs below
		// these.
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).write"),
	)
}

// long says that the tests run at full length.
func long() bool { return os.Getenv("SUPAVIGIL_LONG") == "1" }

// bounded is how much of something a test does.
func bounded(normal, full int) int {
	if long() {
		return full
	}
	return normal
}
