package supabase

import (
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// placesPerHost is how many connections to a host are open at once.
const placesPerHost = 64

// pools and the client opened last are all that this package keeps between
// operations.
var pools hostPools

// hostPools has a pool for each host, so that a host that fell silent takes no
// connections of others with it.
type hostPools struct {
	mutex  sync.Mutex
	byHost map[string]*hostPool
}

// maxHosts bounds what a program keeps that speaks to ever new hosts. A client of a
// host whose pool was let go keeps using it.
const maxHosts = 256

func (h *hostPools) of(rest *url.URL) *hostPool {
	host := rest.Scheme + "://" + rest.Host
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if pool, ok := h.byHost[host]; ok {
		return pool
	}
	if h.byHost == nil {
		h.byHost = map[string]*hostPool{}
	}
	for other, pool := range h.byHost { // any
		if len(h.byHost) < maxHosts {
			break
		}
		pool.current.Load().CloseIdleConnections()
		delete(h.byHost, other)
	}
	pool := &hostPool{}
	pool.current.Store(newPool())
	h.byHost[host] = pool
	return pool
}

// hostPool is a pool that can be given up for a new one.
type hostPool struct {
	current atomic.Pointer[http.Transport]
}

// abandon has the next attempts dial: no connection of used is taken again, not
// even one of HTTP/2 on which others still wait.
func (p *hostPool) abandon(used *http.Transport) {
	if p.current.Load() == used && p.current.CompareAndSwap(used, used.Clone()) {
		used.CloseIdleConnections() // HTTP/1 closes those still in use when they become idle, HTTP/2 after IdleConnTimeout
	}
}

// newPool returns a pool for one host. net/http's own default keeps two idle
// connections per host, so that many callers would dial for nearly every request.
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
		MaxConnsPerHost:        placesPerHost,
		MaxIdleConnsPerHost:    placesPerHost,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		// A dead connection lingers at the edge unless it is pinged. Together
		// the two stay under the default time limit of an attempt.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 3 * time.Second, PingTimeout: 2 * time.Second},
	}
}
