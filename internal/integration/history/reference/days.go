package reference

import "time"

// Days returns the last n calendar days up to until, by walking through their minutes:
// a day begins at the first minute whose date is later than that of all before. So a
// date that a zone skips is no day, and where clocks go back across midnight the hour
// that comes twice is one of the new day. It knows zones with whole minutes.
func Days(n int, until time.Time, location *time.Location) []Range {
	if n < 1 {
		return nil
	}
	const slack = 5 // days, more than a zone can skip
	at := until.Truncate(time.Minute).Add(-time.Duration(n+slack) * 24 * time.Hour)
	date := func() string { return at.In(location).Format(time.DateOnly) }
	latest := date()
	var starts []time.Time
	for ; at.Before(until); at = at.Add(time.Minute) {
		if d := date(); d > latest {
			latest = d
			starts = append(starts, at)
		}
	}
	starts = starts[len(starts)-n:]
	days := make([]Range, n)
	for i := range days {
		days[i] = Range{starts[i], until}
		if i+1 < n {
			days[i].End = starts[i+1]
		}
	}
	return days
}
