package main

import (
	"slices"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
)

// Protocol is how a server is spoken to.
type Protocol string

// The protocols. All but RealServer are the canned server's.
const (
	HTTP1      Protocol = "http1"
	TLS1       Protocol = "tls1"
	TLS2       Protocol = "tls2"
	RealServer Protocol = "real"
)

// Title names a protocol for readers.
func (p Protocol) Title() string {
	switch p {
	case HTTP1:
		return "HTTP/1.1"
	case TLS1:
		return "TLS, HTTP/1.1"
	case TLS2:
		return "TLS, HTTP/2"
	case RealServer:
		return "real server"
	default:
		return string(p)
	}
}

// Cell is what all clients are measured at, one after the other.
type Cell struct {
	Protocol Protocol     `json:"protocol"`
	Case     clients.Case `json:"case"`
	Callers  int          `json:"callers"`
}

// usual is the number of callers that most goals are about.
const usual = 64

// grid returns the cells to measure, those of a protocol together. Unless all
// are asked for, it leaves out what takes long and says little; see telling. A
// real server is measured with the usual number of callers only.
func grid(o options) []Cell {
	var cells []Cell
	protocols := []Protocol{HTTP1, TLS1, TLS2}
	if o.real {
		protocols = append(protocols, RealServer)
	}
	for _, protocol := range protocols {
		for _, name := range clients.Cases() {
			for _, callers := range []int{1, 8, usual, 256} {
				cell := Cell{Protocol: protocol, Case: name, Callers: callers}
				if o.wants(cell) && (cell.telling() || o.full && protocol != RealServer) {
					cells = append(cells, cell)
				}
			}
		}
	}
	return cells
}

// telling tells whether a cell is among those that are measured by default: all
// with the usual number of callers; with other numbers, Create over every
// protocol, and over plain HTTP the other cases too. There lists of 1,000 rows,
// of which even one call from each of 256 callers takes seconds, have one caller.
func (c Cell) telling() bool {
	switch {
	case c.Callers == usual:
		return true
	case c.Protocol == RealServer:
		return false
	case c.Case == clients.Create:
		return true
	case c.Protocol != HTTP1:
		return false
	case c.Case == clients.FindAll1000, c.Case == clients.CreateMany:
		return c.Callers == 1
	default:
		return true
	}
}

func (o options) wants(cell Cell) bool {
	return among(o.protocols, cell.Protocol) && among(o.cases, cell.Case) && among(o.callers, cell.Callers)
}

// among tells whether a filter lets a value through; an empty one lets all.
func among[T comparable](filter []T, value T) bool {
	return len(filter) == 0 || slices.Contains(filter, value)
}

// can tells whether a client speaks a protocol.
func can(client clients.Name, protocol Protocol) bool {
	// Node's fetch speaks HTTP/1.1 alone.
	return client != clients.PostgrestJS || protocol != TLS2
}
