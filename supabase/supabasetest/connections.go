package supabasetest

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// connections knows which connections are open and how many handlers run, so
// that Close can wait for the goroutines of both. The zero value is ready.
type connections struct {
	mu       sync.Mutex
	open     map[net.Conn]bool
	hijacked map[net.Conn]bool
	handlers int
	drained  chan struct{} // non-nil while drain waits
}

// note is the server's ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if c.open == nil {
			c.open, c.hijacked = map[net.Conn]bool{}, map[net.Conn]bool{}
		}
		c.open[conn] = true
	case http.StateHijacked: // http.Server forgets it here, but its client still waits
		delete(c.open, conn)
		c.hijacked[conn] = true
	case http.StateClosed:
		delete(c.open, conn)
	case http.StateActive, http.StateIdle: // open as before
	}
	c.signal()
}

// enter counts a handler in; what it returns counts it out.
func (c *connections) enter() (leave func()) {
	c.add(1)
	return func() { c.add(-1) }
}

func (c *connections) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handlers += n
	c.signal()
}

func (c *connections) signal() {
	if c.drained != nil && len(c.open) == 0 && c.handlers == 0 {
		close(c.drained)
		c.drained = nil
	}
}

// breakOff closes all connections, hijacked ones included.
func (c *connections) breakOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		_ = conn.Close() // note comes when its goroutine notices
	}
	for conn := range c.hijacked {
		_ = conn.Close() // the interceptor may have closed it
	}
	clear(c.hijacked)
}

// drain waits until no connection is open and no handler runs, for limit at
// most.
func (c *connections) drain(limit time.Duration) {
	c.mu.Lock()
	if c.drained == nil {
		c.drained = make(chan struct{})
	}
	drained := c.drained
	c.signal()
	c.mu.Unlock()

	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
}
