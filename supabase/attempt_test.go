package supabase

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/trace"
)

func TestLimitCountsWhatWasUnpacked(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	for size, fits := range map[int]bool{0: true, 1: true, limit - 1: true, limit: true, limit + 1: false, 10 * limit: false} {
		for _, packed := range []bool{false, true} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if !packed {
					_, _ = io.WriteString(w, strings.Repeat("x", size))
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				packer := gzip.NewWriter(w)
				_, _ = packer.Write(bytes.Repeat([]byte("x"), size))
				_ = packer.Close()
			}))
			a := attempt{transport: server.Client().Transport, timeout: time.Minute, maxBody: limit, hideKey: func(s string) string { return s }}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
			require.NoError(t, err)
			_, body, failed := a.do(request, request.Header, &trace.Trace{Heard: trace.Heard{Attempts: 1}}) //nolint:bodyclose // it comes apart
			if fits {
				require.Nil(t, failed)
				require.Len(t, body, size)
			} else {
				require.ErrorIs(t, failed.Error, errTooLarge)
				require.True(t, failed.final)
			}
			server.Close()
		}
	}
}

func TestGuardKeepsTheKeyHome(t *testing.T) {
	t.Parallel()
	config := Config{URL: "https://abc.supabase.co", Key: "sb_secret_x", Transport: deny{t}}
	checked, err := config.check()
	require.NoError(t, err)
	chain := newTransport(checked)
	for _, url := range []string{
		"http://abc.supabase.co/rest/v1/checks",
		"https://abc.supabase.co:8443/rest/v1/checks",
		"https://abc.supabase.co.example.com/rest/v1/checks",
		"https://user@abc.supabase.co/rest/v1/checks",
		"https://abc.supabase.co/auth/v1/admin/users",
		"https://abc.supabase.co/rest/v1",
		"https://abc.supabase.co/rest/v1x/checks",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		require.NoError(t, err)
		_, err = chain.RoundTrip(request) //nolint:bodyclose // there is no response
		require.ErrorIs(t, err, ErrInvalid, url)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://abc.supabase.co/rest/v1/checks", http.NoBody)
	require.NoError(t, err)
	request.Host = "example.com"
	_, err = chain.RoundTrip(request) //nolint:bodyclose // there is no response
	require.ErrorIs(t, err, ErrInvalid)
}

// deny is a network that nothing may reach.
type deny struct{ t *testing.T }

func (d deny) RoundTrip(request *http.Request) (*http.Response, error) {
	d.t.Errorf("%s was sent", request.URL)
	return nil, io.EOF
}
