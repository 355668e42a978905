package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/alertevent"
	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// A stand is a double with its tables stocked, a TCP proxy before it where one
// is asked for, and the models.
type stand struct {
	double *supabasetest.Server
	proxy  *toxiproxy.Proxy
	checks healthcheck.HealthCheckModel
	alerts alertevent.AlertEventModel

	config supabase.Config
	// trips is how many requests were handed to the transport, and heal is
	// called before the second of them. Only with a proxy.
	trips atomic.Int64
	heal  func()
	// listen is where the proxy is now, wherever the URL points.
	listen atomic.Pointer[string]
}

func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{double: supabasetest.NewServer()}
	t.Cleanup(s.double.Close)
	stock(t, s.double)
	s.config = s.double.Config()
	return s
}

// withProxy puts a proxy before the double, and a pool of the stand's own, which
// can be watched, below the client.
func (s *stand) withProxy(t *testing.T) {
	t.Helper()
	s.startProxy(t)
	t.Cleanup(func() { s.proxy.Stop() })
	s.config.URL = "http://" + s.proxy.Listen
	pool := &http.Transport{
		MaxIdleConnsPerHost: 256,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, *s.listen.Load())
		},
	}
	t.Cleanup(pool.CloseIdleConnections)
	s.config.Transport = &watched{Transport: pool, stand: s}
}

func (s *stand) startProxy(t *testing.T) {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	upstream := strings.TrimPrefix(s.double.URL, "http://")
	require.NoError(t, onFreePort(func(address string) error {
		s.proxy = toxiproxy.NewProxy(server, "proxy", address, upstream)
		return s.proxy.Start()
	}))
	s.listen.Store(&s.proxy.Listen)
}

// renew replaces the proxy with one that does no harm, on another port: somebody
// may have taken the old one. Who is connected is disconnected. Taking toxics away
// from links whose client has left can block for good.
func (s *stand) renew(t *testing.T) {
	t.Helper()
	s.proxy.Stop()
	s.startProxy(t)
}

// toxic makes the proxy do harm; see toxiproxy for what there is.
func (s *stand) toxic(t *testing.T, toxic string) {
	t.Helper()
	_, err := s.proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
	require.NoError(t, err)
}

// onFreePort calls start until it finds an address free. Ports are below those
// that systems choose for clients: in that range, who dials a port that nobody
// listens on can reach itself.
func onFreePort(start func(address string) error) error {
	var err error
	for range 100 {
		port := strconv.Itoa(15000 + rand.IntN(17000)) //nolint:gosec // not a secret
		if err = start(net.JoinHostPort("127.0.0.1", port)); err == nil {
			return nil
		}
	}
	return err
}

// watched counts the requests of a stand, and heals what breaks them.
type watched struct {
	*http.Transport
	stand *stand
}

func (w *watched) RoundTrip(request *http.Request) (*http.Response, error) {
	if w.stand.trips.Add(1) == 2 && w.stand.heal != nil {
		w.stand.heal()
	}
	return w.Transport.RoundTrip(request)
}

// outcome is what a caller sees of one call.
type outcome struct {
	result   string
	err      *supabase.Error
	attempts int // as logged: requests and retries
	took     time.Duration
}

// run calls an operation with the stand's configuration.
func (s *stand) run(ctx context.Context, t *testing.T, o operation) outcome {
	t.Helper()
	s.checks.Connect, s.alerts.Connect = s.config.ServiceClient, s.config.ServiceClient
	var logged bytes.Buffer
	ctx = zerolog.New(&logged).WithContext(ctx)
	began := time.Now()
	result, err := o.call(ctx, s)
	got := outcome{result: result, took: time.Since(began)}
	if err != nil {
		require.ErrorAs(t, err, &got.err)
		require.Empty(t, result)
	}
	event := struct{ Requests, Retries int }{}
	require.NoError(t, json.Unmarshal(logged.Bytes(), &event), "one event: %s", &logged)
	got.attempts = event.Requests + event.Retries
	withoutKey(t, string(s.config.Key), logged.String(), err)
	return got
}

// withoutKey wants the key in nothing that a caller can print of an error: what
// is logged, every verb of fmt on it and on all that it wraps, and its JSON.
func withoutKey(t *testing.T, key, logged string, err error) {
	t.Helper()
	require.NotEmpty(t, key)
	printed := []string{logged}
	for ; err != nil; err = errors.Unwrap(err) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p"} {
			printed = append(printed, fmt.Sprintf(verb, err))
		}
		encoded, _ := json.Marshal(err) //nolint:errchkjson // what cannot be encoded prints nothing
		printed = append(printed, string(encoded))
	}
	for _, text := range printed {
		for _, form := range []string{key, fmt.Sprintf("%x", key), fmt.Sprintf("%X", key), fmt.Sprintf("%d", []byte(key))} {
			require.NotContains(t, text, form)
		}
	}
}

// classes names the sentinels that an error is.
func classes(err error) []string {
	found := []string{}
	for name, class := range map[string]error{
		"invalid": supabase.ErrInvalid, "not found": supabase.ErrNotFound, "conflict": supabase.ErrConflict,
		"permission": supabase.ErrPermission, "schema": supabase.ErrSchema, "unavailable": supabase.ErrUnavailable,
		"canceled": context.Canceled, "deadline": context.DeadlineExceeded,
	} {
		if errors.Is(err, class) {
			found = append(found, name)
		}
	}
	return found
}
