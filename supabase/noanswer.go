package supabase

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
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

// brokenOff marks what went wrong after an answer had begun.
type brokenOff struct{ err error }

func (b *brokenOff) Error() string { return "the answer broke off: " + b.err.Error() }
func (b *brokenOff) Unwrap() error { return b.err }

// quoted is what net/http quotes in its errors: bytes of the answer.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// newNoAnswer describes err in one line without what a server sent and without
// the request's URL, which has the query. It does not
// unwrap to a context's error, since only the caller's own context may show as
// one, nor to anything that holds the key.
func newNoAnswer(err error, hideKey func(string) string, url *strings.Replacer) *noAnswer {
	prefix, said := "no answer: ", err.Error()
	n := &noAnswer{err: err}
	if hideKey(said) != said || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		n.err = nil
	}
	if broken, ok := errors.AsType[*brokenOff](err); ok {
		prefix, said = "the answer broke off: ", broken.err.Error()
	}
	_, malformed := errors.AsType[textproto.ProtocolError](err)
	network, failed := errors.AsType[*net.OpError](err)
	switch {
	case malformed:
		said = "malformed header"
	case failed:
		said = network.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		said = "the connection was closed"
	}
	n.text = prefix + hideKey(url.Replace(quoted.ReplaceAllString(said, strconv.Quote("…"))))
	return n
}

// dialFailed says that there was never a connection, so nothing was sent.
func dialFailed(err error) bool {
	network, ok := errors.AsType[*net.OpError](err)
	return ok && (network.Op == "dial" || network.Op == "proxyconnect")
}

// certificateRefused says that the server is not who it should be, which trying
// again does not change.
func certificateRefused(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
