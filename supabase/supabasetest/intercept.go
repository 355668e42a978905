package supabasetest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
)

// Intercept registers a handler that sees requests before the double does. The
// first request for which it returns true has been handled by it, and it falls
// away; false leaves the request to the next interceptor, in the order of
// registration, or to the double, and it stays. Each gets the whole body.
//
// A handler that has begun to answer, or panics, has handled the request too:
// panic(http.ErrAbortHandler) breaks the connection off. To carry a request out
// and lose the answer, call [Server.ServeHTTP] with a recorder before that.
// [http.NewResponseController] works on w, Hijack and Flush included. A request
// that is to get no answer at all waits for its client to leave:
//
//	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
//		<-r.Context().Done()
//		return true
//	})
//
// Calls of one handler do not overlap: further requests wait until it has
// returned, begun to answer, panicked or lost its client. When they are to be
// served while one hangs, hijack its connection and return true; Close closes
// hijacked connections.
func (s *Server) Intercept(handle func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interceptors = append(s.interceptors, &interceptor{handle: handle})
}

// intercepted offers a request to the interceptors and says whether one of them
// has handled it.
func (s *Server) intercepted(w http.ResponseWriter, r *http.Request, data []byte) bool {
	s.mu.Lock()
	waiting := slices.Clone(s.interceptors)
	s.mu.Unlock()
	for _, i := range waiting {
		r.Body = newBody(data)
		if s.offer(i, w, r) {
			return true
		}
	}
	return false
}

func (s *Server) offer(i *interceptor, w http.ResponseWriter, r *http.Request) (handled bool) {
	turn := i.take(r.Context())
	if turn == nil {
		return false
	}
	writer := &interceptedWriter{ResponseWriter: w, begin: func() { turn.end(true) }}
	returned := false
	defer func() {
		// A panic, and the runtime.Goexit of a failed assertion, pass through here.
		if handled = turn.end(handled || !returned); handled {
			s.drop(i)
		}
	}()
	handled = i.handle(writer, r)
	returned = true
	return handled
}

func (s *Server) drop(i *interceptor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interceptors = slices.DeleteFunc(s.interceptors, func(other *interceptor) bool { return other == i })
}

// interceptor is a handler for one request. It is called for one request at a
// time: were it called for two at once, it could handle both.
type interceptor struct {
	handle func(http.ResponseWriter, *http.Request) bool

	mu      sync.Mutex
	spent   bool
	current *turn
}

// turn is one call of an interceptor.
type turn struct {
	of      *interceptor
	client  context.Context
	decided chan struct{} // closed when it is known whether the request is handled
}

// take waits for its turn. It returns nil when the interceptor has handled a
// request, or when nothing is to be expected of it: its client has left.
func (i *interceptor) take(client context.Context) *turn {
	for {
		i.mu.Lock()
		if i.spent {
			i.mu.Unlock()
			return nil
		}
		current := i.current
		if current == nil {
			i.current = &turn{of: i, client: client, decided: make(chan struct{})}
			defer i.mu.Unlock()
			return i.current
		}
		i.mu.Unlock()
		select {
		case <-current.decided:
		case <-current.client.Done():
			return nil
		case <-client.Done():
			return nil
		}
	}
}

// end says once whether the request is handled; a later call cannot change it.
// It returns what holds.
func (t *turn) end(handled bool) bool {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	if t.of.current != t {
		return true // it had begun to answer
	}
	t.of.spent, t.of.current = handled, nil
	close(t.decided)
	return handled
}

// interceptedWriter notices when an interceptor begins to answer.
type interceptedWriter struct {
	http.ResponseWriter
	begin func()
	once  sync.Once
}

// Unwrap serves http.ResponseController.
func (w *interceptedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *interceptedWriter) WriteHeader(status int) {
	w.once.Do(w.begin)
	w.ResponseWriter.WriteHeader(status)
}

func (w *interceptedWriter) Write(data []byte) (int, error) {
	w.once.Do(w.begin)
	return w.ResponseWriter.Write(data)
}

// Flush serves those who ask for an http.Flusher.
func (w *interceptedWriter) Flush() { _ = w.FlushError() }

// FlushError serves http.ResponseController.
func (w *interceptedWriter) FlushError() error {
	w.once.Do(w.begin)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack serves http.ResponseController and those who ask for an http.Hijacker.
func (w *interceptedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.once.Do(w.begin)
	return http.NewResponseController(w.ResponseWriter).Hijack()
}
