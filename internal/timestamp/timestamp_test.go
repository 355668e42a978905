package timestamp_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/timestamp"
)

func TestParseReadsWhatPostgreSQLPrints(t *testing.T) {
	t.Parallel()
	tests := map[string]time.Time{
		"2026-01-02T03:04:05.123456+00:00": time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC),
		"2026-01-02 03:04:05.123+00":       time.Date(2026, 1, 2, 3, 4, 5, 123000000, time.UTC),
		"2026-01-02T03:04:05+00:00":        time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2026-01-02T03:04:05Z":             time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2026-01-02 08:34:05.5+05:30":      time.Date(2026, 1, 2, 3, 4, 5, 500000000, time.UTC),
		"2026-01-01T22:04:05-05":           time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"1890-01-02 03:57:33+00:53:28":     time.Date(1890, 1, 2, 3, 4, 5, 0, time.UTC),
		"0001-01-01T00:00:00.000001+00:00": time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
		"9999-12-31T23:59:59.999999+00:00": time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
	}
	for text, want := range tests {
		got, err := timestamp.Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "x", "infinity", "-infinity", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05+00:00 BC",
		"10000-01-01T00:00:00+00:00", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "0000-01-01T00:00:00Z", "2026-01-02T03:04:05Z\n",
	} {
		_, err := timestamp.Parse(text)
		require.ErrorIs(t, err, timestamp.ErrUnreadable, text)
	}
}

func TestNULLIsTheZeroTime(t *testing.T) {
	t.Parallel()
	at := timestamp.Time{Time: time.Now()}
	require.NoError(t, json.Unmarshal([]byte("null"), &at))
	require.True(t, at.IsZero())
	require.Nil(t, timestamp.Of(nil).Pointer())
	require.NoError(t, json.Unmarshal([]byte(`"2026-01-02T03:04:05Z"`), &at))
	require.Equal(t, 2026, at.Pointer().Year())
	for _, data := range []string{`12`, `{}`, `"x"`, `true`} {
		require.ErrorIs(t, json.Unmarshal([]byte(data), &at), timestamp.ErrUnreadable, data)
	}
}

func TestFormatCutsToTheMicrosecond(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 5*60*60+30*60)
	require.Equal(t, "2026-01-02T03:04:05.999999Z", timestamp.Format(time.Date(2026, 1, 2, 8, 34, 5, 999999999, zone)), "not rounded up")
	require.Equal(t, "2026-01-02T03:04:05Z", timestamp.Format(time.Date(2026, 1, 2, 3, 4, 5, 999, time.UTC)))
	require.Equal(t, "0001-01-01T00:00:00.000001Z", timestamp.Format(time.Date(1, 1, 1, 0, 0, 0, 1999, time.UTC)))
	require.False(t, timestamp.InRange(time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -60))), "it is year 10000 in UTC")
}

// FuzzParse asserts that what is read is written back as the same time.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"2026-01-02T03:04:05.123456+00:00", "2026-01-02 03:04:05.123+00", "2026-01-02T03:04:05-05:30", "1890-01-02 03:57:33+00:53:28", "infinity", "0001-01-01T00:00:00+00:00 BC",
		"2024-02-29 23:59:59+00", "2023-02-29T00:00:00+00:00", "0000-01-01T00:00:00+00:00", "2026-13-01T00:00:00+00:00", "2026-00-00T24:60:60+00:00", "2026-01-02T03:04:05.1234567890+00:00", "2026-01-02T03:04:05.+00:00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := timestamp.Parse(text)
		if err != nil {
			require.True(t, parsed.IsZero())
			return
		}
		again, err := timestamp.Parse(timestamp.Format(parsed))
		require.NoError(t, err)
		require.Equal(t, parsed.Truncate(time.Microsecond), again)
	})
}
