package rowjson_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
)

type row struct {
	ID      string
	Message *string
	Latency *int
	Details map[string]any
	At      time.Time
	Until   *time.Time
}

func (r *row) scan(data []byte) bool {
	return rowjson.Scan(data,
		rowjson.Column{Name: "id", Into: &r.ID},
		rowjson.Column{Name: "message", Into: &r.Message},
		rowjson.Column{Name: "latency", Into: &r.Latency},
		rowjson.Column{Name: "details", Into: &r.Details},
		rowjson.Column{Name: "at", Into: &r.At},
		rowjson.Column{Name: "until", Into: &r.Until},
	)
}

func TestScan(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC)
	for _, test := range []struct {
		data string
		want row
	}{
		{`{}`, row{}},
		{`{"id":"x","message":"down","latency":12,"details":{"a":1},"at":"2026-01-02T03:04:05.123456+00:00","until":"2026-01-02 03:04:05.123456+00"}`, row{
			ID: "x", Message: new("down"), Latency: new(12), Details: map[string]any{"a": 1.0}, At: at, Until: &at,
		}},
		{`{"until":null,"at":null,"details":null,"latency":null,"message":null,"id":null}`, row{}},
		{" {\n\t\"id\" : \"x\" ,\r\"latency\" : -7 } ", row{ID: "x", Latency: new(-7)}},
		{`{"latency":1,"id":"x"}`, row{ID: "x", Latency: new(1)}},
		{`{"new":{"id":"y","a":[1]},"id":"x","newer":"z"}`, row{ID: "x"}},
		{`{"id":"a \"b\"\n\\","message":"\ud83d\ude00é"}`, row{ID: "a \"b\"\n\\", Message: new("😀é")}},
		{"{\"id\":\"\xff\"}", row{ID: "\ufffd"}},
		{`{"\u0069d":"x"}`, row{ID: "x"}},
		{`{"until":"0001-01-01T00:00:00Z"}`, row{}},
		{`{"details":{}}`, row{Details: map[string]any{}}},
		{`{"details":{"é":null,"\n":[],"a":true,"a":false}}`, row{Details: map[string]any{"é": nil, "\n": []any{}, "a": false}}},
		{`{"details":{"a":[0,-0.5,1e3,2E-1,1.25e+2,"b"]}}`, row{Details: map[string]any{"a": []any{0.0, -0.5, 1000.0, 0.2, 125.0, "b"}}}},
	} {
		var got row
		data := []byte(test.data)
		require.True(t, got.scan(data), test.data)
		clear(data)
		require.Equal(t, test.want, got, "%s: it may hold no part of the answer", test.data)
	}
}

func TestScanLeavesTheRest(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for _, data := range []string{
		``, `null`, `[]`, `{`, `{"id"`, `{"id":`, `{"id":"x"`, `{"id":"x",`, `{"id":"x",}`, `{"id":"x"}}`, `{"id":"x"} 1`, `{,}`, `{id:1}`, `{"id" "x"}`, "{}\x00",
		`{"id":"x","id":"y"}`, `{"id":"x","id":null}`, `{"ID":"x"}`, `{"DETAILS":{}}`, `{"detailſ":{}}`,
		`{"id":5}`, `{"id":"x`, `{"id":"\`, `{"id":"\"`, `{"id":"\x"}`, "{\"id\":\"\n\"}", "{\"id\":\"\\\n\"}", `{"id":nul}`, `{"id":nullx}`, `{"message":{}}`,
		`{"latency":"1"}`, `{"latency":1.5}`, `{"latency":9223372036854775808}`, `{"latency":01}`, `{"latency":-}`, `{"latency":+1}`, `{"latency":`,
		`{"details":[]}`, `{"details":{"a":1e400}}`, `{"details":{"a":01}}`, `{"details":{"a":1.}}`, `{"details":{"a":1e}}`, `{"details":{"a":tru}}`, `{"details":{"a":[1,]}}`, `{"details":{"a":[1 2]}}`, `{"details":{"a":[}}`, `{"details":{"a":}}`,
		`{"details":{"a":` + deep + `}}`, `{"new":[` + deep + `]}`, `{"details":` + strings.Repeat(`{"a":`, 101) + `1` + strings.Repeat(`}`, 102),
		`{"at":5}`, `{"at":"2026-01-02T03:04:05Z}`, `{"at":"infinity"}`, `{"until":"x"}`, `{"new":x}`,
	} {
		require.False(t, new(row).scan([]byte(data)), data)
	}
}

// strict is a row that encoding/json could not decode.
type strict struct{ id string }

func (c *strict) UnmarshalJSON(data []byte) error {
	if rowjson.Scan(data, rowjson.Column{Name: "id", Into: &c.id}) {
		return nil
	}
	return timestamp.ErrUnreadable
}

func TestRows(t *testing.T) {
	t.Parallel()
	for data, want := range map[string][]strict{
		`[]`:                                     {},
		" [ ] ":                                  {},
		`[{}]`:                                   {{}},
		"[{\"id\":\"a\"}, \n {\"id\":\"b\"}]\n":  {{"a"}, {"b"}},
		`[{"id":"]}\"{["},{"new":[{"}":"\\"}]}]`: {{`]}"{[`}, {}},
		`null`:                                   nil,
	} {
		rows, err := rowjson.Rows[strict]([]byte(data))
		require.NoError(t, err, data)
		require.Equal(t, want, rows, data)
	}
	for _, data := range []string{``, `{}`, `5`, `[`, `[{}`, `[{`, `[{},`, `[{},]`, `[{} {}]`, `[{}]]`, `[,{}]`, `[null]`, `[5]`, `[{"id":5}]`, `[{"id":"x]`, `[{"id":"x"]`, `[{"id":"x"}`} {
		_, err := rowjson.Rows[strict]([]byte(data))
		var rows []strict
		require.Equal(t, json.Unmarshal([]byte(data), &rows), err, data)
		require.Error(t, err, data)
	}
	plain, err := rowjson.Rows[struct{ ID string }]([]byte(`[{"id":"x"}]`))
	require.NoError(t, err)
	require.Len(t, plain, 1, "a type that does not decode itself")
}

// encoding/json takes 10,000 levels, those around a row among them.
func TestRowsKeepsTheLimitOnDepth(t *testing.T) {
	t.Parallel()
	nested := func(levels int) []byte {
		return []byte(`[{"a":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + `}]`)
	}
	for levels, fine := range map[int]bool{10: true, 9_998: true, 9_999: false} {
		_, err := rowjson.Rows[json.RawMessage](nested(levels))
		require.Equal(t, fine, err == nil, levels)
	}
}
