package supabase

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// noAnswer is the cause of an Error without a status: ErrUnavailable, and what
// the network said below it.
type noAnswer struct {
	text string
	err  error // nil where unwrapping would mislead or show too much
}

func (n *noAnswer) Error() string        { return n.text }
func (n *noAnswer) Unwrap() error        { return n.err }
func (n *noAnswer) Is(target error) bool { return target == ErrUnavailable }

// quoted is what net/http quotes in its errors: bytes of the answer.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

const (
	unheard   = "no answer: "
	brokenOff = "the answer broke off: "
)

// newNoAnswer describes err in one line, after what happened, without what a server
// sent and without the request's URL, which has the query. It does not unwrap to a
// context's error, since only the caller's own context may show as one, nor to the
// error of another request, which a Transport may have made, nor to anything that
// holds the key. proxied says that there was no connection yet, and that a proxy was
// asked for one.
func newNoAnswer(happened string, err error, proxied bool, hideKey func(string) string, url *strings.Replacer) *noAnswer {
	const proxyRefused = "the proxy refused the connection: "
	said := err.Error()
	n := &noAnswer{err: err}
	_, ofAnother := errors.AsType[*Error](err)
	if ofAnother || hideKey(said) != said || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		n.err = nil
	}
	_, malformed := errors.AsType[textproto.ProtocolError](err)
	network, failed := errors.AsType[*net.OpError](err)
	switch {
	case malformed:
		said = "malformed header"
	case failed && network.Op == "proxyconnect":
		said = "the proxy cannot be reached: " + network.Err.Error()
	case failed && network.Op == "socks connect":
		said = proxyRefused + network.Error()
	case failed:
		said = network.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		said = "the connection was closed"
	case proxied && reflect.TypeOf(err) == reflect.TypeOf(io.EOF) && !strings.HasPrefix(said, "tls: "):
		// net/http hands on the text of the proxy's status as a bare error.
		said = proxyRefused + cmp.Or(said, "it gave no reason")
	}
	n.text = happened + cut(hideKey(url.Replace(quoted.ReplaceAllString(said, strconv.Quote("…")))), maxMessage)
	return n
}

// neverSent tells from an error alone that there was no connection: all that can
// be known of a Transport which does not call net/http's hooks.
func neverSent(err error) bool {
	if _, ofAnother := errors.AsType[*Error](err); ofAnother {
		return false
	}
	network, ok := errors.AsType[*net.OpError](err)
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	return noTLS || certificateRefused(err) ||
		ok && (network.Op == "dial" || network.Op == "proxyconnect" || network.Op == "socks connect")
}

// proxied says that a request got no connection, and would have had it through
// a proxy.
func proxied(transport http.RoundTripper, request *http.Request, clock *clock) bool {
	pool, ok := transport.(*http.Transport)
	if !ok || pool.Proxy == nil || !clock.neverConnected() {
		return false
	}
	proxy, err := pool.Proxy(request)
	return err == nil && proxy != nil
}

// certificateRefused says that the server is not who it should be, which trying
// again does not change.
func certificateRefused(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
