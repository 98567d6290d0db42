package files

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
	"github.com/apache/arrow/go/v15/parquet/schema"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/connectortest"
)

// packed writes a Parquet file of JSON rows in the types of the fields.
func packed(t testing.TB, fields []arrow.Field, rows string, more ...parquet.WriterProperty) string {
	t.Helper()
	s := arrow.NewSchema(fields, nil)
	record, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	defer record.Release()
	return packedRecord(t, s, record, more...)
}

func packedRecord(t testing.TB, s *arrow.Schema, record arrow.Record, more ...parquet.WriterProperty) string {
	t.Helper()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(s, &out, parquet.NewWriterProperties(more...), pqarrow.NewArrowWriterProperties(pqarrow.WithDeprecatedInt96Timestamps(false)))
	if err == nil {
		err = w.Write(record)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestParquetTypesAreWrittenExactly(t *testing.T) {
	utc := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	for name, c := range map[string]struct {
		kind   arrow.DataType
		values string // JSON array
		want   []string
	}{
		"text":                  {arrow.BinaryTypes.String, `["  𠮷㐂 😀 \"甲\"\n,", "", null]`, []string{"1 c=  𠮷㐂 😀 \"甲\"\n,", "2", "3"}},
		"uint64":                {arrow.PrimitiveTypes.Uint64, `["18446744073709551615", "0"]`, []string{"1 c=18446744073709551615", "2 c=0"}},
		"uint32":                {arrow.PrimitiveTypes.Uint32, `[4294967295]`, []string{"1 c=4294967295"}},
		"int64":                 {arrow.PrimitiveTypes.Int64, `["-9223372036854775808", "914104810000000012"]`, []string{"1 c=-9223372036854775808", "2 c=914104810000000012"}},
		"int8":                  {arrow.PrimitiveTypes.Int8, `[-128]`, []string{"1 c=-128"}},
		"boolean":               {arrow.FixedWidthTypes.Boolean, `[true, false, null]`, []string{"1 c=true", "2 c=false", "3"}},
		"double":                {arrow.PrimitiveTypes.Float64, `[0.1, 1e21, -2.5]`, []string{"1 c=0.1", "2 c=1000000000000000000000", "3 c=-2.5"}},
		"float":                 {arrow.PrimitiveTypes.Float32, `[0.1]`, []string{"1 c=0.1"}},
		"date":                  {arrow.FixedWidthTypes.Date32, `["2025-10-28", "1949-10-01"]`, []string{"1 c=2025-10-28", "2 c=1949-10-01"}},
		"an instant":            {utc, `["2025-10-28 15:30:00.25", "1970-01-01 00:00:00"]`, []string{"1 c=2025-10-28 23:30:00.25", "2 c=1970-01-01 08:00:00"}},
		"a time of day":         {arrow.FixedWidthTypes.Time64us, `["15:30:00.5"]`, []string{"1 c=15:30:00.5"}},
		"a decimal":             {&arrow.Decimal128Type{Precision: 20, Scale: 2}, `["12.50", "-0.01", "0.00", "123456789012345678.90"]`, []string{"1 c=12.50", "2 c=-0.01", "3 c=0.00", "4 c=123456789012345678.90"}},
		"a decimal of no scale": {&arrow.Decimal128Type{Precision: 5}, `["-5"]`, []string{"1 c=-5"}},
		"bytes that are text":   {arrow.BinaryTypes.Binary, `["55Sy"]`, []string{"1 c=甲"}},
		"bytes that are none":   {arrow.BinaryTypes.Binary, `["/w==", "55Sy"]`, []string{"2 c=甲", "1 !ENCODING c \ufffd"}},
		"a list":                {arrow.ListOf(arrow.BinaryTypes.String), `[["a", "<\"甲\">", null], [], null, ["b"]]`, []string{`1 c=["a","<\"甲\">",null]`, "2 c=[]", "3", `4 c=["b"]`}},
		"a list of numbers":     {arrow.ListOf(arrow.PrimitiveTypes.Int64), `[["1", null, "914104810000000012"]]`, []string{"1 c=[1,null,914104810000000012]"}},
		"a struct":              {arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "b", Type: arrow.BinaryTypes.String, Nullable: true}), `[{"a": 1, "b": null}, null, {"a": null, "b": "x"}]`, []string{"1 c.a=1", "2", "3 c.b=x"}},
		"a list of lists":       {arrow.ListOf(arrow.ListOf(arrow.PrimitiveTypes.Int32)), `[[[1]]]`, []string{"0 !PARQUET_TYPE  column c.list.element.list.element holds lists of lists; write it as JSON text"}},
	} {
		t.Run(name, func(t *testing.T) {
			var rows strings.Builder
			rows.WriteString("[")
			for i, v := range splitJSON(t, c.values) {
				fmt.Fprintf(&rows, "%s{\"c\": %s}", strings.Repeat(",", min(i, 1)), v)
			}
			rows.WriteString("]")
			for _, codec := range []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Zstd, compress.Codecs.Gzip} {
				for _, dictionary := range []bool{true, false} {
					body := packed(t, []arrow.Field{{Name: "c", Type: c.kind, Nullable: true}}, rows.String(), parquet.WithCompression(codec), parquet.WithDictionaryDefault(dictionary), parquet.WithDataPageVersion(parquet.DataPageV1))
					expect(t, pulled(t, "a.parquet", body, catalog.Dataset{ID: "x.y"}, nil), c.want...)
				}
			}
		})
	}
}

// written makes a file of one column by the writer below Arrow's types.
func written(t *testing.T, column schema.Node, write func(file.ColumnChunkWriter) error) string {
	t.Helper()
	var out bytes.Buffer
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, schema.FieldList{column}, -1)
	if err != nil {
		t.Fatal(err)
	}
	w := file.NewParquetWriter(&out, root)
	chunk, err := w.AppendRowGroup().NextColumn()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(chunk), chunk.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAWallTimeIsNotMoved(t *testing.T) {
	at := time.Date(2025, 10, 28, 15, 30, 0, 123456789, time.UTC)
	for unit, c := range map[schema.TimeUnitType]struct {
		value int64
		want  string
	}{
		schema.TimeUnitMillis: {at.UnixMilli(), "2025-10-28 15:30:00.123"}, schema.TimeUnitMicros: {at.UnixMicro(), "2025-10-28 15:30:00.123456"}, schema.TimeUnitNanos: {at.UnixNano(), "2025-10-28 15:30:00.123456789"},
	} {
		for _, instant := range []bool{false, true} {
			want := c.want
			if instant {
				want = strings.Replace(want, "15:30", "23:30", 1)
			}
			node := schema.MustPrimitive(schema.NewPrimitiveNodeLogical("t", parquet.Repetitions.Required, schema.NewTimestampLogicalType(instant, unit), parquet.Types.Int64, 0, -1))
			body := written(t, node, func(w file.ColumnChunkWriter) error {
				_, err := w.(*file.Int64ColumnChunkWriter).WriteBatch([]int64{c.value}, nil, nil)
				return err
			})
			expect(t, pulled(t, "a.parquet", body, catalog.Dataset{}, nil), "1 t="+want)
		}
	}
}

func TestInt96IsAnInstantUnlessToldOtherwise(t *testing.T) {
	at := time.Date(2025, 10, 28, 15, 30, 0, 5000, time.UTC)
	var v parquet.Int96
	binary.LittleEndian.PutUint32(v[8:], uint32(at.Unix()/86400+2440588)) // Julian day
	v.SetNanoSeconds(at.Sub(at.Truncate(24 * time.Hour)).Nanoseconds())
	body := written(t, schema.NewInt96Node("t", parquet.Repetitions.Required, -1), func(w file.ColumnChunkWriter) error {
		_, err := w.(*file.Int96ColumnChunkWriter).WriteBatch([]parquet.Int96{v}, nil, nil)
		return err
	})
	expect(t, pulled(t, "a.parquet", body, catalog.Dataset{}, nil), "1 t=2025-10-28 23:30:00.000005")
	expect(t, pulled(t, "a.parquet", body, catalog.Dataset{}, connectors.Values{"int96": "local"}), "1 t=2025-10-28 15:30:00.000005")
}

// A file that is cut, or has one bit turned, gives all its rows or none and a reason; never other rows
// and never the end of the process.
func TestDamagedParquetGivesNoOtherRows(t *testing.T) {
	ids, d := array.NewStringBuilder(memory.DefaultAllocator), array.NewDecimal128Builder(memory.DefaultAllocator, &arrow.Decimal128Type{Precision: 10, Scale: 2})
	for i := range 300 {
		ids.Append(fmt.Sprintf("r%d", i))
		d.Append(decimal128.FromI64(int64(i)))
	}
	s := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}, {Name: "d", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}}}, nil)
	record := array.NewRecord(s, []arrow.Array{ids.NewArray(), d.NewArray()}, 300)
	defer record.Release()
	body := packedRecord(t, s, record, parquet.WithCompression(compress.Codecs.Zstd), parquet.WithMaxRowGroupLength(100))
	good := pulled(t, "a.parquet", body, catalog.Dataset{}, nil)
	if len(good) != 300 {
		t.Fatalf("%d rows", len(good))
	}
	taken := 0
	for i := 0; i < len(body); i += 7 {
		turned := []byte(body)
		turned[i] ^= 1 << (i % 8)
		for _, broken := range []string{body[:i], string(turned)} {
			got := pulled(t, "a.parquet", broken, catalog.Dataset{}, nil)
			switch {
			case len(got) == 1 && strings.Contains(got[0], "!PARQUET_"):
			case len(got) == 300: // a bit that carries no value (statistics), or a name, or a value nobody signed
				taken++
			default:
				t.Fatalf("byte %d: %d rows, %.200s", i, len(got), strings.Join(got, "\n"))
			}
		}
	}
	t.Logf("%d bytes; %d turned bits were read over", len(body), taken)
}

func TestAParquetBombIsRefused(t *testing.T) {
	values := array.NewInt64Builder(memory.DefaultAllocator)
	for range 1 << 22 {
		values.Append(7)
	}
	s := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	record := array.NewRecord(s, []arrow.Array{values.NewArray()}, 1<<22)
	defer record.Release()
	body := packedRecord(t, s, record, parquet.WithMaxRowGroupLength(math.MaxInt32))
	got := pulled(t, "a.parquet", body, catalog.Dataset{}, nil)
	if len(got) != 1 || !strings.Contains(got[0], "!PARQUET_LIMIT") {
		t.Fatalf("%d bytes gave %d rows: %.200s", len(body), len(got), got[0])
	}
}

func TestXMLAndParquetKeepThePromisesOfAPull(t *testing.T) {
	lay := map[string]func(dir string, file, from, to int){
		"xml": func(dir string, file, from, to int) {
			body := "<root><rows>\n"
			for i := from; i <= to; i++ {
				body += fmt.Sprintf("<row><id>r%d</id><年度>2025</年度></row>\n", i)
			}
			write(t, dir, fmt.Sprintf("f%d.xml", file), body+"</rows></root>")
		},
		"parquet": func(dir string, file, from, to int) {
			rows := "["
			for i := from; i <= to; i++ {
				rows += fmt.Sprintf(`%s{"id": "r%d", "年度": 2025}`, strings.Repeat(",", min(i-from, 1)), i)
			}
			write(t, dir, fmt.Sprintf("f%d.parquet", file), packed(t, []arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}, {Name: "年度", Type: arrow.PrimitiveTypes.Int32, Nullable: true}}, rows+"]"))
		},
	}
	for format, put := range lay {
		t.Run(format, func(t *testing.T) {
			connectortest.Pull(t, func(t *testing.T) connectortest.Source {
				dir := t.TempDir()
				put(dir, 1, 1, 5)
				put(dir, 2, 6, 7)
				s := sourceOf(openDir(t, dir, nil), connectors.Values{"page_rows": "2"})
				for i := range 7 {
					s.Rows = append(s.Rows, fmt.Sprintf("r%d", i+1))
				}
				return s
			})
		})
	}
}

// A pull that is stopped inside a file goes on behind the last page that was kept, whatever the format.
func TestAPullStoppedInsideAFileGoesOnThere(t *testing.T) {
	rows, book := "[", [][]any{{"id"}}
	xml := "<rows>"
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprintf("r%d", i))
		rows += fmt.Sprintf(`%s{"id": "r%d"}`, strings.Repeat(",", min(i, 1)), i)
		book = append(book, []any{want[i]})
		xml += "<row id='" + want[i] + "'/>"
	}
	for name, body := range map[string]string{
		"a.parquet": packed(t, []arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, rows+"]", parquet.WithMaxRowGroupLength(7)),
		"a.xml":     xml + "</rows>",
		"a.xlsx":    bookOf(t, book),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, name, body)
			s := sourceOf(openDir(t, dir, nil), connectors.Values{"page_rows": "4"})
			var got []string
			after := connectors.Cursor("")
			for range 20 {
				ctx, cancel := context.WithCancel(t.Context())
				for page, err := range s.Conn.(connectors.Puller).Pull(ctx, s.Job, after) {
					if err != nil {
						if !errors.Is(err, context.Canceled) {
							t.Fatal(err)
						}
						break
					}
					got, after = append(got, connectortest.Column(page.Batch, "id")...), page.Next
					page.Batch.Release()
					cancel() // in the middle of the file
					break
				}
				cancel()
			}
			expect(t, got, want...)
		})
	}
}

// splitJSON gives the elements of an array as they are written.
func splitJSON(t testing.TB, list string) []json.RawMessage {
	t.Helper()
	var elements []json.RawMessage
	if err := json.Unmarshal([]byte(list), &elements); err != nil {
		t.Fatal(err)
	}
	return elements
}
