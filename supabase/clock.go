package supabase

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// clock ends an attempt when its time is over, and knows by net/http's own hooks
// whether the request had a connection. While the request waits for a place in the
// pool the clock stands still: it begins with a connection, or with a dial.
type clock struct {
	limit  time.Duration
	timer  *time.Timer
	cancel context.CancelFunc
	trace  httptrace.ClientTrace

	state            atomic.Int32
	asked, connected atomic.Bool
}

const (
	clockFresh int32 = iota
	clockWaiting
	clockRunning // for good
)

// startClock returns a context that ends with the attempt. Of what is no
// *http.Transport nothing is known but that it honours the context: its time
// begins at once.
func startClock(ctx context.Context, limit time.Duration, transport http.RoundTripper) (context.Context, *clock) {
	c := &clock{limit: limit}
	pool, ok := transport.(*http.Transport)
	if !ok {
		ctx, c.cancel = context.WithTimeout(ctx, limit)
		return ctx, c
	}
	ctx, c.cancel = context.WithCancel(ctx)
	c.timer = time.AfterFunc(limit, c.cancel)
	c.trace.GetConn = c.ask
	c.trace.GotConn = c.connect
	if pool.MaxConnsPerHost > 0 { // else nobody waits, and a dialer that calls no hooks is timed as well
		c.trace.DNSStart = func(httptrace.DNSStartInfo) { c.begin() }
		c.trace.ConnectStart = func(string, string) { c.begin() }
	} else {
		c.state.Store(clockRunning)
	}
	return httptrace.WithClientTrace(ctx, &c.trace), c
}

// ask is called once more when net/http sends a request again, which for a write
// it does only where a connection took nothing of it.
func (c *clock) ask(string) {
	c.asked.Store(true)
	c.connected.Store(false)
	if c.state.CompareAndSwap(clockFresh, clockWaiting) {
		c.timer.Stop()
	}
}

func (c *clock) connect(httptrace.GotConnInfo) {
	c.connected.Store(true)
	c.begin()
}

// begin may be called by a dial that outlives its attempt.
func (c *clock) begin() {
	if c.state.CompareAndSwap(clockWaiting, clockRunning) {
		c.timer.Reset(c.limit)
	}
}

func (c *clock) stop() {
	c.state.Store(clockRunning)
	if c.timer != nil {
		c.timer.Stop()
	}
	c.cancel()
}

// neverConnected says for certain that the request went nowhere.
func (c *clock) neverConnected() bool { return c.asked.Load() && !c.connected.Load() }
