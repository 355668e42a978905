package supabasetest

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// integerKind is INTEGER, int32 here.
type integerKind struct{}

// parse reads spaces, a sign, digits and spaces. What is too large is found out
// before what comes behind it is looked at.
func (integerKind) parse(text string) (value, error) {
	const spaces = " \t\n\v\f\r"
	digits := strings.TrimLeft(text, spaces)
	negative := strings.HasPrefix(digits, "-")
	if negative || strings.HasPrefix(digits, "+") {
		digits = digits[1:]
	}
	n, i := int64(0), 0
	for ; i < len(digits) && digits[i] >= '0' && digits[i] <= '9'; i++ {
		n = n*10 - int64(digits[i]-'0') // the negative numbers reach one further
		if n < math.MinInt32 {
			return nil, outOfRange(text)
		}
	}
	if i == 0 || strings.Trim(digits[i:], spaces) != "" {
		return nil, invalidInput("22P02", "integer", text)
	}
	if negative {
		return int32(n), nil
	}
	if n == math.MinInt32 {
		return nil, outOfRange(text)
	}
	return int32(-n), nil
}

func outOfRange(text string) *failure {
	return badRequest("22003", `value "%s" is out of range for type integer`, text)
}

func (integerKind) output(v value) string { return strconv.FormatInt(int64(v.(int32)), 10) }

func (integerKind) appendJSON(data []byte, v value) []byte {
	return strconv.AppendInt(data, int64(v.(int32)), 10)
}

func (integerKind) compare(a, b value) int { return cmp.Compare(a.(int32), b.(int32)) }
