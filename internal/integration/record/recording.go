package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// A recording is a file of exchanges, each of which builds on those before.
type recording struct {
	Recorded  string      `json:"recorded"` // the day
	Exchanges []*exchange `json:"exchanges"`
}

// exchange is a request and its answer, as they are written.
type exchange struct {
	Name     string          `json:"name"`
	Request  json.RawMessage `json:"request"`
	Response json.RawMessage `json:"response"`
}

type request struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Auth    string            `json:"auth"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"` // null: none
}

// response is an answer: of its body the JSON, the text that is none, or, where
// it is long, its length.
type response struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	JSON    json.RawMessage   `json:"json,omitempty"`
	Text    *string           `json:"text,omitempty"`
	LeftOut string            `json:"left_out,omitempty"`
	Rows    int               `json:"rows,omitempty"`
}

// longBody is from where on a body is left out.
const longBody = 10_000

// kept are the headers that are recorded.
var kept = []string{"content-location", "content-range", "content-type", "preference-applied", "proxy-status", "www-authenticate"}

func read(path string) (*recording, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the one that was asked for
	if err != nil {
		return nil, err
	}
	r := &recording{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func (r *recording) write(path string) error {
	text, err := marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644) //nolint:gosec // a file of the repository
}

// marshal writes JSON as the recording has it.
func marshal(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	err := encoder.Encode(value)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// renew sends every request, and replaces the answers that have changed.
func (r *recording) renew(ctx context.Context, server *target, stdout io.Writer) (changed int, err error) {
	for _, e := range r.Exchanges {
		var asked request
		if err := json.Unmarshal(e.Request, &asked); err != nil {
			return 0, fmt.Errorf("%s: %w", e.Name, err)
		}
		header, known := server.headers[asked.Auth]
		if !known {
			_, _ = fmt.Fprintf(stdout, "%s: kept, as there is no token that is %s\n", e.Name, asked.Auth)
			continue
		}
		answer, err := asked.send(ctx, server.restURL, header)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", e.Name, err)
		}
		text, err := marshal(answer)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", e.Name, err)
		}
		same, err := equal(e.Response, text)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", e.Name, err)
		}
		if !same {
			changed++
			_, _ = fmt.Fprintf(stdout, "%s: %s %s\n  was %s\n  is  %s\n", e.Name, asked.Method, asked.Path, line(e.Response), line(text))
			e.Response = text
		}
	}
	return changed, nil
}

func (r request) send(ctx context.Context, restURL string, header http.Header) (*response, error) {
	sent, err := http.NewRequestWithContext(ctx, r.Method, restURL+r.Path, strings.NewReader(r.body()))
	if err != nil {
		return nil, err
	}
	sent.Header = header.Clone()
	for name, value := range r.Headers {
		sent.Header.Set(name, value)
	}
	answer, err := direct.Do(sent)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if closing := answer.Body.Close(); err == nil {
		err = closing
	}
	got := &response{Status: answer.StatusCode, Headers: map[string]string{}}
	for _, name := range kept {
		if value := answer.Header.Get(name); value != "" {
			got.Headers[name] = value
		}
	}
	var rows []json.RawMessage
	switch {
	case len(body) > longBody && json.Unmarshal(body, &rows) == nil:
		got.LeftOut, got.Rows = fmt.Sprintf("%d bytes", len(body)), len(rows)
	case len(body) > 0 && json.Valid(body):
		got.JSON = body
	default:
		got.Text = new(string(body))
	}
	return got, err
}

// direct sends requests as they are, and shows redirects.
var direct = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// body returns the request's body; one is recorded in words.
func (r request) body() string {
	if !strings.HasPrefix(r.Body, "an array of 1100 rows ") {
		return r.Body
	}
	rows := make([]string, 1100)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"service_name": "many", "status": "healthy", "latency_ms": %d}`, i)
	}
	return "[" + strings.Join(rows, ", ") + "]"
}
