package supabasetest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The values and errors in these tests are those of PostgreSQL 15.

func TestTimestamps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-01-02T03:04:05.123456Z":      "2026-01-02T03:04:05.123456+00:00",
		"2026-01-02T03:04:05.120000+00:00": "2026-01-02T03:04:05.12+00:00",
		"2026-01-02T03:04:05.1234564Z":     "2026-01-02T03:04:05.123456+00:00",
		"2026-01-02 03:04:05.1234565Z":     "2026-01-02T03:04:05.123456+00:00",
		"2026-01-02T03:04:05.1234575+0530": "2026-01-01T21:34:05.123458+00:00",
		"2026-01-02T03:04:59.9999999Z":     "2026-01-02T03:05:00+00:00",
		"2026-01-02T03:04:60Z":             "2026-01-02T03:05:00+00:00",
		"2026-01-02T24:00:00Z":             "2026-01-03T00:00:00+00:00",
		"2026-01-02 03:04:05.120 +02":      "2026-01-02T01:04:05.12+00:00",
		"2026-01-02T03:04:05.5-0330":       "2026-01-02T06:34:05.5+00:00",
		"2026-01-02t03:04:05.z":            "2026-01-02T03:04:05+00:00",
		" 2026-01-02T03:04:05Z ":           "2026-01-02T03:04:05+00:00",
		"2026-01-02 03:04":                 "2026-01-02T03:04:00+00:00",
		"2026-01-02":                       "2026-01-02T00:00:00+00:00",
		"infinity":                         "infinity",
		"-Infinity":                        "-infinity",
	} {
		v, err := timestampKind{}.parse(text)
		require.NoError(t, err, text)
		require.Equal(t, `"`+want+`"`, string(timestampKind{}.appendJSON(nil, v)), text)
	}
}

func TestTimestampsRefused(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]string{
		"":                          "22007",
		"x":                         "22007",
		"january":                   "22007",
		"2026-13-01T00:00:00Z":      "22008",
		"2026-00-28T23:00:00Z":      "22008",
		"2026-02-30T00:00:00Z":      "22008",
		"2026-02-28T25:00:00Z":      "22008",
		"2026-02-28T24:00:01Z":      "22008",
		"2026-02-28T23:60:00Z":      "22008",
		"2026-02-28T23:00:61Z":      "22008",
		"0000-02-28T23:00:00Z":      "22008",
		"2026-02-28T23:00:00+16:00": "22009",
		"2026-02-28T23:00:00+15:60": "22009",
		"now":                       codeUnsupported,
		"January 2, 2026":           codeUnsupported,
		"10000-01-01T00:00:00Z":     codeUnsupported,
		"9999-12-31T23:59:59-01:00": codeUnsupported,
		"0001-01-01T00:00:00+01":    codeUnsupported,
	} {
		requireRefusal(t, timestampKind{}, text, code)
	}
}

func TestIntegers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int32{
		"0": 0, "+5": 5, "-7": -7, "\t8\n": 8, "2147483647": 2147483647, "-2147483648": -2147483648, "007": 7,
	} {
		v, err := integerKind{}.parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, v, text)
	}
	for text, code := range map[string]string{
		"": "22P02", "-": "22P02", "1.0": "22P02", "1e3": "22P02", "true": "22P02", "1 2": "22P02", "+-1": "22P02",
		"2147483648": "22003", "-2147483649": "22003", "99999999999x": "22003",
	} {
		requireRefusal(t, integerKind{}, text, code)
	}
}

func TestUUIDs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
		"{a0eebc999c0b4ef8bb6d6bb9bd380a11}", "a0ee-bc999c0b-4ef8bb6d6bb9bd380a11",
	} {
		v, err := uuidKind{}.parse(text)
		require.NoError(t, err, text)
		require.Equal(t, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", v)
	}
	for _, text := range []string{
		"", "x", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-",
		"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g", "a0-eebc999c0b4ef8bb6d6bb9bd380a11",
	} {
		requireRefusal(t, uuidKind{}, text, "22P02")
	}
	require.Regexp(t, uuids, randomUUID())
}

func TestJSONB(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"b":1,"aa":2,"a":3,"é":4,"":5}`:                      `{"": 5, "a": 3, "b": 1, "aa": 2, "é": 4}`,
		`{"a":1,"a":2}`:                                        `{"a": 2}`,
		`[1.50,1e3,1.5e-3,-0.0,0e5,1E+2,-12.30e1,0.00e-1,1e0]`: `[1.50, 1000, 0.0015, 0.0, 0, 100, -123.0, 0.000, 1]`,
		`123456789012345678901234567890`:                       `123456789012345678901234567890`,
		`"\u00e9\n\u001f\u007f\/<>\"\\"`:                       "\"é\\n\\u001f\x7f/<>\\\"\\\\\"",
		`[null,true,false,{},[]]`:                              `[null, true, false, {}, []]`,
	} {
		v, err := jsonbKind{}.parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, v)
		require.True(t, json.Valid([]byte(want)))
	}
	requireRefusal(t, jsonbKind{}, `{"a\u0000":1}`, "22P05")
	requireRefusal(t, jsonbKind{}, `1e99999`, codeUnsupported)
}

func TestFromJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind   kind
		raw    string
		binary bool
		want   value
	}{
		{textKind{}, `"a\"b"`, false, `a"b`},
		{textKind{}, `12.50`, false, "12.50"},
		{textKind{}, `1e2`, false, "1e2"},
		{textKind{}, `true`, false, "true"},
		{textKind{}, `[1,2]`, false, "[1,2]"},
		{textKind{}, `{"b" : [1, 2],"b":true}`, false, `{"b" : [1, 2],"b":true}`},
		{textKind{}, `null`, false, nil},
		{integerKind{}, `" 12 "`, false, int32(12)},
		{jsonbKind{}, `"x"`, false, `"x"`},
		{jsonbKind{}, `null`, false, nil},
		{textKind{}, `"a\"b"`, true, `a"b`},
		{textKind{}, `12.50`, true, "12.50"},
		{textKind{}, `1e2`, true, "100"},
		{textKind{}, `true`, true, "true"},
		{textKind{}, `[1,2]`, true, "[1, 2]"},
		{textKind{}, `{"b" : [1, 2],"b":true}`, true, `{"b": true}`},
		{textKind{}, `null`, true, nil},
		{integerKind{}, `1e3`, true, int32(1000)},
		{jsonbKind{}, `[1,2]`, true, "[1, 2]"},
	} {
		v, err := fromJSON(test.kind, json.RawMessage(test.raw), test.binary)
		require.NoError(t, err, test.raw)
		require.Equal(t, test.want, v, test.raw)
	}
}

func TestFitDropsSpaces(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("é", 100)
	for _, text := range []string{full, full + "   "} {
		fitted, err := fit(text, 100)
		require.NoError(t, err)
		require.Equal(t, full, fitted)
	}
	_, err := fit(full+" x", 100)
	require.ErrorContains(t, err, "22001")
}

func TestScanEscapes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"\u00e9"`: "", `"\ud83d\ude00"`: "", `"\\ud83d"`: "", `"\\u0000"`: "", `"\u00000"`: "nul",
		`"\ud83d"`: "half", `"\ude00"`: "half", `"\ud83d\ud83d"`: "half", `"\ud83dx"`: "half", `"\ud83d\\ude00"`: "half",
		`"\ud83d\u0000"`: "nul half", `{"a": ["\ud83d\ude00\u0000"]}`: "nul",
	} {
		nul, half := scanEscapes([]byte(text))
		require.Equal(t, strings.Contains(want, "nul"), nul, text)
		require.Equal(t, strings.Contains(want, "half"), half, text)
	}
}

func requireRefusal(t *testing.T, k kind, text, code string) {
	t.Helper()
	_, err := k.parse(text)
	var refusal *failure
	require.ErrorAs(t, err, &refusal, text)
	require.Equal(t, code, refusal.code, text)
}
