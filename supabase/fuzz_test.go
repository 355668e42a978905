package supabase

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzReadError asserts that any answer becomes an error of one printable line
// with the status.
func FuzzReadError(f *testing.F) {
	for _, body := range []string{
		`{"code":"23505","details":"Key (id)=(1) already exists.","hint":null,"message":"duplicate key value"}`,
		`{"code":"PGRST116","details":"The result contains 0 rows","hint":null,"message":"Cannot coerce"}`,
		`{"code":"PGRST201","details":[{"a":1}],"message":"m"}`, `{"message":"Invalid API key","hint":"Double check"}`,
		`{"code":422,"msg":"bad"}`, `null`, `[]`, `""`, `0`, `<html>`, `{`, "", `{"code":"a\nb","message":"\u0000\ud800"}`, "\xff",
	} {
		f.Add(500, "application/json; charset=utf-8", "PostgREST; error=23505", body)
	}
	f.Add(0, "text/html", `Cloudflare; details="PostgREST; error=x", PostgREST; error="42501"`, "")
	f.Fuzz(func(t *testing.T, status int, contentType, proxyStatus, body string) {
		header := http.Header{"Content-Type": {contentType}, "Proxy-Status": {proxyStatus}}
		e := readError(status, header, []byte(body))
		require.Equal(t, status, e.Status)
		require.NotEmpty(t, e.Message)
		if e.Code != "" {
			require.Regexp(t, `^[A-Za-z0-9]+$`, e.Code)
		}
		line := e.Error()
		require.True(t, utf8.ValidString(line))
		require.Equal(t, -1, strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }))
		if status >= http.StatusMultipleChoices {
			require.LessOrEqual(t, len(line), len("supabase: -9223372036854775808 : ")+len(e.Code)+maxMessage+len(e.remedy()))
		}
		found := 0
		for _, class := range []error{ErrInvalid, ErrNotFound, ErrConflict, ErrPermission, ErrSchema, ErrUnavailable} {
			if e.Is(class) {
				found++
			}
		}
		require.LessOrEqual(t, found, 1)
	})
}

// FuzzContentRange asserts that what is left for postgrest-go is a total that it
// reads as what it is.
func FuzzContentRange(f *testing.F) {
	for _, value := range []string{"*/3", "0-2/3", "*/0", "*/*", "", "*/010", "*/x", "*/-1", "*/1_0", "*/0x10", "*/99999999999999999999", "0-2/3/4", "3", "/3", "*/3 ", "*/٣"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		header := http.Header{"Content-Range": {value}}
		left := plainCount(header).Get("Content-Range")
		require.Equal(t, value, header.Get("Content-Range"), "the response's own header stays")
		if left == "" {
			return
		}
		_, total, _ := strings.Cut(left, "/")
		require.Regexp(t, `^(\*|0|[1-9][0-9]*)$`, total)
		n, counted := count(header)
		require.Equal(t, total != "*", counted)
		if counted {
			require.Equal(t, total, strconv.FormatInt(n, 10))
		}
	})
}

// FuzzConfig asserts that a configuration is either refused, without showing
// the key, or leads to the host that it names and to nowhere else.
func FuzzConfig(f *testing.F) {
	const key = "sb_secret_0123456789abcdefghij"
	for _, url := range []string{"https://abc.supabase.co", "http://localhost:8000/a/", "http://[::1]:3000", "https://a@b", "https://a/%2e%2e/b", "http://a/b?c#d", "://", "http://a b", "HTTP://A", "http://a:b", "http://é"} {
		f.Add(url, "", key, "")
		f.Add("", url, key, "public")
	}
	f.Add("https://abc.supabase.co", "", "a.eyJyb2xlIjoiYW5vbiJ9.c", "")
	f.Add("https://abc.supabase.co", "", " \x00é", "a,b")
	f.Fuzz(func(t *testing.T, url, restURL, key, schema string) {
		config := Config{URL: url, RESTURL: restURL, Key: Secret(key), Schema: schema, MaxAttempts: 1}
		var sent *http.Request
		config.Transport = capture{&sent}
		client, err := config.ServiceClient()
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			if len(key) > 24 {
				require.NotContains(t, err.Error(), key)
			}
			return
		}
		_, _, err = client.From("checks").Select("*", "", false).Execute()
		require.NoError(t, err)
		checked, err := config.check()
		require.NoError(t, err)
		require.Equal(t, checked.rest.Host, sent.URL.Host)
		require.Equal(t, checked.rest.Path+"/checks", sent.URL.Path)
		require.Equal(t, []string{key}, sent.Header["Apikey"])
		require.NotContains(t, sent.URL.String(), "@")
	})
}

type capture struct{ request **http.Request }

func (c capture) RoundTrip(request *http.Request) (*http.Response, error) {
	*c.request = request
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, nil
}
