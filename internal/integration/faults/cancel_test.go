package faults_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/supabase"
)

// A trap lies below the client. It notices when a call comes to a point, and
// counts the bodies that are open.
type trap struct {
	*http.Transport
	reading, closed func() // nil: not waited for
	bodies          atomic.Int64
}

func (p *trap) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := p.Transport.RoundTrip(request)
	if err == nil {
		p.bodies.Add(1)
		response.Body = &trappedBody{ReadCloser: response.Body, trap: p}
	}
	return response, err
}

type trappedBody struct {
	io.ReadCloser
	trap *trap
	once sync.Once
}

func (b *trappedBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	if n > 0 && b.trap.reading != nil {
		b.trap.reading()
	}
	return n, err
}

func (b *trappedBody) Close() error {
	b.once.Do(func() { b.trap.bodies.Add(-1) })
	if b.trap.closed != nil {
		b.trap.closed()
	}
	return b.ReadCloser.Close()
}

// A point is where a call is when its caller gives up.
type point struct {
	name string
	// handle answers in the double's place; nil: the double answers.
	handle func(w http.ResponseWriter, r *http.Request, reached func())
	// skip is how many requests the double answers before.
	skip int
	// set makes the trap notice the point.
	set func(p *trap, reached func())
	// classes of the error.
	classes []string
}

// patient is what a call would wait between tries, if it did not notice.
const patient = 20 * time.Second

func points() []point {
	canceled := []string{"canceled"}
	later := func(_ http.ResponseWriter, r *http.Request, reached func()) {
		reached()
		<-r.Context().Done()
	}
	return []point{
		{name: "before dialling", classes: canceled, set: func(_ *trap, reached func()) { reached() }},
		{name: "while connecting", classes: canceled, set: func(p *trap, reached func()) {
			p.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				reached()
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}},
		{name: "while waiting for headers", classes: canceled, handle: later},
		{name: "while waiting for a later page", classes: canceled, handle: later, skip: 1},
		{
			name: "in the body", classes: canceled,
			set: func(p *trap, reached func()) { p.reading = reached },
			handle: func(w http.ResponseWriter, r *http.Request, _ func()) {
				w.Header().Set("Content-Length", "1000")
				_, _ = io.WriteString(w, "[")
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			},
		},
		{
			name: "between tries", classes: []string{"canceled", "unavailable"},
			set: func(p *trap, reached func()) { p.closed = reached },
			handle: func(w http.ResponseWriter, _ *http.Request, _ func()) {
				w.Header().Set("Retry-After", strconv.Itoa(int(patient.Seconds())))
				w.WriteHeader(http.StatusServiceUnavailable)
			},
		},
	}
}

// Not parallel: it looks at all goroutines.
func TestCancel(t *testing.T) { //nolint:paralleltest // see above
	for _, p := range points() {
		for _, o := range operations() {
			if p.skip == 0 || o.requests > p.skip {
				t.Run(p.name+"/"+o.name, func(t *testing.T) { cancelAt(t, p, o) })
			}
		}
	}
}

func cancelAt(t *testing.T, p point, o operation) {
	t.Helper()
	earlier := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, earlier) }) // after all else is closed

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var canceled time.Time
	var once sync.Once
	reached := func() {
		once.Do(func() {
			canceled = time.Now()
			cancel()
		})
	}
	var requests atomic.Int64
	server := newCounted(t, func(w http.ResponseWriter, r *http.Request) bool {
		if p.handle == nil || requests.Add(1) <= int64(p.skip) {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body) // a server notices no sooner that its client has left
		p.handle(w, r, reached)
		return true
	})
	below := &trap{Transport: &http.Transport{}}
	t.Cleanup(below.CloseIdleConnections)
	if p.set != nil {
		p.set(below, reached)
	}
	config := server.config()
	config.Transport = below

	_, err := o.call(ctx, models(config))
	returned := time.Now()
	require.ErrorAs(t, err, new(*supabase.Error))
	found := classes(err)
	slices.Sort(found)
	require.Equal(t, p.classes, found)
	require.Less(t, returned.Sub(canceled), patient/2)
	require.Zero(t, below.bodies.Load(), "open bodies")
	require.Eventually(t, func() bool {
		open, _, _ := server.connections()
		return open <= idleAfter(p)
	}, time.Minute, 5*time.Millisecond, "connections beyond the pool")
}

// idleAfter is how many connections a call may leave in the pool: one where it
// was given up while none was in use.
func idleAfter(p point) int {
	if len(p.classes) > 1 {
		return 1
	}
	return 0
}
