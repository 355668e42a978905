package operation

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/supavigil/supavigil/supabase"
)

func ofSize(bytes int) Row {
	return Row{JSON: json.RawMessage(`{"a":"` + strings.Repeat("x", bytes-len(`{"a":""}`)) + `"}`)}
}

// Requests are as large as they may be, and no larger.
func TestBatchesStayWithinTheirLimits(t *testing.T) {
	t.Parallel()
	const oneMiB = 1_048_576 // nginx's, brackets and commas counted
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{10, 524_286, 524_287, 524_288, 1_048_573, 1_048_574, 1_048_575, 2_000_000})
		sizes := rapid.OneOf(rapid.SliceOfN(size, 1, 5), rapid.Map(rapid.IntRange(1, 3_000), func(n int) []int { return slices.Repeat([]int{n%97 + 8}, n) }), rapid.Map(rapid.IntRange(900, 1_100), func(n int) []int { return slices.Repeat([]int{n}, n) })).Draw(t, "sizes")
		rows := make([]Row, len(sizes))
		for i, size := range sizes {
			rows[i] = ofSize(size)
		}
		limit := limits{rows: MaxBatchRows, bytes: MaxBatchBytes}
		for len(rows) > 0 {
			batch := limit.first(rows)
			body := array(batch)
			var read []json.RawMessage
			if len(body) < 100_000 { // reading takes its time
				require.NoError(t, json.Unmarshal(body, &read))
				require.Len(t, read, len(batch))
			}
			require.LessOrEqual(t, len(batch), 1000)
			require.True(t, len(body) <= oneMiB || len(batch) == 1)
			if rows = rows[len(batch):]; len(rows) > 0 {
				require.True(t, len(batch) == 1000 || len(body)+1+len(rows[0].JSON) > oneMiB, "one more would fit")
			}
		}
	})
}

func TestLimitsGoDown(t *testing.T) {
	t.Parallel()
	batch := []Row{ofSize(99), ofSize(99), ofSize(99), ofSize(99), ofSize(99)}
	for _, test := range []struct {
		err   *supabase.Error
		want  limits
		lower bool
	}{
		{&supabase.Error{Status: http.StatusRequestEntityTooLarge}, limits{1000, 250}, true},
		{&supabase.Error{Status: http.StatusInternalServerError, Code: "57014"}, limits{2, 5000}, true},
		{&supabase.Error{Status: http.StatusInternalServerError, Code: "SUP", Message: "canceling statement due to statement timeout"}, limits{2, 5000}, true},
		{&supabase.Error{Status: http.StatusBadRequest, Code: "23514"}, limits{1000, 5000}, false},
	} {
		limit := limits{1000, 5000}
		require.Equal(t, test.lower, limit.lower(batch, test.err), test.err.Error())
		require.Equal(t, test.want, limit, test.err.Error())
	}
}
