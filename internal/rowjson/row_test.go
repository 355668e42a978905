package rowjson

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/timestamp"
)

type color string

// row has one column of each kind.
type row struct {
	Name    string         `json:"name"`
	Service string         `json:"service"`
	Color   color          `json:"color"`
	Note    *string        `json:"note"`
	Count   *int           `json:"count"`
	Object  map[string]any `json:"object"`
	At      time.Time      `json:"at"`
	Until   *time.Time     `json:"until"`
}

// reference is the row, decoded by encoding/json alone.
type reference row

func (r *reference) UnmarshalJSON(data []byte) error {
	type plain reference
	row := struct {
		*plain
		At    timestamp.Time  `json:"at"`
		Until *timestamp.Time `json:"until"`
	}{plain: (*plain)(r)}
	if err := json.Unmarshal(data, &row); err != nil {
		return err
	}
	r.At, r.Until = row.At.Time, row.Until.Pointer()
	return nil
}

func (r *row) column(name string) any {
	switch name {
	case "name":
		return &r.Name
	case "service":
		return &r.Service
	case "color":
		return (*string)(&r.Color)
	case "note":
		return &r.Note
	case "count":
		return &r.Count
	case "object":
		return &r.Object
	case "at":
		return &r.At
	case "until":
		return &r.Until
	default:
		return nil
	}
}

func TestPlainRowsAreReadAsEncodingJSONReadsThem(t *testing.T) {
	t.Parallel()
	for _, object := range []string{
		`{}`, ` { } `,
		`{"name":"a","service":"b","color":"red","note":"c","count":5,"object":{"d":1},"at":"2026-01-02T03:04:05Z","until":"2026-01-02T03:04:05.5Z"}`,
		`{"name":null,"service":null,"color":null,"note":null,"count":null,"object":null,"at":null,"until":null}`,
		"\t{\n\"name\" :\r\"a\" , \"color\": \"blue\" }\n",
		`{"name":"\"\\\/\b\f\n\r\té\ud83d\ude00\ud83d","note":"","service":"é☃😀"}`,
		`{"count":0}`, `{"count":-1}`, `{"count":2147483647}`, `{"count":-2147483648}`, `{"count":-0}`,
		`{"object":{}}`, `{"object":{"":"","a":[],"b":[[]],"c":{"a":null},"d":[true,false,null,"x",{}]}}`,
		`{"object":{"a":0,"b":-0,"c":1.5,"d":-1e5,"e":1E+5,"f":2e-5,"g":123456789012345678901,"h":0.1}}`,
		`{"object":{"a":1,"a":2}}`,
		`{"later":{"name":"x"},"later_2":[1,2],"name":"a"}`,
		`{"object":` + strings.Repeat(`{"a":`, deepest) + `1` + strings.Repeat(`}`, deepest) + `}`,
	} {
		var want reference
		require.NoError(t, json.Unmarshal([]byte(object), &want), object)
		got, ok := Decode([]byte(object), (*row).column)
		require.True(t, ok, object)
		require.Equal(t, row(want), got, object)
		rows, ok := DecodeAll([]byte("["+object+" , "+object+"]"), (*row).column)
		require.True(t, ok, object)
		require.Equal(t, []row{row(want), row(want)}, rows, object)
	}
	rows, ok := DecodeAll([]byte(" [ ] "), (*row).column)
	require.True(t, ok)
	require.Equal(t, []row{}, rows, "an empty list is not nil")
}

func TestWhatIsUnusualIsLeftToEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, object := range []string{
		``, ` `, `null`, `5`, `[]`, `{`, `{"`, `{"name`, `{"name"`, `{"name":`, `{"name":"a`, `{"name":"a"`, `{"name":"a",`, `{"name":"a",}`, `{,}`,
		`{"name" "a"}`, `{"name":"a" "note":"b"}`, `{name:"a"}`, `{"name":"a"}}`, `{"name":"a"} x`, `{"name":'a'}`,
		"{\"name\":\"\xff\"}", "{\"name\":\"\x01\"}", `{"name":"\x"}`, `{"name":"\u12"}`, `{"name":"a\`, `{"name":"\"}`,
		`{"name":"a","name":"b"}`, `{"later":1,"later":2}`, `{"NAME":"a"}`, `{"ſervice":"a"}`, `{"later-":1}`,
		`{"name":5}`, `{"service":5}`, `{"color":5}`, `{"note":5}`, `{"object":5}`, `{"object":[]}`, `{"at":5}`, `{"until":5}`,
		`{"count":"5"}`, `{"count":1.0}`, `{"count":1e2}`, `{"count":9223372036854775808}`, `{"count":01}`, `{"count":+1}`, `{"count":-}`,
		`{"at":"yesterday"}`, `{"at":"infinity"}`, `{"until":"2026-02-30T00:00:00Z"}`,
		`{"name":nul}`, `{"object":nul}`, `{"NAME":null}`, `{"object":{"a":tru}}`, `{"object":{"a":fals}}`, `{"object":{"a":nil}}`, `{"object":{"a":01}}`, `{"object":{"a":1.}}`,
		`{"object":{"a":.5}}`, `{"object":{"a":1e}}`, `{"object":{"a":1e400}}`, `{"object":{"a":-}}`, `{"object":{"a":}}`, `{"object":{"a"}}`,
		`{"object":{"a":1,}}`, `{"object":{"a":[1,]}}`, `{"object":{"a":[1 2]}}`, `{"object":{"a":[`, `{"object":{"a":1 "b":2}}`, `{"later":{"a":x}}`,
		`{"object":` + strings.Repeat(`{"a":`, deepest+1) + `1` + strings.Repeat(`}`, deepest+1) + `}`,
		`{"object":{"a":` + strings.Repeat(`[`, deepest) + strings.Repeat(`]`, deepest) + `}}`,
		manyColumns(mostColumns + 1),
	} {
		_, ok := Decode([]byte(object), (*row).column)
		require.False(t, ok, object)
		_, ok = DecodeAll([]byte("["+object+"]"), (*row).column)
		require.Equal(t, strings.TrimSpace(object) == "", ok, object)
	}
	for _, list := range []string{``, `null`, `{}`, `[`, `[{}`, `[{},`, `[{},]`, `[{} {}]`, `[{}]]`, `[{},null]`} {
		_, ok := DecodeAll([]byte(list), (*row).column)
		require.False(t, ok, list)
	}
}

func manyColumns(n int) string {
	columns := make([]string, n)
	for i := range columns {
		columns[i] = fmt.Sprintf(`"later_%d":1`, i)
	}
	return "{" + strings.Join(columns, ",") + "}"
}

// Not parallel: others' allocations would count.
func TestRowsShareWhatRepeats(t *testing.T) {
	data := []byte(`[` + strings.Repeat(`{"service":"api","color":"green"},`, 99) + `{}]`)
	allocations := testing.AllocsPerRun(10, func() {
		_, ok := DecodeAll(data, (*row).column)
		require.True(t, ok)
	})
	require.Less(t, allocations, 50.0, "a string for every row would be a hundred")
}

// FuzzRows asserts that what is read is what encoding/json reads.
func FuzzRows(f *testing.F) {
	for _, object := range []string{
		`{"name":"a","service":"b","color":"red","note":"c","count":5,"object":{"d":[1,2.5,true,null,"\u00e9"]},"at":"2026-01-02T03:04:05Z","until":null,"later":{}}`,
		`{"name":"\"","object":{"a":-0,"b":[[]],"c":1e-5},"at":"infinity","until":"2026-01-02 03:04:05+00"}`,
		`{"name":"a","name":"b","NAME":"c"}`,
	} {
		f.Add([]byte(object))
		f.Add([]byte("[" + object + ", " + object + "]"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, ok := Decode(data, (*row).column); ok {
			var want reference
			require.NoError(t, json.Unmarshal(data, &want))
			require.Equal(t, row(want), got)
		}
		if got, ok := DecodeAll(data, (*row).column); ok {
			var want []reference
			require.NoError(t, json.Unmarshal(data, &want))
			require.Len(t, got, len(want))
			for i := range got {
				require.Equal(t, row(want[i]), got[i])
			}
		}
	})
}
