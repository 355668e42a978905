package faults_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	statusField    = regexp.MustCompile(`"status":"[a-z]+"`)
	createdAtField = regexp.MustCompile(`"(created_at|at)" ?: ?"[^"]+"`)
)

// downToOneRow is how often a page of 1,000 rows is tried that takes too long: for
// fewer rows, which is not the same again.
var downToOneRow = map[string]int{
	"check.All": 4, "check.FindLatest": 4, "check.FindStates": 4, "check.FindHistory": 4, "check.DeleteHistoryOlderThan": 4,
	"alert.FindActive": 4, "alert.All": 4, "alert.FindOpen": 4, "alert.DeleteResolvedOlderThan": 4,
}

// bodyFaults are answers that are no HTTP, or that say something else than they
// should.
func bodyFaults(t *testing.T) []fault {
	t.Helper()
	const unavailable = "unavailable"
	deletes := []string{"check.DeleteOlderThan", "alert.DeleteOlderThan"}
	two := []string{"check.Create", "check.FindLatestByService"}
	return []fault{
		{name: "no answer", hangs: true, class: unavailable, answer: silence},
		{name: "no answer, carried out", ran: true, hangs: true, class: unavailable, answer: afterwards(silence)},
		{name: "broken off", resent: true, class: unavailable, answer: breakOff},
		{name: "broken off, carried out", ran: true, resent: true, class: unavailable, answer: afterwards(breakOff)},
		{name: "not HTTP", class: unavailable, answer: raw("SSH-2.0-OpenSSH_9.6\r\n", "")},
		{name: "headers without end", class: unavailable, only: two, heavy: true, answer: raw("HTTP/1.1 200 OK\r\n", "X-More: "+strings.Repeat("a", 4000)+"\r\n")},
		{name: "interim answers without end", class: unavailable, only: two, heavy: true, answer: raw("", "HTTP/1.1 103 Early Hints\r\nX-More: "+strings.Repeat("a", 4000)+"\r\n\r\n")},
		{name: "headers that stop", hangs: true, class: unavailable, answer: raw("HTTP/1.1 200 OK\r\nContent-", "")},
		{name: "body that stops", hangs: true, class: unavailable, attempts: downToOneRow, answer: raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[", "")},
		{name: "gzip that is none", class: unavailable, answer: func(s *stand, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			reply(200, "application/json", "[]")(s, w, r)
		}},
		{name: "HTML with 200", unclear: true, final: true, status: 200, answer: reply(200, "text/html", "<html>log in</html>")},

		{name: "other content type", harmless: true, body: true, answer: rewritten(func(header http.Header, body string) string {
			header.Set("Content-Type", "text/html")
			return body
		})},
		{name: "unknown status", harmless: true, body: true, result: func(result string) string {
			service, _, _ := strings.Cut(result, " ")
			return service + " exploded"
		}, answer: rewritten(func(_ http.Header, body string) string {
			return statusField.ReplaceAllString(body, `"status":"exploded"`)
		})},
		{name: "unknown column", harmless: true, body: true, answer: rewritten(func(_ http.Header, body string) string {
			return strings.Replace(body, `{"id":`, `{"surprise":[{"id":7}],"id":`, 1)
		})},
		{name: "infinity", ran: true, unclear: true, final: true, body: true, status: answered, answer: rewritten(func(_ http.Header, body string) string {
			return createdAtField.ReplaceAllString(body, `"$1":"infinity"`)
		})},
		{name: "truncated JSON", ran: true, unclear: true, final: true, body: true, status: answered, answer: rewritten(func(_ http.Header, body string) string {
			return body[:len(body)/2]
		})},
		{name: "JSON of another shape", ran: true, unclear: true, final: true, body: true, status: answered, answer: rewritten(func(http.Header, string) string {
			return `[{"id":5}]`
		})},
		{name: "null", ran: true, unclear: true, final: true, body: true, status: answered, answer: rewritten(func(http.Header, string) string { return "null" })},
		{name: "empty body", ran: true, unclear: true, final: true, body: true, status: answered, answer: rewritten(func(http.Header, string) string { return "" })},
		{name: "no count", ran: true, final: true, status: answered, only: deletes, answer: rewritten(func(header http.Header, _ string) string {
			header.Del("Content-Range")
			return ""
		})},
		{name: "count of nonsense", ran: true, final: true, status: answered, only: deletes, answer: rewritten(func(header http.Header, _ string) string {
			header.Set("Content-Range", "*/-3")
			return ""
		})},

		{name: "100 MB", unclear: true, final: true, status: 200, only: two, heavy: true, answer: func(_ *stand, w http.ResponseWriter, _ *http.Request) {
			zeros(w, 100)
		}},
		{name: "gzip bomb of 1 GB", unclear: true, final: true, status: 200, only: two, heavy: true, answer: bomb(t, 1000)},
	}
}

func silence(_ *stand, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func breakOff(*stand, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// raw writes to the connection, and then more, unless that is "", until the
// client leaves.
func raw(start, more string) func(*stand, http.ResponseWriter, *http.Request) {
	return func(_ *stand, w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, err = io.WriteString(conn, start)
		for err == nil && more != "" {
			_, err = io.WriteString(conn, more)
		}
	}
}

// rewritten carries the request out, and changes the answer.
func rewritten(change func(header http.Header, body string) string) func(*stand, http.ResponseWriter, *http.Request) {
	return func(s *stand, w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		s.double.ServeHTTP(answer, r)
		body := change(answer.Header(), answer.Body.String())
		maps.Copy(w.Header(), answer.Header())
		if answer.Code != http.StatusNoContent {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(answer.Code)
		_, _ = io.WriteString(w, body)
	}
}

// zeros writes so many MB, as one JSON string.
func zeros(w io.Writer, megabytes int) {
	_, err := io.WriteString(w, `"`)
	for i := 0; i < megabytes && err == nil; i++ {
		_, err = w.Write(bytes.Repeat([]byte("0"), 1e6))
	}
}

// bomb is zeros in gzip: one MB, compressed, again and again.
func bomb(t *testing.T, megabytes int) func(*stand, http.ResponseWriter, *http.Request) {
	t.Helper()
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	zeros(writer, 1)
	require.NoError(t, writer.Close())
	return func(_ *stand, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		var err error
		for i := 0; i < megabytes && err == nil; i++ {
			_, err = w.Write(packed.Bytes())
		}
	}
}
