package canned

import (
	"bufio"
	"bytes"
	"errors"
	"net"
)

// serve1 accepts connections that speak HTTP/1.1 until the listener is closed.
func (s *server) serve1(listener net.Listener) error {
	for {
		connection, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go s.connection1(connection)
	}
}

// connection1 answers one request after the other. It knows just enough of HTTP
// for the clients of the bench: net/http's server costs about as much per
// request as a client does, and the two share a machine.
func (s *server) connection1(connection net.Conn) {
	defer connection.Close() //nolint:errcheck // nothing is lost
	in := bufio.NewReaderSize(connection, 32<<10)
	wake := make(chan struct{}, 1)
	for {
		q, err := read1(in)
		if err != nil {
			return // the client closed it, or did not speak HTTP/1.1
		}
		s.clock.wait(wake)
		if _, err := connection.Write(s.answers.to(q).wire); err != nil {
			return
		}
	}
}

var errRequest = errors.New("not a request that this server reads")

// read1 reads one request to its end.
func read1(in *bufio.Reader) (request, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return request{}, err
	}
	method, rest, ok := bytes.Cut(line, []byte{' '})
	uri, _, ok2 := bytes.Cut(rest, []byte{' '})
	if !ok || !ok2 {
		return request{}, errRequest
	}
	q := ask(method, uri)
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return request{}, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.TrimLeft(value, " ")
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			length = number(value)
		case bytes.EqualFold(name, []byte("transfer-encoding")), bytes.EqualFold(name, []byte("expect")):
			return request{}, errRequest // no client of the bench sends them
		case bytes.EqualFold(name, []byte("accept")):
			q.accept(value)
		case bytes.EqualFold(name, []byte("prefer")):
			q.prefer(value)
		}
	}
	_, err = in.Discard(length)
	return q, err
}
