package supabasetest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Made by internal/integration/record before alert_events had dedup_key, which was
// added to three answers and three messages by hand.
//
//go:embed testdata/postgrest-16.2.json
var recorded []byte

// exchange is one request to a PostgREST 16.2 and its answer.
type exchange struct {
	Name    string `json:"name"`
	Request struct {
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Auth    string            `json:"auth"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"` // null: none
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		JSON    json.RawMessage   `json:"json"`
		Text    *string           `json:"text"`
		LeftOut string            `json:"left_out"` // the size of a body that was not kept
		Rows    int               `json:"rows"`
	} `json:"response"`
}

// leftOut names the exchanges that the double answers with 501.
var leftOut = map[string]bool{}

func TestReplay(t *testing.T) {
	t.Parallel()
	var recording struct {
		Exchanges []exchange `json:"exchanges"`
	}
	require.NoError(t, json.Unmarshal(recorded, &recording))
	require.Len(t, recording.Exchanges, 110)
	server := NewServer()
	t.Cleanup(server.Close)
	tokens := map[string]string{
		"service_role": string(server.Key),
		"none":         "",
		"garbage":      "garbage",
		"forged":       newSigner().sign(claims{Role: roleService}),
		"expired":      server.signer.sign(claims{Role: roleService, Expires: time.Now().Add(-time.Hour).Unix()}),
	}
	for _, recorded := range recording.Exchanges {
		t.Run(recorded.Name, func(t *testing.T) { // in order: each builds on those before
			token, known := tokens[recorded.Request.Auth]
			require.True(t, known, recorded.Request.Auth)
			recorded.compare(t, recorded.send(t, server, token))
		})
	}
}

func (e exchange) send(t *testing.T, server *Server, token string) reply {
	t.Helper()
	request := server.newRequest(t, e.Request.Method, strings.TrimPrefix(e.Request.Path, "/"), e.body())
	for name, value := range e.Request.Headers {
		request.Header.Set(name, value)
	}
	request.Header.Del("Authorization")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	r, err := do(request)
	require.NoError(t, err)
	return r
}

// body returns the request's body; one is recorded in words.
func (e exchange) body() string {
	if e.Name != "bulk insert of 1100 rows" {
		return e.Request.Body
	}
	rows := make([]string, 1100)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"service_name": "many", "status": "healthy", "latency_ms": %d}`, i)
	}
	return "[" + strings.Join(rows, ", ") + "]"
}

func (e exchange) compare(t *testing.T, got reply) {
	t.Helper()
	if leftOut[e.Name] {
		require.Equal(t, http.StatusNotImplemented, got.status)
		return
	}
	require.Equal(t, e.Response.Status, got.status, got.body)
	for _, name := range []string{
		"Content-Location", "Content-Range", "Content-Type", "Preference-Applied", "Proxy-Status", "WWW-Authenticate",
	} {
		require.Equal(t, e.Response.Headers[strings.ToLower(name)], got.header.Get(name), name)
	}
	switch {
	case e.Response.Text != nil:
		require.Equal(t, *e.Response.Text, got.body)
	case e.Response.LeftOut != "":
		var rows []json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(got.body), &rows))
		require.Len(t, rows, e.Response.Rows)
		require.Equal(t, e.Response.LeftOut, strconv.Itoa(len(got.body))+" bytes")
	default:
		require.JSONEq(t, normalise(e.Response.JSON), normalise([]byte(got.body)))
	}
}

var (
	uuids      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	timestamps = regexp.MustCompile(`\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d{1,6})?\+00(:00)?`)
)

// normalise replaces what the server has made up by its form: random ids, and
// times of its clock. All ids that the requests send begin with zeros, and all
// times are on 2 January 2026.
func normalise(body []byte) string {
	body = uuids.ReplaceAllFunc(body, func(id []byte) []byte {
		if bytes.HasPrefix(id, []byte("00000000-")) {
			return id
		}
		return []byte("a random id")
	})
	body = timestamps.ReplaceAllFunc(body, func(at []byte) []byte {
		if bytes.HasPrefix(at, []byte("2026-01-02")) {
			return at
		}
		return timestamps.ReplaceAll(at, []byte("now, written as date${1}time+00${3}"))
	})
	return string(body)
}
