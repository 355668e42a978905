package canned

import "time"

// delay is how long every answer waits: what a fast server needs.
const delay = 500 * time.Microsecond

// waiter is a connection that waits for its answer's time.
type waiter struct {
	due  time.Time
	wake chan<- struct{}
}

// clock wakes waiters one after the other: all wait for the same time, so who
// came first is due first. A timer of each connection would not do: while a Go
// program has nothing else to do, its timers are rounded up to a millisecond,
// since it waits in epoll_wait. This one waits by pause, which does better.
type clock chan waiter

func newClock() clock {
	c := make(clock, 4096)
	go c.run()
	return c
}

func (c clock) run() {
	for w := range c {
		if left := time.Until(w.due); left > 0 {
			pause(left)
		}
		w.wake <- struct{}{}
	}
}

// wait waits for delay. wake is the connection's own, of capacity 1.
func (c clock) wait(wake chan struct{}) {
	c <- waiter{due: time.Now().Add(delay), wake: wake}
	<-wake
}
