package files

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

func write(t testing.TB, dir, name, body string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

func openDir(t *testing.T, dir string, more connectors.Values) connectors.Conn {
	t.Helper()
	values := connectors.Values{"root": dir}
	maps.Copy(values, more)
	c, err := Driver().Open(t.Context(), values)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func sourceOf(c connectors.Conn, values connectors.Values) connectortest.Source {
	return connectortest.Source{Conn: c, Column: "id", Job: connectors.Job{Dataset: catalog.Dataset{ID: "edu.annual"}, Values: values}}
}

// seed lays seven rows down in two files, each in the given format.
func seed(t *testing.T, dir, format string) (ids []string) {
	t.Helper()
	n := 0
	for _, f := range []struct {
		name string
		rows int
	}{{"annual_edu_20251028090000_1", 5}, {"annual_edu_20251029090000_1", 2}} {
		body := map[string]string{"csv": "\ufeff id ,年度\r\n", "json": `{"total": 7, "rows": [`}[format]
		for i := range f.rows {
			n++
			id := fmt.Sprintf("r%d", n)
			ids = append(ids, id)
			switch format {
			case "csv":
				body += id + ",2025\r\n"
			case "jsonl":
				body += `{"id": "` + id + `", "年度": 2025}` + "\n"
			case "json":
				if i > 0 {
					body += ",\n"
				}
				body += `{"id": "` + id + `", "年度": 2025}`
			}
		}
		if format == "json" {
			body += "]}"
		}
		write(t, dir, f.name+"."+format, body)
		write(t, dir, f.name+"."+format+".ok", "")
	}
	return ids
}

func TestPullKeepsItsPromises(t *testing.T) {
	for _, format := range []string{"csv", "json", "jsonl"} {
		t.Run(format, func(t *testing.T) {
			connectortest.Pull(t, func(t *testing.T) connectortest.Source {
				dir := t.TempDir()
				ids := seed(t, dir, format)
				s := sourceOf(openDir(t, dir, nil), connectors.Values{"page_rows": "2", "ready": "ok"})
				s.Rows = ids
				return s
			})
		})
	}
}

// takeAll pulls everything and acknowledges it, twice, and pulls again from the cursor.
func takeAll(t *testing.T, s connectortest.Source) {
	t.Helper()
	c := s.Conn.(*conn)
	var pages []connectors.Page
	var got []string
	for page, err := range c.Pull(t.Context(), s.Job, "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, connectortest.Column(page.Batch, s.Column)...)
		page.Batch.Release()
		pages = append(pages, page)
	}
	if strings.Join(got, " ") != strings.Join(s.Rows, " ") {
		t.Fatalf("got %v, want %v", got, s.Rows)
	}
	for range 2 {
		if err := c.Ack(t.Context(), s.Job, connectortest.Handles(pages...)); err != nil {
			t.Fatal(err)
		}
		for _, after := range []connectors.Cursor{"", pages[len(pages)-1].Next} {
			if again := connectortest.Collect(t, s, after); len(again) > 0 {
				t.Fatalf("taken rows came again: %v", again)
			}
		}
	}
}

// outcome is a pull as "name:line:value", rejects as "name:line:!REASON".
func outcome(t *testing.T, c *conn, values connectors.Values, after connectors.Cursor) (got []string, next connectors.Cursor) {
	t.Helper()
	s := sourceOf(c, values)
	next = after
	for page, err := range c.Pull(t.Context(), s.Job, after) {
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(page.Origin.File)
		for i, id := range connectortest.Column(page.Batch, "id") {
			line := page.Origin.Line + int64(i)
			if page.Origin.Lines != nil {
				line = page.Origin.Lines[i]
			}
			got = append(got, fmt.Sprintf("%s:%d:%s", name, line, id))
		}
		for _, r := range page.Rejects {
			got = append(got, fmt.Sprintf("%s:%d:!%s%s", name, r.Line, r.Reason, r.Column))
		}
		page.Batch.Release()
		next = page.Next
	}
	return got, next
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLinesAreThoseOfTheFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.csv", "\ufeff id　, 名称\u200b\r\n1,\"甲\r\n乙\"\r\n\r\n2,x,y\r\n\"3\"z,q\r\n4,\xff\r\n5,戊\r\n")
	write(t, dir, "b.jsonl", "{\"id\":1}\n\n  {\"id\":\n[2]\n{\"id\":\"3\"}")
	write(t, dir, "c.json", "{\"total\":3,\n\"rows\":[\n{\"id\":1},\n\n 2,{\"id\":\n3}, {\"id\": 01}]\n,\"more\":[{}]}")
	got, _ := outcome(t, openDir(t, dir, nil).(*conn), nil, "")
	expect(t, got,
		"a.csv:2:1", "a.csv:8:5", "a.csv:5:!CSV_FIELDS", "a.csv:6:!CSV_QUOTE", "a.csv:7:!ENCODING名称",
		"b.jsonl:1:1", "b.jsonl:5:3", "b.jsonl:3:!JSON_SYNTAX", "b.jsonl:4:!JSON_NOT_OBJECT",
		"c.json:3:1", "c.json:5:3", "c.json:5:!JSON_NOT_OBJECT", "c.json:6:!JSON_SYNTAX")
}

func TestABrokenFileIsOneRejectAndTheOthersAreRead(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.csv", "id,id\n1,2\n")
	write(t, dir, "b.csv", "")
	write(t, dir, "c.json", `{"rows":[{"id":1},{"id":2}`)
	write(t, dir, "d.json", `{"data":[{"id":1}]}`)
	write(t, dir, "e.docx", "x")
	write(t, dir, "e.xlsx", "PK")
	write(t, dir, "f.csv", "\xff\xfei\x00d\x00")
	write(t, dir, "g.csv", "id\n7\n")
	write(t, dir, "g.csv.md5", "00000000000000000000000000000000  g.csv\n")
	write(t, dir, "h.csv", "\"id\n")
	write(t, dir, "i.csv", "id,,\n9,x,y\n")
	write(t, dir, "j.csv", "id\n")
	c := openDir(t, dir, nil).(*conn)
	got, next := outcome(t, c, nil, "")
	expect(t, got, "a.csv:1:!FILE_HEADER", "b.csv:1:!FILE_HEADER", "c.json:1:!JSON_SYNTAX", "d.json:1:!JSON_ROWS", "e.docx:0:!FILE_FORMAT", "e.xlsx:0:!XLSX_BROKEN",
		"f.csv:0:!FILE_ENCODING", "g.csv:0:!FILE_CHECKSUM", "h.csv:1:!FILE_HEADER", "i.csv:2:9")
	again, _ := outcome(t, c, nil, next)
	expect(t, again)
	sum := md5.Sum([]byte("id\n70\n"))
	write(t, dir, "g.csv", "id\n70\n")
	write(t, dir, "g.csv.md5", "MD5 (g.csv) = "+strings.ToUpper(hex.EncodeToString(sum[:])))
	mended, _ := outcome(t, c, nil, next)
	expect(t, mended, "g.csv:2:70")
}

func TestFilesThatAreNotWholeAreLeft(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".a.csv", "b.csv.tmp", "c.csv.part", "d.csv.filepart", "e.fb", "f.ok", "g.md5"} {
		write(t, dir, name, "id\n1\n")
	}
	write(t, dir, "folder/x.csv", "id\n1\n")
	write(t, dir, "h.csv", "id\n1\n")
	write(t, dir, "i.csv", "id\n2\n")
	write(t, dir, "i.csv.ok", "")
	write(t, dir, "j.csv", "id\n3\n")
	write(t, dir, "j.ok", "")
	c := openDir(t, dir, nil).(*conn)
	got, next := outcome(t, c, connectors.Values{"ready": "ok"}, "")
	expect(t, got, "i.csv:2:2", "j.csv:2:3")
	write(t, dir, "h.csv.ok", "")
	got, _ = outcome(t, c, connectors.Values{"ready": "ok"}, next)
	expect(t, got, "h.csv:2:1")
	got, _ = outcome(t, c, connectors.Values{"checksum": "required", "pattern": "i*"}, "")
	expect(t, got, "i.csv:0:!FILE_CHECKSUM")
	got, _ = outcome(t, c, connectors.Values{"folder": "folder", "pattern": "[x].csv"}, "")
	expect(t, got, "x.csv:2:1")
	for _, err := range c.Pull(t.Context(), sourceOf(c, connectors.Values{"folder": "not/there"}).Job, "") {
		if !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "not/there") {
			t.Errorf("a folder that is not there gives %v, want not_found naming it: zero rows would look like a department with nothing to say", err)
		}
	}
	write(t, dir, "[k(1.csv", "id\n4\n")
	for name, id := range map[string]string{"[k(1.csv": "4", "b.csv.tmp": "1"} { // named by a person, a file is what it is
		got, _ = outcome(t, c, connectors.Values{"pattern": name, "format": "csv"}, "")
		expect(t, got, name+":2:"+id)
	}
}

func TestAFileIsTakenOnceByNameAndContent(t *testing.T) {
	dir := t.TempDir()
	c := openDir(t, dir, nil).(*conn)
	write(t, dir, "a.csv", "id\n1\n")
	got, next := outcome(t, c, nil, "")
	expect(t, got, "a.csv:2:1")
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "a.csv"), later, later); err != nil {
		t.Fatal(err)
	}
	got, next = outcome(t, c, nil, next)
	expect(t, got)
	write(t, dir, "a.csv", "id\n2\n")
	got, next = outcome(t, c, nil, next)
	expect(t, got, "a.csv:2:2")
	if n := remembered(t, next); n != 1 {
		t.Fatalf("the cursor %s remembers %d files", next, n)
	}
	if err := os.Remove(filepath.Join(dir, "a.csv")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "b.csv", "id\n3\n")
	if got, next = outcome(t, c, nil, next); remembered(t, next) != 1 {
		t.Fatalf("a file that is gone stays in the cursor %s", next)
	}
	expect(t, got, "b.csv:2:3")
}

func remembered(t *testing.T, c connectors.Cursor) int {
	t.Helper()
	at, _, err := readCursor(c)
	if err != nil {
		t.Fatal(err)
	}
	return len(at.marks)
}

func TestACursorOfTheFirstReleaseGoesOn(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.csv", "id\n1\n")
	write(t, dir, "b.csv", "id\n2\n")
	info, err := os.Stat(filepath.Join(dir, "a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("id\n2\n"))
	old := fmt.Sprintf(`{"files":{"a.csv":{"size":5,"time":%d,"sum":"00"},"b.csv":{"size":5,"time":1,"sum":"%x"}}}`, info.ModTime().UnixNano(), sum[:16])
	write(t, dir, "c.csv", "id\n3\n")
	got, _ := outcome(t, openDir(t, dir, nil).(*conn), nil, connectors.Cursor(old))
	expect(t, got, "c.csv:2:3") // a by its size and time, b by its content
}

func TestTakenFilesMoveAway(t *testing.T) {
	dir := t.TempDir()
	ids := seed(t, dir, "json")
	write(t, dir, "done/annual_edu_20251028090000_1.json", "an earlier one")
	c := openDir(t, dir, nil)
	s := sourceOf(c, connectors.Values{"done": "done", "page_rows": "2"})
	s.Rows = ids
	takeAll(t, s)
	earlier, err := os.ReadFile(filepath.Join(dir, "done", "annual_edu_20251028090000_1.json"))
	if err != nil || string(earlier) != "an earlier one" {
		t.Fatalf("%q, %v", earlier, err)
	}
	moved, _ := filepath.Glob(filepath.Join(dir, "done", "*"))
	if len(moved) != 5 { // the earlier one, two files, two .ok
		t.Fatalf("moved %v", moved)
	}
}

func TestAFileReplacedBeforeItsAckStays(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.csv", "id\n1\n")
	c := openDir(t, dir, nil).(*conn)
	s := sourceOf(c, connectors.Values{"done": "done"})
	var pages []connectors.Page
	for page, err := range c.Pull(t.Context(), s.Job, "") {
		if err != nil {
			t.Fatal(err)
		}
		page.Batch.Release()
		pages = append(pages, page)
	}
	write(t, dir, "a.csv", "id\n2\n")
	if err := c.Ack(t.Context(), s.Job, connectortest.Handles(pages...)); err != nil {
		t.Fatal(err)
	}
	got, _ := outcome(t, c, s.Job.Values, pages[0].Next)
	expect(t, got, "a.csv:2:2")
	for _, handle := range []string{"0000000000 ../a.csv", "nothing"} { // of another kind, or forged: moves nothing, stops nothing
		if err := c.Ack(t.Context(), s.Job, connectortest.Handles(connectors.Page{Taken: []string{handle}})); err != nil {
			t.Fatalf("%q gave %v", handle, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "a.csv")); err != nil {
		t.Error(err)
	}
}

func TestGB18030IsReadInEveryFormat(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{"a.csv": "id,名称\n舞钢市𠮷,x\n", "b.json": `[{"id":"乗\\樂"}]`, "c.jsonl": `{"id":"灤"}`} {
		gb, err := simplifiedchinese.GB18030.NewEncoder().String(body)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, gb)
	}
	c := openDir(t, dir, nil).(*conn)
	for _, encoding := range []string{"auto", "gb18030"} {
		got, _ := outcome(t, c, connectors.Values{"encoding": encoding}, "")
		expect(t, got, "a.csv:2:舞钢市𠮷", `b.json:1:乗\樂`, "c.jsonl:1:灤")
	}
}

func TestAFileThatChangesWhileItIsReadFailsThePull(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.csv", "id\n"+strings.Repeat("1\n", 300_000))
	c := openDir(t, dir, nil).(*conn)
	s := sourceOf(c, connectors.Values{"page_rows": "10"})
	var last error
	first := true
	for page, err := range c.Pull(t.Context(), s.Job, "") {
		if last = err; err != nil {
			break
		}
		page.Batch.Release()
		if first {
			first = false
			write(t, dir, "a.csv", "id\n"+strings.Repeat("2\n", 300_000))
		}
	}
	if !fault.Is(last, fault.Unavailable) || !strings.Contains(last.Error(), "changed while it was read") {
		t.Fatalf("got %v", last)
	}
}

func TestNothingOutsideTheRootIsRead(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	write(t, outside, "secret.csv", "id\n1\n")
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	c := openDir(t, dir, nil).(*conn)
	for _, folder := range []string{"link", "../" + filepath.Base(outside)} {
		s := sourceOf(c, connectors.Values{"folder": folder})
		read := 0
		var last error
		for page, err := range c.Pull(t.Context(), s.Job, "") {
			if last = err; err == nil {
				page.Batch.Release()
				read++
			}
		}
		if last == nil || read > 0 {
			t.Errorf("%s: %d pages, %v", folder, read, last)
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for says, values := range map[string]connectors.Values{
		"host is not set":            {"root": "/", "place": "sftp"},
		"host_key is not set":        {"root": "/", "place": "sftp"},
		"neither password nor":       {"root": "/", "place": "sftp"},
		"root (root folder) is not":  {},
		"outbox leaves the root":     {"root": "/", "outbox": "a/../../b"},
		"the root folder must exist": {"root": filepath.Join(t.TempDir(), "none")},
	} {
		if _, err := Driver().Open(t.Context(), values); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
	c := openDir(t, t.TempDir(), nil).(*conn)
	for says, values := range map[string]connectors.Values{
		"done is the folder that is read": {"done": "."},
		"page_rows is no whole number":    {"page_rows": "many"},
	} {
		for _, err := range c.Pull(t.Context(), sourceOf(c, values).Job, "") {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want %q", err, says)
			}
		}
	}
}

func TestSettingsAreDeclaredWhole(t *testing.T) { connectortest.Settings(t, Driver()) }

func TestTheRegisterReadsTheSameInBothEncodings(t *testing.T) {
	plain, gb := samples(t, "enterprises/ningxia_2019.csv"), samples(t, "enterprises/ningxia_2019.gb18030.csv")
	if len(plain) == 0 || len(gb) == 0 {
		return
	}
	c := openDir(t, filepath.Dir(plain[0]), nil).(*conn)
	read := func(pattern string) []string {
		s := sourceOf(c, connectors.Values{"pattern": pattern})
		s.Column = "统一社会信用代码"
		return connectortest.Collect(t, s, "")
	}
	all, some := read("ningxia_2019.csv"), read("ningxia_2019.gb18030.csv")
	if len(all) != 1000 || len(some) != 400 || strings.Join(all[:400], " ") != strings.Join(some, " ") {
		t.Fatalf("%d and %d codes", len(all), len(some))
	}
}
