package modeltest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/internal/rowjson"
	"github.com/supavigil/supavigil/internal/timestamp"
)

// Rows is what there is to know of a model's rows, R, and of what they are created
// from, D, to test how they are read and sent.
type Rows[R, D any] struct {
	Table   string
	Full    R                  // a value in every field
	Columns rowjson.Columns[R] // of R
	Check   func(D) error      // what is invalid
	Later   []string           // columns that the database, or a later change, fills in
	JSON    func(i int) string // the i-th row as PostgREST sends it
	Parts   []string           // more JSON to decode onto rows
	Strange []string           // more JSON to begin to fuzz with
}

// Test tests that every column is read and sent, whatever else a row has.
func (rows Rows[R, D]) Test(t *testing.T) {
	t.Parallel()
	t.Run("every column is read", rows.everyColumnIsRead)
	t.Run("every column is sent", rows.everyColumnIsSent)
	t.Run("every text is checked", rows.everyTextIsChecked)
	t.Run("the double has every column", rows.theDoubleHasEveryColumn)
	t.Run("every time is read as PostgreSQL prints it", rows.everyTimeIsRead)
	t.Run("a part decodes onto a row", rows.partsDecodeOntoRows)
	t.Run("columns of a later table are skipped", rows.laterColumnsAreSkipped)
}

// A column that is in the struct alone would be skipped.
func (rows Rows[R, D]) everyColumnIsRead(t *testing.T) {
	for _, field := range fieldsOf[R]() {
		require.False(t, reflect.ValueOf(rows.Full).FieldByIndex(field.Index).IsZero(), "the test must fill %s", field.Name)
	}
	data, err := json.Marshal(rows.Full)
	require.NoError(t, err)
	got, plain := rowjson.Decode(data, rows.Columns)
	require.True(t, plain)
	require.Equal(t, rows.Full, got)
}

// Every column is sent but those that the database, or a later change, fills in.
func (rows Rows[R, D]) everyColumnIsSent(t *testing.T) {
	sent := map[string]bool{}
	for _, column := range rows.Later {
		sent[column] = true
	}
	for _, field := range fieldsOf[D]() {
		column, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		sent[column] = true
	}
	for _, field := range fieldsOf[R]() {
		require.True(t, sent[field.Tag.Get("json")], "%s is not sent", field.Name)
		delete(sent, field.Tag.Get("json"))
	}
	require.Empty(t, sent)
}

// A text that PostgreSQL cannot store would be stored as another.
func (rows Rows[R, D]) everyTextIsChecked(t *testing.T) {
	const bad = "\xff"
	for _, field := range fieldsOf[D]() {
		column, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		var data D
		switch value := reflect.ValueOf(&data).Elem().FieldByIndex(field.Index); value.Interface().(type) {
		case *string:
			value.Set(reflect.ValueOf(new(bad)))
		case map[string]any:
			value.Set(reflect.ValueOf(map[string]any{"a": bad}))
		default:
			if value.Kind() != reflect.String {
				continue
			}
			value.SetString(bad)
		}
		require.ErrorContains(t, rows.Check(data), column)
	}
}

func (rows Rows[R, D]) theDoubleHasEveryColumn(t *testing.T) {
	server := Start(t)
	require.NoError(t, server.Insert(rows.Table, json.RawMessage(rows.JSON(0))))
	row := server.Rows(rows.Table)[0]
	for _, field := range fieldsOf[R]() {
		require.Contains(t, row, field.Tag.Get("json"))
		delete(row, field.Tag.Get("json"))
	}
	require.Empty(t, row)
}

// Each time is read in PostgreSQL's own form too, by either decoder; and its name says
// that it is one, by which a row that was sent is compared with what is stored.
func (rows Rows[R, D]) everyTimeIsRead(t *testing.T) {
	for _, field := range fieldsOf[R]() {
		column := field.Tag.Get("json")
		isTime := timestamps[field.Type] != nil
		require.Equal(t, isTime, strings.HasSuffix(column, "_at"), column)
		if !isTime {
			continue
		}
		for _, before := range []string{`{}`, `{"service_name":"filled"}`} {
			row := decode[R](t, before)
			require.NoError(t, json.Unmarshal([]byte(`{"`+column+`":"2026-01-02 03:04:05.5+00"}`), &row), column)
			at := reflect.Indirect(reflect.ValueOf(row).FieldByIndex(field.Index)).Interface()
			require.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 500_000_000, time.UTC), at, column)
		}
	}
}

// A part of a row decodes onto one as it does onto any struct: what is absent stays.
// Only a time that is null becomes zero, whose meaning that is.
func (rows Rows[R, D]) partsDecodeOntoRows(t *testing.T) {
	full, err := json.Marshal(rows.Full)
	require.NoError(t, err)
	for _, part := range append([]string{
		`{}`, `null`, ` null `, `{"status":"down"}`, `{"id":null,"service_name":null,"status":null}`,
		`{"created_at":"2027-01-02T03:04:05Z"}`, `{"unknown":1}`, `{"STATUS":"x"}`, `{"status":5}`, `{"created_at":5}`, `[]`, `{"id":"x"`,
	}, rows.Parts...) {
		for _, before := range []string{string(full), `{}`} {
			got := decode[R](t, before)
			want := reflect.New(plain[R]())
			want.Elem().Set(reflect.ValueOf(decode[R](t, before)).Convert(plain[R]()))
			err, wantErr := json.Unmarshal([]byte(part), &got), json.Unmarshal([]byte(part), want.Interface())
			require.Equal(t, wantErr == nil, err == nil, "%s onto %s: %v, %v", part, before, wantErr, err)
			if err == nil {
				require.Equal(t, want.Elem().Convert(reflect.TypeFor[R]()).Interface(), got, "%s onto %s", part, before)
			}
		}
	}
	got, want := decode[R](t, string(full)), decode[R](t, string(full))
	require.NoError(t, json.Unmarshal([]byte(`{"created_at":null}`), &got))
	reflect.ValueOf(&want).Elem().FieldByName("CreatedAt").SetZero()
	require.Equal(t, want, got, "NULL")
}

func (rows Rows[R, D]) laterColumnsAreSkipped(t *testing.T) {
	got, plain := rowjson.DecodeAll(rows.page(2, `,"tenant":{"a":[1,null]},"zone_2":"x"`), rows.Columns)
	require.True(t, plain, "encoding/json would take six times as long")
	want, _ := rowjson.DecodeAll(rows.page(2, ""), rows.Columns)
	require.Equal(t, want, got)
	for _, name := range []string{"STATUS", "ſtatus", "Tenant", "tenañt"} {
		_, plain := rowjson.DecodeAll(rows.page(1, `,"`+name+`":"x"`), rows.Columns)
		require.False(t, plain, name)
	}
}

// page is a list as PostgREST sends it, more columns included that a table may have.
func (rows Rows[R, D]) page(count int, more string) []byte {
	lines := make([]string, count)
	for i := range lines {
		lines[i] = strings.TrimSuffix(rows.JSON(i), "}") + more + "}"
	}
	return []byte("[" + strings.Join(lines, ", \n ") + "]")
}

// Fuzz asserts that a row decodes as it does with encoding/json alone, alone and in a
// list, and that it is the same after it was marshalled.
func (rows Rows[R, D]) Fuzz(f *testing.F) {
	for _, row := range append([]string{
		rows.JSON(0),
		`{"id":"x","details":{"a":[1,-0,0.5,1e5,1E-5,-12.25e+3,123456789012345678,true,false,null,"",{},[]]},"probe_details":{"a":[1,-0,0.5,1e5,1E-5,-12.25e+3,123456789012345678,true,false,null,"",{},[]]}}`,
		`{"id":"\u0061\n\ud83d\ude00 é☃","service_name":"\"\\","status":null,"message":"a\tb","error_message":"a\tb"}`,
		` { "id" : "x" , "service_name" : "y" } `,
		`{"id":"x","ID":"y","id":"z","Service_Name":"q"}`,
		`{"id":"x"} {}`, `{"id":5}`, `{"id":"x",}`, `{"id":"x" "a":1}`, `{"probe_details":{"a":1,"a":2},"details":{"a":01}}`,
		`{"id":"x","tenant":{"a":[1,"\u00e9"]},"n1":1e400}`, `{"tenant":null,"id":"x","Tenant":1,"ſtatus":"down","STATUS":"up"}`, `{"a_1":1,"a_1":2,"id":"x","":tru}`,
		`null`, `[]`, `{}`, ``, `{`, `[{},null]`, "{\"id\":\"\xff\"}", "{\"id\":\"\x01\"}",
	}, rows.Strange...) {
		f.Add([]byte(row))
		f.Add([]byte("[" + row + ",\n " + row + "]"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got R
		err := json.Unmarshal(data, &got)
		want, wantErr := reference[R](data)
		require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		if row, plain := rowjson.Decode(data, rows.Columns); plain {
			require.NoError(t, wantErr)
			require.Equal(t, want, row)
		}
		if all, plain := rowjson.DecodeAll(data, rows.Columns); plain {
			var each []json.RawMessage
			require.NoError(t, json.Unmarshal(data, &each))
			require.Len(t, all, len(each))
			for i, row := range all {
				want, err := reference[R](each[i])
				require.NoError(t, err)
				require.Equal(t, want, row)
			}
		}
		if err != nil {
			return
		}
		require.Equal(t, want, got)
		marshalled, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, got, decode[R](t, string(marshalled)))
	})
}

// Benchmark compares how a list is read with what a program without this library
// would do: decode into a struct.
func (rows Rows[R, D]) Benchmark(b *testing.B) {
	for _, count := range []int{1, 100, 1000} {
		for name, more := range map[string]string{"": "", "/unknown-column": `,"tenant":"a"`} {
			data := rows.page(count, more)
			name = fmt.Sprintf("rows=%d%s", count, name)
			bench(b, name, data, count, func() int {
				all, _ := rowjson.DecodeAll(data, rows.Columns)
				return len(all)
			})
			bench(b, name+"/hand-written", data, count, func() int {
				all := reflect.New(reflect.SliceOf(plain[R]()))
				if json.Unmarshal(data, all.Interface()) != nil {
					return -1
				}
				return all.Elem().Len()
			})
		}
	}
}

func bench(b *testing.B, name string, data []byte, want int, decode func() int) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if got := decode(); got != want {
				b.Fatal(got)
			}
		}
	})
}

func fieldsOf[R any]() []reflect.StructField { return reflect.VisibleFields(reflect.TypeFor[R]()) }

// plain is R without its methods.
func plain[R any]() reflect.Type { return reflect.StructOf(fieldsOf[R]()) }

func decode[R any](t *testing.T, data string) (row R) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(data), &row))
	return row
}

// timestamps are the types that read what PostgreSQL prints, by those of the rows.
var timestamps = map[reflect.Type]reflect.Type{
	reflect.TypeFor[time.Time]():  reflect.TypeFor[timestamp.Time](),
	reflect.TypeFor[*time.Time](): reflect.TypeFor[*timestamp.Time](),
}

// reference is a row, decoded by encoding/json alone.
func reference[R any](data []byte) (row R, err error) {
	fields := fieldsOf[R]()
	for i, field := range fields {
		if as := timestamps[field.Type]; as != nil {
			fields[i].Type = as
		}
	}
	decoded := reflect.New(reflect.StructOf(fields))
	err = json.Unmarshal(data, decoded.Interface())
	for i := range fields {
		into := reflect.ValueOf(&row).Elem().Field(i)
		switch value := decoded.Elem().Field(i).Interface().(type) {
		case timestamp.Time:
			into.Set(reflect.ValueOf(value.Time))
		case *timestamp.Time:
			into.Set(reflect.ValueOf(value.Pointer()))
		default:
			into.Set(decoded.Elem().Field(i))
		}
	}
	return row, err
}
