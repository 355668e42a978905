package column_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/column"
)

const id = "0198c0de-0000-7000-8000-00000000000a"

func TestChecks(t *testing.T) {
	t.Parallel()
	hundred := strings.Repeat("é", 100)
	tooLarge := math.MaxInt32
	tooLarge++ // where int has 32 bits, it is the least of all
	tests := map[string]struct {
		got  error
		want string // "": nil
	}{
		"service_name":                       {column.ServiceName("api"), ""},
		"service_name stored as given":       {column.ServiceName(" api "), ""},
		"service_name, 100 characters":       {column.ServiceName(hundred), ""},
		"service_name, 101 characters":       {column.ServiceName(hundred + "x"), "service_name must have at most 100 characters, not 101"},
		"service_name empty":                 {column.ServiceName(""), "service_name must not be blank"},
		"service_name blank":                 {column.ServiceName(" \t\u00a0\n"), "service_name must not be blank"},
		"service_name of no UTF-8":           {column.ServiceName("a\xff"), "service_name must be valid UTF-8"},
		"service_name with NUL":              {column.ServiceName("a\x00b"), "service_name must not hold NUL (U+0000), which PostgreSQL cannot store"},
		"every service":                      {column.OptionalName("service_name", ""), ""},
		"every service is not a blank one":   {column.OptionalName("service_name", " "), "service_name must not be blank"},
		"text NULL":                          {column.Text("message", nil), ""},
		"text empty":                         {column.Text("message", new("")), ""},
		"text of no UTF-8":                   {column.Text("message", new("\xc3\x28")), "message must be valid UTF-8"},
		"text with NUL":                      {column.Text("message", new("\x00")), "message must not hold NUL (U+0000), which PostgreSQL cannot store"},
		"one of":                             {column.OneOf("status", "b", "a", "b", "c"), ""},
		"none of":                            {column.OneOf("status", "x\n", "a", "b", "c"), `status must be a, b or c, not "x\n"`},
		"none of, empty":                     {column.OneOf("status", "", "a", "b"), "status must be a or b, not empty"},
		"none of, long":                      {column.OneOf("status", strings.Repeat("x", 41), "a", "b"), "status must be a or b"},
		"latency_ms NULL":                    {column.LatencyMS(nil), ""},
		"latency_ms 0":                       {column.LatencyMS(new(0)), ""},
		"latency_ms, the most":               {column.LatencyMS(new(math.MaxInt32)), ""},
		"latency_ms negative":                {column.LatencyMS(new(-1)), "latency_ms must be within 0…2147483647 milliseconds, not -1"},
		"latency_ms too large":               {column.LatencyMS(&tooLarge), fmt.Sprint("latency_ms must be within 0…2147483647 milliseconds, not ", tooLarge)},
		"checked_at left out":                {column.Time("checked_at", time.Time{}), ""},
		"checked_at":                         {column.Time("checked_at", time.Now()), ""},
		"checked_at in year 10000":           {column.Time("checked_at", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), "checked_at must be within the years 1…9999 (UTC), not 10000"},
		"checked_at before year 1":           {column.Time("checked_at", time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC)), "checked_at must be within the years 1…9999 (UTC), not 0"},
		"checked_at, year 10000 once in UTC": {column.Time("checked_at", time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200))), "checked_at must be within the years 1…9999 (UTC), not 10000"},
		"id":                                 {column.ID(id), ""},
		"id in capitals":                     {column.ID(strings.ToUpper(id)), ""},
		"id empty":                           {column.ID(""), "id must be a UUID in its 36 characters, not empty"},
		"id, a word":                         {column.ID("x"), `id must be a UUID in its 36 characters, not "x"`},
		"id without hyphens":                 {column.ID(strings.ReplaceAll(id, "-", "")), `id must be a UUID in its 36 characters, not "0198c0de000070008000` + `00000000000a"`},
		"id in braces":                       {column.ID("{" + id + "}"), `id must be a UUID in its 36 characters, not "{` + id + `}"`},
		"id as a URN":                        {column.ID("urn:uuid:" + id), "id must be a UUID in its 36 characters"},
		"id with a filter":                   {column.ID(id[:30] + ",a=eq."), `id must be a UUID in its 36 characters, not "` + id[:30] + `,a=eq."`},
		"id optional":                        {column.OptionalID(""), ""},
		"id optional, a word":                {column.OptionalID("x"), `id must be a UUID in its 36 characters, not "x"`},
		"days 1":                             {column.Days(1), ""},
		"days, the most":                     {column.Days(36500), ""},
		"days 0":                             {column.Days(0), "days must be within 1…36500, not 0"},
		"days that wrap a duration":          {column.Days(106752), "days must be within 1…36500, not 106752"},
		"withinMinutes 1":                    {column.WithinMinutes(1), ""},
		"withinMinutes, the most":            {column.WithinMinutes(52560000), ""},
		"withinMinutes 0":                    {column.WithinMinutes(0), "withinMinutes must be within 1…52560000, not 0"},
		"withinMinutes too large":            {column.WithinMinutes(52560001), "withinMinutes must be within 1…52560000, not 52560001"},
		"limit 0":                            {column.Limit(0), ""},
		"limit negative":                     {column.Limit(-1), "limit must not be negative (0: the default), not -1"},
	}
	for name, test := range tests {
		requireError(t, test.want, test.got, name)
	}
}

// requireError asserts an error by its text, "" for none.
func requireError(t *testing.T, want string, err error, message string) {
	t.Helper()
	if want == "" {
		require.NoError(t, err, message)
		return
	}
	require.EqualError(t, err, want, message)
}

type tagged struct {
	Name   string `json:"name"`
	Hidden string `json:"-"`
	inner  string
	Embedded
}

type Embedded struct{ Word string }

type word string

// deep is JSON of so many levels.
func deep(levels int) json.RawMessage {
	return json.RawMessage(strings.Repeat("[", levels) + strings.Repeat("]", levels))
}

type prefixed string

func (p prefixed) MarshalText() ([]byte, error) { return []byte("p" + string(p)), nil }

func TestJSONB(t *testing.T) {
	t.Parallel()
	row := func(details map[string]any) (string, error) {
		data, err := column.Marshal(map[string]any{"details": details}, "details", &details)
		require.Equal(t, err, column.JSONB("details", details), "the same, looked at alone")
		return string(data), err
	}
	data, err := row(nil)
	require.NoError(t, err)
	require.JSONEq(t, `{"details":null}`, data)
	data, err = row(map[string]any{})
	require.NoError(t, err)
	require.JSONEq(t, `{"details":{}}`, data)

	fine := map[string]any{
		"null": nil, "number": 1.5, "json": json.Number("12345678901234567890"), "time": time.Unix(0, 0).UTC(), "raw": json.RawMessage(`{"a":"\\u0000"}`),
		"nested": map[string]any{"a": []any{1, "é☃\ufffd", nil, true}}, "struct": tagged{Name: "n", Hidden: "\xff", inner: "\xff"}, "bytes": []byte{0xff, 0},
		"pointer": &tagged{}, "nil pointer": (*tagged)(nil), "array": [2]word{"a", "b"}, "map": map[word]int{"a": 1}, "text": prefixed("a"), "backslash": `\u0000`, "nil values that marshal": []any{(*netip.Addr)(nil), (*time.Time)(nil), (*prefixed)(nil)}, "a pair": json.RawMessage(`"\ud83d\ude00 \\ud800"`), "depth": deep(9_900),
	}
	data, err = row(fine)
	require.NoError(t, err)
	want, err := json.Marshal(map[string]any{"details": fine})
	require.NoError(t, err)
	require.JSONEq(t, string(want), data)

	const (
		bad = "\xff"
		nul = "\x00"
	)
	circle := map[string]any{}
	circle["self"] = circle
	for name, value := range map[string]any{
		"a string": bad, "NUL": nul, "in an array": []any{"a", bad}, "in a map": map[string]any{"a": map[string]any{"b": nul}},
		"a key": map[string]any{bad: 1}, "a key of another map": map[word]int{bad: 1}, "a named string": word(bad), "strings": []string{nul},
		"a field": tagged{Name: bad}, "an embedded field": tagged{Embedded: Embedded{bad}}, "behind a pointer": &tagged{Name: nul},
		"a map of strings": map[string]string{"a": bad}, "raw NUL": json.RawMessage(`"a\u0000"`), "raw NUL behind a backslash": json.RawMessage(`"\\\u0000"`),
		"raw bytes": json.RawMessage("\"\xff\""), "marshalled text": prefixed(bad), "a key of marshalled text": map[prefixed]int{prefixed(bad): 1},
		"half a pair": json.RawMessage(`"\ud800"`), "half a pair, then another": json.RawMessage(`"\ud800\u0041"`), "the other half": json.RawMessage(`"\udc00"`), "half a pair at the end": json.RawMessage(`"\ud83d"`),
		"behind an embedded pointer": struct{ *Embedded }{&Embedded{bad}},
		"a number beyond float64":    json.Number("1e400"), "too deep to be listed": deep(9_998),
		"a channel": make(chan int), "no number": math.NaN(), "a circle": circle,
	} {
		data, err := row(map[string]any{"value": value})
		require.Empty(t, data, name)
		require.Error(t, err, name)
		require.True(t, strings.HasPrefix(err.Error(), "details"), "%s: %q", name, err)
		require.NotContains(t, err.Error(), "\xff")
	}
}
