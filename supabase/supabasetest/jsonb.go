package supabasetest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
)

// jsonbKind is JSONB, the text that PostgreSQL prints of it here: keys by length
// and then by bytes, the last of equal keys, numbers without exponents.
type jsonbKind struct{}

func (jsonbKind) parse(text string) (value, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return nil, unsupported("the JSON value %s", text)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, unsupported("the JSON value %s", text)
	}
	data, err := appendJSONB(nil, decoded)
	return string(data), err
}

func (jsonbKind) output(v value) string { return v.(string) }

func (jsonbKind) appendJSON(data []byte, v value) []byte { return append(data, v.(string)...) }

// compare is not reached: filters and orders by a JSONB column are refused.
func (jsonbKind) compare(a, b value) int { return strings.Compare(a.(string), b.(string)) }

func appendJSONB(data []byte, decoded any) ([]byte, error) {
	var err error
	switch decoded := decoded.(type) {
	case map[string]any:
		keys := make([]string, 0, len(decoded))
		for key := range decoded {
			keys = append(keys, key)
		}
		slices.SortFunc(keys, func(a, b string) int {
			return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
		})
		data = append(data, '{')
		for i, key := range keys {
			if i > 0 {
				data = append(data, ", "...)
			}
			if data, err = appendJSONB(data, key); err != nil {
				return nil, err
			}
			data = append(data, ": "...)
			if data, err = appendJSONB(data, decoded[key]); err != nil {
				return nil, err
			}
		}
		return append(data, '}'), nil
	case []any:
		data = append(data, '[')
		for i, element := range decoded {
			if i > 0 {
				data = append(data, ", "...)
			}
			if data, err = appendJSONB(data, element); err != nil {
				return nil, err
			}
		}
		return append(data, ']'), nil
	case string:
		if strings.ContainsRune(decoded, 0) {
			return nil, nulEscape()
		}
		return appendJSONString(data, decoded), nil
	case json.Number:
		return appendNumeric(data, decoded.String())
	case bool:
		return strconv.AppendBool(data, decoded), nil
	default:
		return append(data, "null"...), nil
	}
}

// maxExponent keeps a short number from becoming a long one. NUMERIC goes much
// further.
const maxExponent = 1000

// appendNumeric prints a JSON number as NUMERIC does: all digits, zeros at the
// end of a fraction included, and no exponent.
func appendNumeric(data []byte, number string) ([]byte, error) {
	mantissa, power, _ := strings.Cut(strings.ToLower(number), "e")
	exponent := 0
	if power != "" {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil || max(exponent, -exponent) > maxExponent {
			return nil, unsupported("the number %s", number)
		}
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if exponent >= 0 {
		shift := min(exponent, len(fraction))
		whole += fraction[:shift] + strings.Repeat("0", exponent-shift)
		fraction = fraction[shift:]
	} else {
		whole = strings.Repeat("0", -exponent) + whole
		fraction = whole[len(whole)+exponent:] + fraction
		whole = whole[:len(whole)+exponent]
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if negative && strings.Trim(whole+fraction, "0") != "" {
		data = append(data, '-')
	}
	data = append(data, whole...)
	if fraction != "" {
		data = append(append(data, '.'), fraction...)
	}
	return data, nil
}

// scanEscapes says whether a JSON text has \u0000 in it, and whether an escape
// that is half of a surrogate pair, which encoding/json replaces without a word.
func scanEscapes(data []byte) (nul, half bool) {
	for i := 0; i+1 < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		if i++; data[i] != 'u' {
			continue
		}
		unit := hexUnit(data[i-1:])
		switch {
		case unit == 0:
			nul = true
		case unit >= 0xdc00 && unit < 0xe000:
			half = true
		case unit >= 0xd800 && unit < 0xdc00:
			if low := hexUnit(data[min(i+5, len(data)):]); low < 0xdc00 || low >= 0xe000 {
				half = true
				continue
			}
			i += 6
		}
		i += 4
	}
	return nul, half
}

// hexUnit reads a \uXXXX at the start of data, or returns -1.
func hexUnit(data []byte) int64 {
	if len(data) < 6 || !bytes.HasPrefix(data, []byte(`\u`)) {
		return -1
	}
	unit, err := strconv.ParseInt(string(data[2:6]), 16, 32)
	if err != nil {
		return -1
	}
	return unit
}
