package operation

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/internal/timestamp"
)

// A jsonValue is JSON as it is sent, as JSONB prints it, and another value.
type jsonValue struct{ sent, printed, other string }

// numbers are decimals as JSON may write them, and as NUMERIC prints them.
func numbers() *rapid.Generator[jsonValue] {
	return rapid.Custom(func(t *rapid.T) jsonValue {
		digits := rapid.StringMatching(`[1-9][0-9]{0,30}`).Draw(t, "digits")
		sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")
		zeros := strings.Repeat("0", rapid.IntRange(0, 30).Draw(t, "zeros"))
		v := rapid.SampledFrom([]jsonValue{
			{sent: digits + zeros},
			{sent: digits + "e" + strconv.Itoa(len(zeros)), printed: digits + zeros},
			{sent: digits + "." + digits + zeros + "E+0", printed: digits + "." + digits + zeros},
			{sent: digits + ".0", printed: digits + ".0"},
			{sent: "0." + zeros + digits},
			{sent: digits + "e-" + strconv.Itoa(len(zeros)+len(digits)), printed: "0." + zeros + digits},
			{sent: "0", printed: "0"},
			{sent: "0.00", printed: "0.00"},
			{sent: "0e5", printed: "0"},
		}).Draw(t, "form")
		if v.printed == "" {
			v.printed = v.sent
		}
		v.other = sign + strings.TrimSuffix(v.printed, ".0") + "1"
		if strings.Trim(v.printed, "0.") != "" {
			v.printed = sign + v.printed
		}
		v.sent = sign + v.sent
		return v
	})
}

func texts() *rapid.Generator[jsonValue] {
	return rapid.Custom(func(t *rapid.T) jsonValue {
		text := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 })).Draw(t, "text")
		return jsonValue{sent: quoted(text), printed: escaped(text), other: quoted(text + "x")}
	})
}

func quoted(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// escaped writes every character in the other way that JSON has.
func escaped(text string) string {
	var out strings.Builder
	for _, r := range text {
		if r > 0xffff {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return `"` + out.String() + `"`
}

func jsonValues(depth int) *rapid.Generator[jsonValue] {
	leaves := []*rapid.Generator[jsonValue]{
		numbers(), texts(),
		rapid.SampledFrom([]jsonValue{{"null", "null", "0"}, {"true", "true", "false"}, {"false", "false", "null"}, {"{}", "{}", "[]"}, {"[]", " [ ] ", "[null]"}}),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	return rapid.OneOf(append(leaves, rapid.Custom(func(t *rapid.T) jsonValue {
		elements := rapid.SliceOfN(jsonValues(depth-1), 1, 3).Draw(t, "elements")
		changed := rapid.IntRange(0, len(elements)-1).Draw(t, "changed")
		if rapid.Bool().Draw(t, "an array") {
			return jsonValue{
				sent:    "[" + joined(elements, func(_ int, v jsonValue) string { return v.sent }) + "]",
				printed: "[" + joined(elements, func(_ int, v jsonValue) string { return " " + v.printed }) + "]",
				other: "[" + joined(elements, func(i int, v jsonValue) string {
					if i == changed {
						return v.other
					}
					return v.sent
				}) + "]",
			}
		}
		key := func(i int) string { return quoted(fmt.Sprint("k", i)) + ": " }
		reversed := slices.Clone(elements)
		slices.Reverse(reversed)
		return jsonValue{
			// Of equal keys JSONB keeps the last.
			sent:    "{" + key(0) + "[1], " + joined(elements, func(i int, v jsonValue) string { return key(i) + v.sent }) + "}",
			printed: "{" + joined(reversed, func(i int, v jsonValue) string { return key(len(elements)-1-i) + v.printed }) + "}",
			other: "{" + joined(elements, func(i int, v jsonValue) string {
				if i == changed {
					return key(i) + v.other
				}
				return key(i) + v.sent
			}) + "}",
		}
	}))...)
}

func joined(elements []jsonValue, form func(int, jsonValue) string) string {
	parts := make([]string, len(elements))
	for i, element := range elements {
		parts[i] = form(i, element)
	}
	return strings.Join(parts, ",")
}

// times are a timestamp as it is sent, as some server prints it, and one that is
// a microsecond later.
func times() *rapid.Generator[jsonValue] {
	return rapid.Custom(func(t *rapid.T) jsonValue {
		at := time.UnixMicro(rapid.Int64Range(-60_000_000_000_000_000, 250_000_000_000_000_000).Draw(t, "microseconds"))
		zone := time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "zone"))
		layout := rapid.SampledFrom([]string{"2006-01-02T15:04:05.999999-07:00", "2006-01-02T15:04:05.000000-07:00"}).Draw(t, "layout")
		printed := at.In(zone).Format(layout)
		if rapid.Bool().Draw(t, "as lite prints it") {
			printed = at.UTC().Format("2006-01-02 15:04:05.999999+00")
		}
		return jsonValue{sent: quoted(timestamp.Format(at)), printed: quoted(printed), other: quoted(at.Add(time.Microsecond).In(zone).Format(layout))}
	})
}

func ids() *rapid.Generator[jsonValue] {
	return rapid.Custom(func(t *rapid.T) jsonValue {
		id := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")).String()
		return jsonValue{sent: quoted(strings.ToUpper(id)), printed: quoted(id), other: quoted(uuid.NewString())}
	})
}

func orNull(values *rapid.Generator[jsonValue]) *rapid.Generator[jsonValue] {
	return rapid.Custom(func(t *rapid.T) jsonValue {
		v := values.Draw(t, "value")
		if rapid.IntRange(0, 4).Draw(t, "NULL") == 0 {
			return jsonValue{"null", "null", v.sent}
		}
		return v
	})
}

// What a server prints of a row that was sent is the same row; with any column
// changed it is not.
func TestARowIsTheSameHoweverItIsPrinted(t *testing.T) {
	t.Parallel()
	columns := map[string]*rapid.Generator[jsonValue]{
		"id": ids(), "service_name": texts(), "latency_ms": orNull(numbers()), "error_message": orNull(texts()), "checked_at": orNull(times()), "probe_details": jsonValues(3),
	}
	rapid.Check(t, func(t *rapid.T) {
		values := map[string]jsonValue{}
		for _, column := range slices.Sorted(maps.Keys(columns)) {
			values[column] = columns[column].Draw(t, column)
		}
		row := func(form func(column string, v jsonValue) string) json.RawMessage {
			var fields []string
			for column, v := range values {
				fields = append(fields, quoted(column)+":"+form(column, v))
			}
			return json.RawMessage("{" + strings.Join(fields, ",") + "}")
		}
		sent := row(func(_ string, v jsonValue) string { return v.sent })
		printed := row(func(_ string, v jsonValue) string { return v.printed })
		added := append(json.RawMessage(`{"created_at":"2026-01-02T03:04:05+00:00","added by others":{"a":1},`), printed[1:]...)
		require.True(t, holds(added, sent), "%s\n%s", sent, added)
		for changed := range values {
			stored := row(func(column string, v jsonValue) string {
				if column == changed {
					return v.other
				}
				return v.printed
			})
			require.False(t, holds(stored, sent), "%s\n%s", sent, stored)
		}
	})
}

func TestWhatIsTheSame(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		stored, sent string
		want         bool
	}{
		{`{"d":{"a":1.0}}`, `{"d":{"a":1}}`, true},
		{`{"d":{"a":100}}`, `{"d":{"a":1e2}}`, true},
		{`{"d":{"a":0}}`, `{"d":{"a":-0.0e7}}`, true},
		{`{"d":{"a":9007199254740993}}`, `{"d":{"a":9007199254740993.0}}`, true},
		{`{"d":{"a":9007199254740992}}`, `{"d":{"a":9007199254740993}}`, false},
		{`{"d":{"a":0.1}}`, `{"d":{"a":0.10000000000000000001}}`, false},
		{`{"d":{"a":1}}`, `{"d":{"a":-1}}`, false},
		{`{"d":{"a":10}}`, `{"d":{"a":1}}`, false},
		{`{"d":{"a":1}}`, `{"d":{"a":"1"}}`, false},
		{`{"d":{"a":0}}`, `{"d":{"a":null}}`, false},
		{`{"d":{}}`, `{"d":{"a":null}}`, false},
		{`{"d":null}`, `{"d":{}}`, false},
		{`{"d":[1,2]}`, `{"d":[2,1]}`, false},
		{`{"d":[1,2]}`, `{"d":[1]}`, false},
		{`{"d":{"b":[],"a":{}}}`, `{"d":{"a":{},"b":[]}}`, true},
		{`{"d":{"a":1}}`, `{"d":{"a":1e99999999999999999999}}`, false},
		{`{"d":{"A":1}}`, `{"d":{"a":1}}`, false},
		{`{"message":"2026-01-02 03:04:05+00"}`, `{"message":"2026-01-02T03:04:05Z"}`, false},
		{`{"d":{"checked_at":"2026-01-02 03:04:05+00"}}`, `{"d":{"checked_at":"2026-01-02T03:04:05Z"}}`, false},
		{`{"checked_at":"2026-01-02 03:04:05+00"}`, `{"checked_at":"2026-01-02T03:04:05Z"}`, true},
		{`{"checked_at":"2026-01-02 03:04:05.000001+00"}`, `{"checked_at":"2026-01-02T03:04:05Z"}`, false},
		{`{"checked_at":"infinity"}`, `{"checked_at":"2026-01-02T03:04:05Z"}`, false},
		{`{"checked_at":null}`, `{"checked_at":"2026-01-02T03:04:05Z"}`, false},
		{`{"service_name":"A"}`, `{"service_name":"a"}`, false},
		{`{"service_name":"a "}`, `{"service_name":"a"}`, false},
		{`{"id":"0198c0de-0000-7000-8000-00000000000a"}`, `{"id":"0198C0DE-0000-7000-8000-00000000000A"}`, true},
		{`[]`, `{}`, false},
	} {
		require.Equal(t, test.want, holds(json.RawMessage(test.stored), json.RawMessage(test.sent)), "%s, sent %s", test.stored, test.sent)
	}
}
