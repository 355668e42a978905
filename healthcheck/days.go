package healthcheck

import (
	"slices"
	"time"
)

// TimeRange is [Start, End).
type TimeRange struct {
	Start, End time.Time
}

// Days returns the n calendar days of a location that end with until, oldest first,
// for FindHistory. The last one is as long as it is by until: a whole day if that is
// its midnight. A day begins at the first instant of its date, also where there is no
// midnight; a date that a location left out is no day. nil means UTC, and n < 1 no days.
func Days(n int, until time.Time, location *time.Location) []TimeRange {
	if location == nil {
		location = time.UTC
	}
	var days []TimeRange
	year, month, day := until.In(location).Date()
	// A clock that was turned back to the day before has the date of that day once more.
	date, end := time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC), until.In(location)
	for ; len(days) < n && date.Year() > 0; date = date.AddDate(0, 0, -1) {
		if begin, exists := beginning(date, location); exists && begin.Before(end) {
			days = append(days, TimeRange{begin, end})
			end = begin
		}
	}
	slices.Reverse(days)
	return days
}

// beginning returns the first instant at which a location has a date, which is given
// as its midnight in UTC.
func beginning(date time.Time, location *time.Location) (first time.Time, exists bool) {
	const most = 26 * time.Hour // more than any location is from UTC
	year, day := date.Year(), date.YearDay()
	for t := date.Add(-most).In(location); t.Before(date.Add(most)); {
		_, offset := t.Zone()
		_, change := t.ZoneBounds() // of the offset
		if midnight := date.Add(-time.Duration(offset) * time.Second); midnight.After(t) {
			t = midnight.In(location)
		}
		switch {
		case !change.IsZero() && !t.Before(change):
			t = change
		case t.Year() == year && t.YearDay() == day:
			return t, true
		case change.IsZero():
			return time.Time{}, false
		default: // that date is over by this offset
			t = change
		}
	}
	return time.Time{}, false
}
