package timestamp

import "time"

// ParseBytes is Parse, several times as fast for what servers in UTC print.
func ParseBytes(text []byte) (time.Time, error) {
	if t, ok := parsePlain(text); ok {
		return t, nil
	}
	return Parse(string(text))
}

// parsePlain reads 2026-01-02T03:04:05.123456+00:00, with a T or a space, up to
// nine digits of a second or none, and +00:00 or +00.
func parsePlain(text []byte) (time.Time, bool) {
	const seconds = len("2026-01-02T03:04:05")
	if len(text) < seconds+len("+00") {
		return time.Time{}, false
	}
	for _, at := range [...]struct {
		index int
		is    byte
	}{{4, '-'}, {7, '-'}, {13, ':'}, {16, ':'}} {
		if text[at.index] != at.is {
			return time.Time{}, false
		}
	}
	if text[10] != 'T' && text[10] != ' ' {
		return time.Time{}, false
	}
	nanoseconds, digits := 0, 0
	rest := text[seconds:]
	if rest[0] == '.' {
		for rest = rest[1:]; digits < len(rest) && digits < 9 && isDigit(rest[digits]); digits++ {
			nanoseconds = 10*nanoseconds + int(rest[digits]-'0')
		}
		if digits == 0 {
			return time.Time{}, false
		}
		rest = rest[digits:]
		for ; digits < 9; digits++ {
			nanoseconds *= 10
		}
	}
	if string(rest) != "+00:00" && string(rest) != "+00" {
		return time.Time{}, false
	}
	century, ok1 := two(text[0:])
	year, ok2 := two(text[2:])
	month, ok3 := two(text[5:])
	day, ok4 := two(text[8:])
	hour, ok5 := two(text[11:])
	minute, ok6 := two(text[14:])
	second, ok7 := two(text[17:])
	year += 100 * century
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7) || year == 0 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanoseconds, time.UTC)
	// time.Date takes the 30th of February for a day in March.
	return t, t.Month() == time.Month(month) && t.Day() == day
}

func two(digits []byte) (n int, ok bool) {
	return 10*int(digits[0]-'0') + int(digits[1]-'0'), isDigit(digits[0]) && isDigit(digits[1])
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
