package supabasetest

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// timestampKind is TIMESTAMPTZ, an instant here. The session's zone is UTC.
type timestampKind struct{}

// instant counts microseconds since 1970, in UTC.
type instant int64

const (
	infinity      instant = math.MaxInt64
	minusInfinity instant = math.MinInt64
)

func instantOf(t time.Time) instant { return instant(t.UnixMicro()) }

var (
	isoTimestamp = regexp.MustCompile(`^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(\.\d*)?)?\s*(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?$`)
	word         = regexp.MustCompile(`^[A-Za-z]*$`)
)

// parse reads ISO 8601 and infinity. PostgreSQL reads much more: where it is
// not plain that it would refuse a text, that is not supported.
func (timestampKind) parse(text string) (value, error) {
	trimmed := strings.TrimSpace(text)
	switch strings.ToLower(trimmed) {
	case "infinity":
		return infinity, nil
	case "-infinity":
		return minusInfinity, nil
	case "now", "today", "tomorrow", "yesterday", "epoch":
		return nil, unsupported("the timestamp %q", text)
	}
	match := isoTimestamp.FindStringSubmatch(trimmed)
	if match == nil {
		if word.MatchString(trimmed) {
			return nil, invalidInput("22007", "timestamp with time zone", text)
		}
		return nil, unsupported("the timestamp %q", text)
	}
	year, month, day := number(match[1]), number(match[2]), number(match[3])
	hour, minute, second := number(match[4]), number(match[5]), number(match[6])
	offset := time.Duration(number(match[9]))*time.Hour + time.Duration(number(match[10]))*time.Minute
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	// 24:00:00 is the next day's midnight, and a second 60 the next minute's first.
	late := hour > 24 || hour == 24 && (minute > 0 || second > 0 || strings.Trim(match[7], ".0") != "")
	switch refused := badRequest("22008", `date/time field value out of range: "%s"`, text); {
	case year > 0 && (month < 1 || month > 12 || day < 1 || day > 31):
		refused.hint = `Perhaps you need a different "datestyle" setting.`
		return nil, refused
	case year == 0 || date.Day() != day || late || minute > 59 || second > 60:
		return nil, refused
	case offset >= 16*time.Hour || number(match[10]) > 59:
		return nil, badRequest("22009", `time zone displacement out of range: "%s"`, text)
	}
	if match[8] == "-" {
		offset = -offset
	}
	t := date.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second)
	if t = t.Add(microseconds(match[7])).Add(-offset); t.Year() < 1 || t.Year() > 9999 {
		return nil, unsupported("the timestamp %q: its year in UTC is not within 1…9999", text)
	}
	return instantOf(t), nil
}

// number reads what the expression has matched: two or four digits, or nothing.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// microseconds rounds a fraction of a second, ".123", as PostgreSQL does:
// rint(strtod(fraction) * 1000000).
func microseconds(fraction string) time.Duration {
	if len(fraction) < 2 {
		return 0
	}
	f, _ := strconv.ParseFloat(fraction, 64)
	return time.Duration(math.RoundToEven(f*1e6)) * time.Microsecond
}

func (timestampKind) output(v value) string {
	return printInstant(v.(instant), "2006-01-02 15:04:05.999999+00")
}

func (timestampKind) appendJSON(data []byte, v value) []byte {
	return appendJSONString(data, printInstant(v.(instant), "2006-01-02T15:04:05.999999+00:00"))
}

func printInstant(i instant, layout string) string {
	switch i {
	case infinity:
		return "infinity"
	case minusInfinity:
		return "-infinity"
	}
	return time.UnixMicro(int64(i)).UTC().Format(layout)
}

func (timestampKind) compare(a, b value) int { return cmp.Compare(a.(instant), b.(instant)) }
