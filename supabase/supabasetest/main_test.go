package supabasetest

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTestServer(t *testing.T) *Server {
	t.Helper()
	server := NewServer()
	t.Cleanup(server.Close)
	return server
}

// reply is an answer that has been read.
type reply struct {
	status int
	header http.Header
	body   string
}

// newRequest builds a request with the key; headers are "Name: value", or empty.
func (s *Server) newRequest(t *testing.T, method, path, body string, headers ...string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/rest/v1/"+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+string(s.Key))
	for _, header := range headers {
		if name, value, found := strings.Cut(header, ": "); found {
			request.Header.Set(name, value)
		}
	}
	return request
}

func do(request *http.Request) (reply, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return reply{status: response.StatusCode, header: response.Header, body: string(body)}, err
}

func (s *Server) must(t *testing.T, method, path, body string, headers ...string) reply {
	t.Helper()
	r, err := do(s.newRequest(t, method, path, body, headers...))
	require.NoError(t, err)
	return r
}

const (
	asObject       = "Accept: application/vnd.pgrst.object+json"
	representation = "Prefer: return=representation"
)
