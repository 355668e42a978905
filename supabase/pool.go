package supabase

import (
	"net"
	"net/http"
	"time"
)

// pool is the one connection pool of the process, and the only thing that this
// package keeps between operations. net/http's own default keeps two idle
// connections per host, so that many callers would dial for nearly every
// request.
var pool = newPool()

func newPool() *http.Transport {
	dialer := &net.Dialer{
		Timeout: 5 * time.Second,
		// A connection that is silent for 25 s is given up while it idles.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
	}
	return &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		DialContext:       dialer.DialContext,
		ForceAttemptHTTP2: true,
		// While dials are under way net/http hands connections that come free to
		// whoever waits, and dials again for those who return: without a limit, 64
		// callers on a busy machine opened up to 96. Further callers wait.
		MaxConnsPerHost:        64,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		// A dead connection lingers at the edge unless it is pinged. Together
		// the two stay under the time limit of an attempt, so that silence
		// costs one attempt and the next one dials.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 3 * time.Second, PingTimeout: 2 * time.Second},
	}
}
