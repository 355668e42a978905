package main

import (
	"slices"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
	"github.com/supavigil/supavigil/internal/integration/bench/load"
)

// metric is one of the things that are measured.
type metric string

const (
	perSecond   metric = "requests/s"
	p50         metric = "p50 ms"
	p99         metric = "p99 ms"
	p999        metric = "p99.9 ms"
	cpu         metric = "CPU µs"
	allocations metric = "allocations"
	bytesEach   metric = "bytes"
	connections metric = "connections"
)

func metrics() []metric {
	return []metric{perSecond, p50, p99, p999, cpu, allocations, bytesEach, connections}
}

// of returns what was measured; it is negative where it was not.
func (m metric) of(measured load.Measurement) float64 {
	switch m {
	case perSecond:
		return measured.PerSecond
	case p50:
		return measured.P50
	case p99:
		return measured.P99
	case p999:
		return measured.P999
	case cpu:
		return measured.CPU
	case allocations:
		return measured.Allocations
	case bytesEach:
		return measured.Bytes
	case connections:
		return measured.Connections
	default:
		return -1
	}
}

// Spread is what the rounds gave.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spreadOf(values []float64) Spread {
	slices.Sort(values)
	middle := len(values) / 2
	median := values[middle]
	if len(values)%2 == 0 {
		median = (values[middle-1] + values[middle]) / 2
	}
	return Spread{Median: median, Min: values[0], Max: values[len(values)-1]}
}

// Summary is a client at a cell, over all rounds.
type Summary struct {
	Cell
	Client   clients.Name `json:"client"`
	Requests int          `json:"requests"` // in all rounds
	Errors   int          `json:"errors"`
	Error    string       `json:"error,omitempty"` // the first

	Values map[metric]Spread `json:"values"`
	// Ratios are the values over those of the client hand-written, taken in
	// each round by itself: so what slowed a whole round down cancels out.
	Ratios map[metric]Spread `json:"ratios"`
}

// summarize puts the rounds together, in the order of the records.
func summarize(records []Record) []Summary {
	var summaries []Summary
	for _, first := range records {
		if slices.ContainsFunc(summaries, func(s Summary) bool { return s.Cell == first.Cell && s.Client == first.Client }) {
			continue
		}
		s := Summary{Cell: first.Cell, Client: first.Client, Values: map[metric]Spread{}}
		for _, record := range pick(records, first.Cell, first.Client) {
			s.Requests += record.Requests
			s.Errors += record.Errors
			if s.Error == "" {
				s.Error = record.Error
			}
		}
		for _, m := range metrics() {
			var values []float64
			for _, record := range pick(records, first.Cell, first.Client) {
				if value := m.of(record.Measurement); value >= 0 {
					values = append(values, value)
				}
			}
			if values != nil {
				s.Values[m] = spreadOf(values)
			}
		}
		s.Ratios = ratios(records, first.Cell, first.Client, clients.HandWritten)
		summaries = append(summaries, s)
	}
	return summaries
}

// ratios compares two clients round by round.
func ratios(records []Record, cell Cell, client, against clients.Name) map[metric]Spread {
	all := map[metric]Spread{}
	for _, m := range metrics() {
		var values []float64
		for _, mine := range pick(records, cell, client) {
			for _, other := range pick(records, cell, against) {
				a, b := m.of(mine.Measurement), m.of(other.Measurement)
				if mine.Round == other.Round && a >= 0 && b > 0 {
					values = append(values, a/b)
				}
			}
		}
		if values != nil {
			all[m] = spreadOf(values)
		}
	}
	return all
}

func pick(records []Record, cell Cell, client clients.Name) []Record {
	var found []Record
	for _, record := range records {
		if record.Cell == cell && record.Client == client {
			found = append(found, record)
		}
	}
	return found
}
