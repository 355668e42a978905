package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
	"github.com/supavigil/supavigil/internal/integration/bench/load"
	"github.com/supavigil/supavigil/internal/integration/realserver"
)

// Record is one measurement of one client.
type Record struct {
	Cell
	Client clients.Name `json:"client"`
	Round  int          `json:"round"`
	load.Measurement
}

// rounds measures all cells, round after round. At each cell the clients follow
// on one another, so that what is compared was measured within seconds; each
// round starts with another client, so that none always goes first.
func (b *bench) rounds(ctx context.Context, cells []Cell) ([]Record, error) {
	if len(cells) == 0 {
		return nil, errors.New("the filters leave nothing to measure; -full may have it")
	}
	var records []Record
	began, done := time.Now(), 0
	for round := range b.options.rounds {
		for _, cell := range cells {
			for i := range b.clients {
				client := b.clients[(i+round)%len(b.clients)]
				record, ok, err := b.one(ctx, cell, client, round)
				if err != nil {
					return nil, fmt.Errorf("%s, %s, %s, %d callers: %w", client, cell.Protocol.Title(), cell.Case, cell.Callers, err)
				}
				if ok {
					records = append(records, record)
				}
			}
			done++
			left := time.Since(began) / time.Duration(done) * time.Duration(len(cells)*b.options.rounds-done)
			b.say("round %d of %d: %s, %s, %d callers; %s left\n",
				round+1, b.options.rounds, cell.Protocol.Title(), cell.Case, cell.Callers, left.Round(time.Second))
		}
	}
	return records, nil
}

// slower is how many times as long postgrest-js warms up: V8 goes on compiling
// what is called often, and a second after its start a request costs a third of
// what the first ones did.
const slower = 8

// one measures one client at one cell. It is false where the client cannot.
func (b *bench) one(ctx context.Context, cell Cell, client clients.Name, round int) (Record, bool, error) {
	if !can(client, cell.Protocol) {
		return Record{}, false, nil
	}
	j := job{
		Client: client, Case: cell.Case, Callers: cell.Callers,
		WarmUp: b.options.warmUp, Duration: b.options.duration, Requests: b.options.requests,
	}
	if client == clients.PostgrestJS {
		j.WarmUp *= slower
	}
	if b.options.profile != "" {
		name := fmt.Sprintf("%s-%s-%s-%d-round%d.pprof", client, strings.ReplaceAll(string(cell.Case), "/", "-"), cell.Protocol, cell.Callers, round+1)
		j.Profile = filepath.Join(b.options.profile, name)
	}
	var result outcome
	var err error
	if cell.Protocol == RealServer {
		result, err = b.oneReal(ctx, j)
	} else {
		result, err = b.oneCanned(ctx, j, cell.Protocol)
	}
	return Record{Cell: cell, Client: client, Round: round, Measurement: result.Measurement}, !result.Unsupported, err
}

func (b *bench) oneCanned(ctx context.Context, j job, protocol Protocol) (outcome, error) {
	before, err := b.server.connections(ctx, protocol)
	if err != nil {
		return outcome{}, err
	}
	result, err := b.measure(ctx, j, b.server.target(protocol))
	if err != nil {
		return outcome{}, err
	}
	after, err := b.server.connections(ctx, protocol)
	result.Connections = float64(after - before)
	return result, err
}

func (b *bench) oneReal(ctx context.Context, j job) (outcome, error) {
	t := b.real.target()
	if t.url == "" && j.Client == clients.SupabaseGo {
		return outcome{Unsupported: true}, nil // it takes no bare PostgREST
	}
	if err := b.real.ready(ctx); err != nil {
		return outcome{}, err
	}
	j.PostgresTimes = b.real.rest.Kind == realserver.LitePostgres
	return b.measure(ctx, j, t)
}
