package jsonrows

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/bytedance/sonic"
	"github.com/bytedance/sonic/ast"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
)

// scan gives each row as "line:bytes", and the error the document ended with.
func scan(in io.Reader, path string) (rows []string, err error) {
	s := NewScanner(in, path)
	for {
		row, line, err := s.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, strconv.FormatInt(line, 10)+":"+string(row))
	}
}

func TestRowsAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		in, path string
		want     string
	}{
		"in the document itself":        {"\ufeff[{\"a\":1},\n{\"a\":[2,{}]}]", "rows", `1:{"a":1}|2:{"a":[2,{}]}`},
		"in a member":                   {`{"total":2,"rows":[{"a":"]}"},{"b":"\"["}],"end":{"x":[]}}`, "rows", `1:{"a":"]}"}|1:{"b":"\"["}`},
		"two levels down":               {`{"code":"0","data":{"page":{"rows":[9]},"rows":[{}]}}`, "data.rows", `1:{}`},
		"values that are no objects":    {`[1,"a",null, true ,[2]]`, "", `1:1|1:"a"|1:null|1:true|1:[2]`},
		"none":                          {`{"rows":[ ]}`, "rows", ``},
		"the first of two of that name": {`{"rows":[1],"rows":[2]}`, "rows", `1:1`},
	} {
		for kind, in := range map[string]io.Reader{"whole": strings.NewReader(c.in), "byte by byte": iotest.OneByteReader(strings.NewReader(c.in))} {
			rows, err := scan(in, c.path)
			if err != nil || strings.Join(rows, "|") != c.want {
				t.Errorf("%s, %s: %q, %v", name, kind, rows, err)
			}
		}
	}
}

func TestADocumentThatIsNotWholeSaysWhere(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "line 1: the document ends too early",
		"\n\n{\"rows\":[1,\n":           "line 4: the document ends too early",
		`{"rows":[1}`:                   "line 1: a comma or ] is missing between rows",
		`{"rows":[1 2]}`:                "line 1: a comma or ] is missing between rows",
		`{"rows":[1,]}`:                 "line 1: a value is missing",
		`{"rows":[,1]}`:                 "line 1: a value is missing",
		`{"rows":[1]`:                   "line 1: the document ends too early",
		`{"rows":[1]]`:                  "line 1: a comma or } is missing",
		"{\"rows\":[1]}\nx":             "line 2: something follows the end of the document",
		`{"rows" [1]}`:                  "line 1: a colon is missing after a member's name",
		`{rows:[1]}`:                    "line 1: a member has no name",
		`{"a":1 "rows":[1]}`:            "line 1: a comma is missing between members",
		"{\"a\":\"x\ny\",\"rows\":[1]}": "line 2: a string is not closed on its line",
		`<html>`:                        "line 1: neither an object nor an array",
		`{"other":[1]}`:                 ErrNoRows.Error(),
		`{"rows":{"a":1}}`:              ErrNoRows.Error(),
	} {
		if _, err := scan(strings.NewReader(in), "rows"); err == nil || err.Error() != want {
			t.Errorf("%q gave %v, want %s", in, err, want)
		}
	}
	if _, err := scan(strings.NewReader(`["`+strings.Repeat("x", MaxElement)+`"]`), ""); err == nil || !strings.Contains(err.Error(), "longer than 8 MB") {
		t.Errorf("a row without end gave %v", err)
	}
	if _, err := scan(iotest.ErrReader(errors.New("line cut")), ""); err == nil || err.Error() != "line cut" {
		t.Errorf("a broken line gave %v", err)
	}
}

func rowOf(t *testing.T, text string) (map[string]string, *connectors.Reject) {
	t.Helper()
	b := connectors.NewBatch(0)
	reject := Row(b, []byte(text), 7)
	record, _, _ := b.Take()
	defer record.Release()
	if reject != nil {
		if record.NumRows() != 0 {
			t.Fatalf("%s was rejected and taken", text)
		}
		return nil, reject
	}
	values := map[string]string{}
	for _, f := range record.Schema().Fields() {
		values[f.Name] = connectortest.Column(record, f.Name)[0]
	}
	return values, nil
}

func TestAnObjectBecomesARowOfText(t *testing.T) {
	values, reject := rowOf(t, ` {"s":"a\"\\\u00e9\n\ud83d\ude00","i":-0,"f":1.50e+2,"big":123456789012345678901234567890,"t":true,"f2":false,"n":null,
		"o":{"k":"<é\n","l":[],"m":{}},"a":[1,null,"x",[true]],"":"nameless","twice":1,"twice":"2","gone":1,"gone":null,"back":1,"back":null,"back":3}`)
	if reject != nil {
		t.Fatal(reject)
	}
	for name, want := range map[string]string{"s": "a\"\\é\n😀", "i": "-0", "f": "1.50e+2", "big": "123456789012345678901234567890", "t": "true", "f2": "false",
		"n": "<null>", "o": `{"k":"<é\n","l":[],"m":{}}`, "a": `[1,null,"x",[true]]`, "": "nameless", "twice": "2", "gone": "<null>", "back": "3"} {
		if values[name] != want {
			t.Errorf("%q = %q, want %q", name, values[name], want)
		}
	}
}

func TestWhatIsNoRowIsRejectedWithItsReason(t *testing.T) {
	wide := "{" + strings.Repeat(`"c":1,`, maxColumns) + `"d":1}`
	for text, reason := range map[string]string{
		`[1]`: NotObject, `"a"`: NotObject, `17`: NotObject, `null`: NotObject,
		`{"a":01}`: Syntax, `{"a":1,}`: Syntax, `{'a':1}`: Syntax, `{"a":"` + "\t" + `"}`: Syntax, `{"a":"\x"}`: Syntax, `{"a":1}}`: Syntax, `{"a":nul}`: Syntax,
		strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200): Syntax,
		"{\"a\":\"\xb9\xab\"}": Encoding,
		wide:                   Columns,
	} {
		_, reject := rowOf(t, text)
		if reject == nil || reject.Reason != reason || reject.Line != 7 || len([]rune(reject.Value)) > 500 {
			t.Errorf("%.60s gave %+v, want %s", text, reject, reason)
		}
	}
}

// y_ must be taken, n_ refused, i_ may go either way; nothing may bring the process down.
func TestTheJSONTestSuite(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "samples", "json", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files", len(files))
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, reject := rowOf(t, `{"v":`+string(body)+`}`)
		switch name := filepath.Base(file); {
		case strings.HasPrefix(name, "y_") && reject != nil:
			t.Errorf("%s is refused: %+v", name, reject)
		case strings.HasPrefix(name, "n_") && reject == nil && !bytes.Contains(body, []byte("}")):
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzRow(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":{"c":[null,true,"\u00e9"]}}`, `{"a":"\ud800"}`, `{"a":1e999}`, `[]`, `{"":{"":""}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, reject := rowOf(t, text)
		var want map[string]any
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		err := dec.Decode(&want)
		if err == nil && dec.More() {
			err = errors.New("something follows")
		}
		if reject == nil && err != nil {
			t.Fatalf("%q was taken, but %v", text, err)
		}
		for name, value := range want {
			got, ok := values[name]
			if s, isText := value.(string); reject == nil && (!ok || isText && got != s) {
				t.Fatalf("%q: %q = %q, want %q", text, name, got, value)
			}
		}
	})
}

func FuzzScan(f *testing.F) {
	for _, seed := range []string{`{"rows":[{"a":1},2]}`, `[[],"]"]`, `{"a":{"rows":1},"rows":[]}x`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		whole, err1 := scan(strings.NewReader(text), "rows")
		bytewise, err2 := scan(iotest.OneByteReader(strings.NewReader(text)), "rows")
		if strings.Join(whole, "|") != strings.Join(bytewise, "|") || (err1 == nil) != (err2 == nil) {
			t.Fatalf("%q: %q %v, byte by byte %q %v", text, whole, err1, bytewise, err2)
		}
		if json.Valid([]byte(text)) && err1 != nil && !errors.Is(err1, ErrNoRows) && !strings.Contains(err1.Error(), "neither") {
			t.Fatalf("%q is JSON, but %v", text, err1)
		}
	})
}

// The short way must give what the long way gives, or leave the row to it.
func FuzzFlat(f *testing.F) {
	for _, seed := range []string{`{"a":"x","b":-1.5e3,"c":true,"d":null}`, `{"a":1,"a":null,"b":"\t"}`, `{"12345678":"1234567\"8"}`, "{\"a\":\"1234567\x018\"}",
		`{"a":01}`, `{"a":1}x`, ` { "a" : "甲乙丙丁" , "" : -0 } `, `{}`, `{"a":[]}`, `{"a":1,}`, `{"a":tru}`, `{"a":1.}`, `{"a":"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		short := connectors.NewBatch(0)
		if !flat(short, []byte(text), 7) {
			if short.Columns() != 0 || short.Rows() != 0 {
				t.Fatalf("%q: left to the long way, but %d columns are there", text, short.Columns())
			}
			return
		}
		long := connectors.NewBatch(0)
		if !plausible([]byte(text)) || !sonic.Valid([]byte(text)) {
			t.Fatalf("%q was taken", text)
		}
		if err := ast.Preorder(text, &visitor{batch: long}, &ast.VisitorOptions{OnlyNumber: true}); err != nil {
			t.Fatalf("%q was taken: %v", text, err)
		}
		long.EndRow(7)
		got, _, _ := short.Take()
		want, _, _ := long.Take()
		defer got.Release()
		defer want.Release()
		if !got.Schema().Equal(want.Schema()) || !array.RecordEqual(got, want) {
			t.Fatalf("%q gave %v, want %v", text, got, want)
		}
	})
}
