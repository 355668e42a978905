package column

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What isPlain lets pass at a glance does decode.
func TestPlainJSONReadsBack(t *testing.T) {
	t.Parallel()
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,320})(\.[0-9]{1,320})?([eE][+-]?[0-9]{1,3})?`)
	text := rapid.StringMatching(`"([a-zA-Z0-9 {}\[\]eE:,]|\\"|\\\\|\\u00e9)*"`)
	plain := 0
	rapid.Check(t, func(t *rapid.T) {
		levels := rapid.SampledFrom([]int{0, 1, 3, 999, 1000, 9_990, 10_000}).Draw(t, "levels")
		values := strings.Join(rapid.SliceOfN(rapid.OneOf(number, text), 1, 4).Draw(t, "values"), ",")
		data := []byte(`{"a":` + strings.Repeat("[", levels) + "[" + values + "]" + strings.Repeat("]", levels) + "}")
		if !json.Valid(data) { // too deep
			require.False(t, isPlain(data))
			return
		}
		if isPlain(data) {
			plain++
			require.NoError(t, json.Unmarshal(data, new(map[string]any)), "%.100s", data)
		}
	})
	require.Positive(t, plain)
}

// Not parallel: others' allocations would count.
func TestDetailsWithoutErrorsAreNotCopied(t *testing.T) {
	details := map[string]any{"http_status": 200, "region": "eu", "timings": []any{1.5, 2.5}, "nested": map[string]any{"a": nil, "b": true}}
	require.Zero(t, testing.AllocsPerRun(10, func() {
		if _, err := errorsAsText("details", details); err != nil {
			t.Fatal(err)
		}
	}))
}
