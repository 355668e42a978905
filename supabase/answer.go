package supabase

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strings"
)

var (
	code        = regexp.MustCompile(`^[A-Z0-9]{3,16}$`)
	proxyStatus = regexp.MustCompile(`(?:^|,)\s*PostgREST\s*;(?:[^,]*;)?\s*error="?([A-Za-z0-9]+)`)
)

// readError makes an Error of an answer with a status of 300 or more. Its body
// may be anything: PostgREST's JSON, a gateway's JSON, HTML, text, null or
// nothing, as with HEAD, where Proxy-Status alone has the code.
func readError(status int, header http.Header, body []byte) *Error {
	e := &Error{Status: status}
	var fields struct {
		Code    any             `json:"code"`
		Message any             `json:"message"`
		Msg     any             `json:"msg"`
		Error   any             `json:"error"`
		Details json.RawMessage `json:"details"`
		Hint    json.RawMessage `json:"hint"`
	}
	if json.Unmarshal(body, &fields) == nil {
		if text, ok := fields.Code.(string); ok && code.MatchString(text) {
			e.Code = text
		}
		for _, candidate := range []any{fields.Message, fields.Msg, fields.Error} {
			if text, ok := candidate.(string); ok && text != "" {
				e.Message = text
				break
			}
		}
		e.Details, e.Hint = textOf(fields.Details), textOf(fields.Hint)
	}
	if match := proxyStatus.FindStringSubmatch(strings.Join(header.Values("Proxy-Status"), ",")); match != nil && e.Code == "" && code.MatchString(match[1]) {
		e.Code = match[1]
	}
	if e.Message == "" {
		e.Message = describe(status, header, body)
	}
	return e
}

// textOf returns a JSON string's value, nothing for null, and the JSON itself
// for what details can be besides: an array or an object.
func textOf(raw json.RawMessage) string {
	var text *string
	if json.Unmarshal(raw, &text) == nil {
		if text == nil {
			return ""
		}
		return *text
	}
	// Decoded and encoded, so that no escape hides what is searched for later.
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := decoder.Decode(&value); err != nil {
		return ""
	}
	if err := encoder.Encode(value); err != nil {
		return ""
	}
	return strings.TrimSuffix(plain.String(), "\n")
}

// describe says what kind of answer came where it does not say so itself.
func describe(status int, header http.Header, body []byte) string {
	name := describeStatus(status)
	if status < http.StatusBadRequest {
		return name + "; redirects are not followed"
	}
	if len(body) == 0 {
		return name + ", without a body"
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		kind = "no content type"
	}
	return fmt.Sprintf("%s, not from PostgREST (%s, %d bytes)", name, kind, len(body))
}

func describeStatus(status int) string {
	if name := http.StatusText(status); name != "" {
		return strings.ToLower(name)
	}
	return "no description"
}
