package faults_test

import "testing"

// networkFaults happen on the way to the double and back.
func networkFaults() []fault {
	const unavailable = "unavailable"
	return []fault{
		{
			name: "refused", lost: true, class: unavailable,
			network: func(_ *testing.T, s *stand) { s.proxy.Stop() },
		},
		{
			name: "black hole for requests", lost: true, hangs: true, class: unavailable,
			network: toxic(`{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`),
		},
		{
			name: "black hole for answers", ran: true, hangs: true, class: unavailable,
			network: toxic(`{"type":"timeout","stream":"downstream","attributes":{"timeout":0}}`),
		},
		{
			name: "reset before the request arrives", lost: true, class: unavailable,
			network: toxic(`{"type":"reset_peer","stream":"upstream","attributes":{"timeout":0}}`),
		},
		{
			name: "reset after the request arrived", ran: true, class: unavailable,
			network: toxic(`{"type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`),
		},
		{
			name: "cut in the headers", ran: true, class: unavailable,
			network: toxic(`{"type":"limit_data","stream":"downstream","attributes":{"bytes":40}}`),
		},
		{
			// The double's headers have about 200 bytes, a row has more. That a
			// repeated change finds no row passes, in two bytes, and so does, by its
			// status, that a repeated insert is a conflict; the row is then read.
			name: "cut in the body", ran: true, body: true, class: unavailable,
			attempts: map[string]int{"alert.Acknowledge": 2 + maxAttempts, "alert.Resolve": 2 + maxAttempts, "check.Create": 2 + maxAttempts, "alert.Create": 2 + maxAttempts},
			network:  toxic(`{"type":"limit_data","stream":"downstream","attributes":{"bytes":300}}`),
		},
		{
			name: "a byte a second", ran: true, hangs: true, class: unavailable,
			network: toxic(`{"type":"slicer","stream":"downstream","attributes":{"average_size":1,"delay":1000000}}`),
		},
		{
			name: "latency above the time limit", ran: true, hangs: true, class: unavailable,
			network: toxic(`{"type":"latency","stream":"downstream","attributes":{"latency":30000}}`),
		},
		{
			name: "latency below the time limit", harmless: true,
			network: toxic(`{"type":"latency","stream":"downstream","attributes":{"latency":20}}`),
		},
		{
			name: "slices of ten bytes", harmless: true,
			network: toxic(`{"type":"slicer","stream":"downstream","attributes":{"average_size":10,"delay":1}}`),
		},
		{
			name: "server restarted between calls", warm: true, harmless: true,
			network: func(t *testing.T, s *stand) { t.Helper(); s.renew(t) },
		},
		{
			name: "idle connection dead without a word", warm: true, lost: true, hangs: true, class: unavailable,
			network: toxic(`{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`),
		},
		{
			name: "idle connection reset by the next request", warm: true, lost: true, class: unavailable,
			network: toxic(`{"type":"reset_peer","stream":"upstream","attributes":{"timeout":0}}`),
		},
	}
}

func toxic(toxic string) func(*testing.T, *stand) {
	return func(t *testing.T, s *stand) {
		t.Helper()
		s.toxic(t, toxic)
	}
}
