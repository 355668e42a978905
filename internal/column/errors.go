package column

import (
	"encoding"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
)

// errorsAsText returns details in which the text of each error stands in its place,
// however deep in maps, slices and arrays: encoding/json would write most errors as
// {}. What the caller has stays as it is. An error that marshals itself is left to
// that; one in a field of a struct cannot be replaced, and is a problem.
func errorsAsText(column string, details map[string]any) (map[string]any, error) {
	r := replacer{}
	replaced, _ := r.replace(details, 0)
	if r.field != "" {
		return details, errors.New(column + ": the field " + r.field + " of a struct holds an error, which has no JSON of its own; store its text")
	}
	return replaced.(map[string]any), nil
}

// deepest is more levels than details have.
const deepest = 1000

type replacer struct {
	field string // the first that holds an error
}

// replace returns what is to be marshalled for a value, and whether that is
// another.
func (r *replacer) replace(value any, depth int) (replaced any, changed bool) {
	if depth > deepest { // a circle, perhaps: json.Marshal tells
		return value, false
	}
	switch v := value.(type) {
	case nil, bool, string, int, int64, float64:
	case map[string]any:
		copied := v
		for key, element := range v {
			if element, other := r.replace(element, depth+1); other {
				if !changed {
					copied, changed = maps.Clone(v), true
				}
				copied[key] = element
			}
		}
		if changed {
			return copied, true
		}
	case []any:
		copied := v
		for i, element := range v {
			if element, other := r.replace(element, depth+1); other {
				if !changed {
					copied, changed = slices.Clone(v), true
				}
				copied[i] = element
			}
		}
		if changed {
			return copied, true
		}
	case json.Marshaler, encoding.TextMarshaler:
	case error:
		if pointer := reflect.ValueOf(value); pointer.Kind() == reflect.Pointer && pointer.IsNil() {
			return nil, true
		}
		return v.Error(), true
	default:
		return r.reflect(reflect.ValueOf(value), depth)
	}
	return value, false
}

// reflect is replace for what is not of the types that JSON decodes to.
func (r *replacer) reflect(v reflect.Value, depth int) (replaced any, changed bool) {
	switch kind := v.Kind(); {
	case kind == reflect.Pointer && !v.IsNil():
		if replaced, changed = r.replace(v.Elem().Interface(), depth+1); changed {
			return replaced, true
		}
	case kind == reflect.Struct:
		r.fields(v, depth)
	case (kind == reflect.Slice || kind == reflect.Array) && mayHold(v.Type().Elem()):
		elements := make([]any, v.Len())
		for i := range elements {
			var other bool
			elements[i], other = r.replace(v.Index(i).Interface(), depth+1)
			changed = changed || other
		}
		if changed {
			return elements, true
		}
	case kind == reflect.Map && mayHold(v.Type().Elem()):
		elements := reflect.MakeMapWithSize(reflect.MapOf(v.Type().Key(), reflect.TypeFor[any]()), v.Len())
		for all := v.MapRange(); all.Next(); {
			element, other := r.replace(all.Value().Interface(), depth+1)
			elements.SetMapIndex(all.Key(), reflect.ValueOf(&element).Elem())
			changed = changed || other
		}
		if changed {
			return elements.Interface(), true
		}
	}
	return v.Interface(), false
}

// fields looks for errors in a struct. A field of an error type of its own has its
// own JSON.
func (r *replacer) fields(v reflect.Value, depth int) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch embedded := reflect.Indirect(v.Field(i)); {
		case field.Tag.Get("json") == "-":
		case field.Anonymous && embedded.Kind() == reflect.Struct && depth < deepest:
			r.fields(embedded, depth+1) // also where its type is not exported
		case field.IsExported() && mayHold(field.Type) && (field.Type.Kind() == reflect.Interface || !field.Type.Implements(errorType)):
			if _, holds := r.replace(v.Field(i).Interface(), depth+1); holds && r.field == "" {
				r.field = field.Name
			}
		}
	}
}

var errorType = reflect.TypeFor[error]()

// mayHold says that a value of a type can be an error or hold one.
func mayHold(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
		return true
	default:
		return t.Implements(errorType)
	}
}
