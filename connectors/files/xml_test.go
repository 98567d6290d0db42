package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
)

// xmlSeen reads a document as a pull does, and gives "line name=value …" or "line !REASON column" for
// each row, and at the end the reason why it was refused.
func xmlSeen(t testing.TB, body string, jb job) []string {
	t.Helper()
	if jb.rowsPath == "" {
		jb.rowsPath = "rows"
	}
	if jb.encoding == "" {
		jb.encoding = "auto"
	}
	sniff := &sniffer{}
	_, _ = sniff.Write([]byte(body))
	w, err := newXMLWalk(strings.NewReader(body), jb, sniff.encoding())
	var seen []string
	if err == nil {
		err = w.walk(func(r *xmlRowOf) error {
			if r.reject.Reason != "" {
				seen = append(seen, fmt.Sprintf("%d !%s %s", r.line, r.reject.Reason, r.reject.Column))
				return nil
			}
			line := fmt.Sprint(r.line)
			for i, name := range r.names {
				line += fmt.Sprintf(" %s=%q", name, r.values[i])
			}
			seen = append(seen, line)
			return nil
		})
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		return append(seen, fmt.Sprintf("%d !!%s %s", refused.line, refused.reason, refused.what))
	}
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestXMLRowsAreRead(t *testing.T) {
	deep := strings.Repeat("<a>", 70) + strings.Repeat("</a>", 70)
	for name, c := range map[string]struct {
		body, path string
		want       []string
	}{
		"attributes and children are columns": {"<r><rows>\n<row id='1'><名称>甲 公司</名称></row>\n<row id=\"2\"/></rows></r>", "",
			[]string{`2 id="1" 名称="甲 公司"`, `3 id="2"`}},
		"by a path":                          {"<packet><total>2</total><data><row><a>1</a></row><row><a>2</a></row></data></packet>", "/packet/data/row", []string{`1 a="1"`, `1 a="2"`}},
		"by a path with prefixes":            {"<x:root xmlns:x='u'><x:row><x:a>1</x:a></x:row></x:root>", "/x:root/x:row", []string{`1 a="1"`}},
		"by the container's name":            {"<s:Envelope xmlns:s='u'><s:Body><list><item><a>1</a></item></list></s:Body></s:Envelope>", "list", []string{`1 a="1"`}},
		"nested ones have dots":              {"<rows><row><lr><name>张</name><id t='身份证'>1</id></lr></row></rows>", "", []string{`1 lr.name="张" lr.id.t="身份证" lr.id="1"`}},
		"exact text":                         {"<rows><row><a>  𠮷㐂 😀 &quot;&amp;&#x20;</a><b><![CDATA[<x>]]>&lt;</b><c>\n</c></row></rows>", "", []string{`1 a="  𠮷㐂 😀 \"& " b="<x><"`}},
		"nil is null":                        {"<rows xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><row><a xsi:nil='true'/><b xsi:type='x'>1</b></row></rows>", "", []string{`1 b="1"`}},
		"a child twice":                      {"<rows><row><a>1</a><a>2</a></row><row><a>3</a></row></rows>", "", []string{"1 !XML_REPEATED a", `1 a="3"`}},
		"an attribute and a child":           {"<rows><row a='1'><a/></row></rows>", "", []string{"1 !XML_REPEATED a"}},
		"no rows in the container":           {"<r><rows/></r>", "", nil},
		"no rows at the path":                {"<r><rows/></r>", "/r/rows/row", nil},
		"the rows are elsewhere":             {"<r><x>1</x><x>2</x></r>", "", []string{`1 !!XML_ROWS no element rows; /r/x stands 2 times: set rows_path to it if these are the rows`}},
		"cut":                                {"<rows><row><a>1</a></row>\n<row><a>2", "", []string{`1 a="1"`, "2 !!XML_SYNTAX unexpected EOF"}},
		"empty":                              {"", "", []string{"1 !!XML_SYNTAX the document has no element"}},
		"two roots":                          {"<rows><row a='1'/></rows><rows/>", "", []string{`1 a="1"`, "1 !!XML_SYNTAX a second root element <rows>"}},
		"an unescaped mark":                  {"<rows><row><a>A&B</a></row></rows>", "", []string{"1 !!XML_SYNTAX invalid character entity &B (no semicolon)"}},
		"a document type":                    {"<!DOCTYPE r [<!ENTITY a 'aa'>]><rows><row>&a;</row></rows>", "", []string{"1 !!XML_DTD a document type declaration; write the file without one"}},
		"an entity nobody declared":          {"<rows><row><a>&a;</a></row></rows>", "", []string{"1 !!XML_SYNTAX invalid character entity &a;"}},
		"too deep":                           {"<rows><row>" + deep + "</row></rows>", "", []string{"1 !!XML_LIMIT elements nested deeper than 64"}},
		"one endless text":                   {"<rows><row><a>" + strings.Repeat("x", 9<<20), "", []string{"1 !!XML_LIMIT one row is longer than 8 MB"}},
		"one endless comment":                {"<rows><!--" + strings.Repeat("x", 9<<20), "", []string{"1 !!XML_LIMIT one text, tag or comment is longer than 8 MB"}},
		"one endless row":                    {"<rows><row>" + strings.Repeat("<a>"+strings.Repeat("x", 1<<20)+"</a>", 9) + "</row></rows>", "", []string{"1 !!XML_LIMIT one row is longer than 8 MB"}},
		"a packet":                           {"<packet><header><guid>g</guid><count>2</count></header><body><row uscc='91'><item name='名称'>甲</item></row><row/></body></packet>", "", []string{`1 uscc="91" 名称="甲"`, "1"}},
		"a packet with rows":                 {"<packet><header><count> 1 </count></header><body><rows><r><a>1</a></r></rows></body></packet>", "", []string{`1 a="1"`}},
		"a packet that lost a row":           {"<packet><header><count>2</count></header><body><row a='1'/></body></packet>", "", []string{`1 a="1"`, `1 !!XML_COUNT the header counts "2" rows, the body has 1`}},
		"GBK by declaration":                 {gbText(t, "<?xml version='1.0' encoding='GBK'?><rows><row 名='甲'/></rows>"), "", []string{`1 名="甲"`}},
		"GB18030 by its looks":               {gbText(t, "<rows><row 名='𠮷甲乙丙丁'/></rows>"), "", []string{`1 名="𠮷甲乙丙丁"`}},
		"UTF-8 that says GB2312":             {"<?xml version='1.0' encoding='gb2312'?><rows><row 名='甲'/></rows>", "", []string{"1 !!XML_ENCODING declares gb2312, but its bytes are UTF-8; set encoding to utf-8 if that is right"}},
		"GBK that says UTF-8":                {gbText(t, "<?xml version='1.0' encoding='utf-8'?>\n<rows><row 名='甲乙丙'/></rows>"), "", []string{"2 !!XML_ENCODING bytes that the encoding the file declares does not have; set encoding to what the file is written in"}},
		"an encoding that is not read":       {"<?xml version='1.0' encoding='big5'?><rows/>", "", []string{"1 !!XML_ENCODING declares the encoding big5; save the file as UTF-8, UTF-16 or GB18030"}},
		"a broken character costs its row":   {"<?xml version='1.0' encoding='gbk'?><rows><row><a>" + gbText(t, "甲") + "\x81\x20</a></row><row><a>" + gbText(t, "乙丙") + "</a></row></rows>", "", []string{"1 !ENCODING a", `1 a="乙丙"`}},
		"UTF-16":                             {utf16Text(t, "<?xml version='1.0' encoding='UTF-16'?><rows><row 名='甲😀'/></rows>", unicode.UseBOM), "", []string{`1 名="甲😀"`}},
		"UTF-16 without a mark":              {utf16Text(t, "<?xml version='1.0'?><rows><row 名='甲'/></rows>", unicode.IgnoreBOM), "", []string{`1 名="甲"`}},
		"a byte order mark and UTF-8":        {"\ufeff<?xml version='1.0' encoding='utf-8'?><rows><row 名='甲'/></rows>", "", []string{`1 名="甲"`}},
		"a third name beside rows is no row": {"<packet><row><a>1</a></row><sum>1</sum></packet>", "/packet/row", []string{`1 a="1"`}},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, xmlSeen(t, c.body, job{rowsPath: c.path}), c.want...)
		})
	}
	many := "<rows><row>"
	for i := range 5000 {
		many += fmt.Sprintf("<c%d>1</c%d>", i, i)
	}
	expect(t, xmlSeen(t, many+"</row></rows>", job{}), "1 !!XML_LIMIT more than 4096 names of columns")
}

func gbText(t *testing.T, text string) string {
	t.Helper()
	encoded, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func utf16Text(t *testing.T, text string, bom unicode.BOMPolicy) string {
	t.Helper()
	encoded, err := unicode.UTF16(unicode.LittleEndian, bom).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestTheSettingOverrulesAWrongDeclaration(t *testing.T) {
	utf := "<?xml version='1.0' encoding='gb2312'?><rows><row 名='甲'/></rows>"
	expect(t, xmlSeen(t, utf, job{encoding: utf8Name}), `1 名="甲"`)
	wrong, err := simplifiedchinese.GB18030.NewEncoder().String("<?xml version='1.0' encoding='utf-8'?><rows><row 名='甲'/></rows>")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, xmlSeen(t, wrong, job{encoding: gbName}), `1 名="甲"`)
}

// A packet of ours, with the companions that go with it, is read back row by row.
func TestOurOwnPacketIsReadBack(t *testing.T) {
	dir := t.TempDir()
	c := openDir(t, dir, nil)
	d := connectors.Delivery{ID: "11111111-2222-4333-8444-555555555555", Kind: "grades", Target: "x", Made: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for i := range 3 {
		d.Rows = append(d.Rows, connectors.Row{ID: fmt.Sprintf("p/%d/1", i), Kind: "grade", Version: 1, USCC: fmt.Sprint(i),
			Body: fmt.Appendf(nil, `{"id":"p/%d/1","kind":"grade","version":1,"uscc":"%d","name":"《甲》<&>\"公司\"😀𠮷 ","grade":"A"}`, i, i)})
	}
	if _, err := c.(connectors.Pusher).Push(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	s := sourceOf(c, connectors.Values{"ready": "ok", "checksum": "required"})
	s.Column, s.Rows = "name", []string{"《甲》<&>\"公司\"😀𠮷 ", "《甲》<&>\"公司\"😀𠮷 ", "《甲》<&>\"公司\"😀𠮷 "}
	got, _ := outcomeOf(t, s)
	expect(t, got, s.Rows...)
}

// outcomeOf pulls all and gives the column's values.
func outcomeOf(t *testing.T, s connectortest.Source) (values []string, rejects []string) {
	t.Helper()
	for page, err := range s.Conn.(connectors.Puller).Pull(t.Context(), s.Job, "") {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rejects {
			rejects = append(rejects, fmt.Sprintf("%d %s %s %s", r.Line, r.Reason, r.Column, r.Value))
		}
		values = append(values, connectortest.Column(page.Batch, s.Column)...)
		page.Batch.Release()
	}
	return values, rejects
}

func FuzzXML(f *testing.F) {
	for _, seed := range []string{"<rows><row a='1'><b>2</b></row></rows>", "<packet><header><count>1</count></header><body><row/></body></packet>",
		"<?xml version='1.0' encoding='gbk'?><rows><row>\xd6\xd0</row></rows>", "<rows><row><item name='x'>1</item><![CDATA[ ]]></row>"} {
		f.Add(seed, "rows")
	}
	f.Add("<a><b/></a>", "/a/b")
	f.Fuzz(func(t *testing.T, body, path string) {
		seen := xmlSeen(t, body, job{rowsPath: path})
		if again := xmlSeen(t, body, job{rowsPath: path}); strings.Join(seen, "\n") != strings.Join(again, "\n") {
			t.Fatalf("%q read twice: %q and %q", body, seen, again)
		}
	})
}

func TestAPullOfXMLThatIsCutTakesNoRow(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.xml", "<rows><row id='1'/><row id='2'/>")
	write(t, dir, "b.dat", "<?xml version='1.0'?><rows><row id='3'/></rows>")
	got, _ := outcome(t, openDir(t, dir, nil).(*conn), nil, "")
	expect(t, got, "a.xml:1:!XML_SYNTAX", "b.dat:1:3")
	if _, err := os.Stat(filepath.Join(dir, "a.xml")); err != nil {
		t.Fatal(err)
	}
}
