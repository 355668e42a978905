package column

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
)

// checkStrings walks what encoding/json marshalled, which has no cycles then,
// and checks every string and key. Types that marshal themselves are judged by
// what they wrote.
func checkStrings(value any) string {
	switch value := value.(type) {
	case nil, bool, int, int64, float64, json.Number, json.Marshaler:
		return ""
	case string:
		return checkText(value)
	case map[string]any:
		for key, element := range value {
			if problem := first(checkText(key), checkStrings(element)); problem != "" {
				return problem
			}
		}
		return ""
	case []any:
		for _, element := range value {
			if problem := checkStrings(element); problem != "" {
				return problem
			}
		}
		return ""
	case encoding.TextMarshaler:
		text, err := value.MarshalText()
		if err != nil {
			return "must marshal"
		}
		return checkText(string(text))
	default:
		return checkReflected(reflect.ValueOf(value))
	}
}

func checkReflected(value reflect.Value) string {
	switch value.Kind() { //nolint:exhaustive // the others hold no strings
	case reflect.String:
		return checkText(value.String())
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			return ""
		}
		return checkStrings(value.Elem().Interface())
	case reflect.Slice, reflect.Array:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			return "" // base64
		}
		for i := range value.Len() {
			if problem := checkStrings(value.Index(i).Interface()); problem != "" {
				return problem
			}
		}
	case reflect.Map:
		for entries := value.MapRange(); entries.Next(); {
			if problem := first(checkStrings(entries.Key().Interface()), checkStrings(entries.Value().Interface())); problem != "" {
				return problem
			}
		}
	case reflect.Struct:
		return checkFields(value)
	}
	return ""
}

func checkFields(value reflect.Value) string {
	for i := range value.NumField() {
		field := value.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && field.Type.Kind() == reflect.Struct { // its fields count, even where its own name is not exported
			if problem := checkFields(value.Field(i)); problem != "" {
				return problem
			}
			continue
		}
		if name == "-" || !field.IsExported() {
			continue
		}
		if problem := checkStrings(value.Field(i).Interface()); problem != "" {
			return problem
		}
	}
	return ""
}

func first(problems ...string) string {
	for _, problem := range problems {
		if problem != "" {
			return problem
		}
	}
	return ""
}

// escapesNUL finds \u0000 in JSON, but not the characters \\u0000.
func escapesNUL(data []byte) bool {
	for {
		at := bytes.Index(data, []byte(`\u0000`))
		if at < 0 {
			return false
		}
		backslashes := 0
		for at-1-backslashes >= 0 && data[at-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return true
		}
		data = data[at+1:]
	}
}
