package column_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/column"
)

type opaque struct{ reason string }

func (o *opaque) Error() string { return o.reason }

type failures []string

func (f failures) Error() string { return fmt.Sprint(len(f), " failures") }

// spoken is an error that marshals itself.
type spoken struct{ Code int }

func (spoken) Error() string                  { return "spoken" }
func (s spoken) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `{"code":%d}`, s.Code), nil }

type counted int

func (c counted) Error() string { return fmt.Sprint("error ", int(c)) }

type report struct {
	Name   string
	Err    error
	Cause  any
	Codes  []counted `json:"codes"`
	Hidden error     `json:"-"`
	inner  error
	Number counted
	Next   *report
}

type embedding struct{ report }

type pointing struct {
	*report
	Number int
}

func TestErrorsAreStoredAsTheirTexts(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for name, test := range map[string]struct {
		value any
		want  string
	}{
		"an error":              {refused, `"refused"`},
		"one of many":           {errors.Join(refused, io.EOF), `"refused\nEOF"`},
		"a wrapped one":         {fmt.Errorf("dial: %w", refused), `"dial: refused"`},
		"a pointer":             {&opaque{"why"}, `"why"`},
		"a nil pointer":         {(*opaque)(nil), `null`},
		"no error":              {error(nil), `null`},
		"a number":              {syscall.ECONNREFUSED, `"connection refused"`},
		"a slice":               {failures{"a", "b"}, `"2 failures"`},
		"one that marshals":     {spoken{7}, `{"code":7}`},
		"in a list":             {[]any{1, refused, []any{io.EOF}}, `[1,"refused",["EOF"]]`},
		"in a map":              {map[string]any{"a": map[string]any{"b": refused}, "c": 1}, `{"a":{"b":"refused"},"c":1}`},
		"a list of errors":      {[]error{refused, nil, io.EOF}, `["refused",null,"EOF"]`},
		"an array of errors":    {[1]error{refused}, `["refused"]`},
		"errors by name":        {map[string]error{"a": refused, "b": nil}, `{"a":"refused","b":null}`},
		"errors by number":      {map[int]error{7: refused}, `{"7":"refused"}`},
		"a list of maps":        {[]map[string]any{{"a": refused}, nil, {"b": 1}}, `[{"a":"refused"},null,{"b":1}]`},
		"lists by name":         {map[string][]error{"a": {refused}, "b": nil}, `{"a":["refused"],"b":null}`},
		"behind a pointer":      {&[]error{refused}, `["refused"]`},
		"a pointer to an error": {&refused, `"refused"`},
		"beside other values": {
			[]any{netip.MustParseAddr("::1"), json.RawMessage(`{"a":1}`), time.Unix(0, 0).UTC(), []byte("x"), struct{ A int }{1}, &struct{ B any }{"b"}, refused},
			`["::1",{"a":1},"1970-01-01T00:00:00Z","eA==",{"A":1},{"B":"b"},"refused"]`,
		},
		"no struct embedded": {pointing{Number: 1}, `{"Number":1}`},
		"none in a struct":   {report{Name: "n", Hidden: refused, inner: refused, Number: 5}, `{"Name":"n","Err":null,"Cause":null,"codes":null,"Number":5,"Next":null}`},
	} {
		details := map[string]any{"value": test.value, "more": 1}
		before := maps.Clone(details)
		row := struct {
			Details map[string]any `json:"details"`
		}{details}
		data, err := column.Marshal(&row, "details", &row.Details)
		require.NoError(t, err, name)
		require.JSONEq(t, `{"details":{"more":1,"value":`+test.want+`}}`, string(data), name)
		require.Equal(t, before, details, "%s: what the caller has stays", name)
	}
}

func TestAnErrorInAStructIsRefused(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for name, value := range map[string]struct {
		of    any
		field string
	}{
		"a field":              {report{Err: refused}, "Err"},
		"behind a pointer":     {&report{Err: refused}, "Err"},
		"a field of any type":  {report{Cause: refused}, "Cause"},
		"deeper":               {report{Next: &report{Cause: []any{refused}}}, "Cause"},
		"in a list of a field": {report{Codes: []counted{1}}, "Codes"},
		"embedded":             {embedding{report{Err: refused}}, "Err"},
		"embedded by pointer":  {pointing{report: &report{Err: refused}}, "Err"},
		"in a list":            {[]report{{}, {Err: refused}}, "Err"},
	} {
		details := map[string]any{"value": value.of}
		data, err := column.Marshal(&details, "details", &details)
		require.Empty(t, data, name)
		require.EqualError(t, err, "details: the field "+value.field+" of a struct holds an error, which has no JSON of its own; store its text", name)
	}
}
