package quarantine_test

import (
	"archive/zip"
	"bytes"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"xinshu/catalog"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
)

var key = []byte("the hub's key")

// listing is a contract of four fields; a source may write the reason as 事由.
func listing(id string) quarantine.Contract {
	field := func(name, zh string) catalog.Field { return catalog.Field{Name: name, Title: catalog.Text{ZH: zh}} }
	c := quarantine.Contract{Dataset: catalog.Dataset{ID: id, Title: catalog.Text{ZH: "严重失信主体名单"},
		Fields: []catalog.Field{field("uscc", "统一社会信用代码"), field("reason", "列入事由"), field("on", "列入日期"), field("person", "负责人")}}}
	c.Field = func(source string) string {
		if source == "事由" {
			return "reason"
		}
		if slices.ContainsFunc(c.Fields, func(f catalog.Field) bool { return f.Name == source }) {
			return source
		}
		return ""
	}
	c.Sentence = func(string) catalog.Text { return catalog.Text{ZH: "校验位不符", EN: "wrong check character"} }
	c.Lost = func(cells []quarantine.Cell) (string, bool) {
		for _, cell := range cells {
			if cell.Value != nil && strings.Contains(*cell.Value, "\uFFFD") {
				return cell.Name, true
			}
		}
		return "", false
	}
	return c
}

// originals are three refused rows whose values try what a workbook could do to them.
var originals = []string{
	`{"uscc":"914403001922038217","事由":"=1+1","on":"2025-03-01","person":"***#0123456789abcdef","remark":"x"}`,
	`{"uscc":"91350100M000100Y40","事由":"-5","on":null,"person":"***"}`,
	`{"uscc":"91350100M000100Y41","事由":"@SUM(A1)\t 尾","on":"","person":""}`,
}

func filled(t *testing.T) (*shelf, *duck.DB) {
	t.Helper()
	s, db := openShelf(t)
	var parts []string
	for i, o := range originals {
		no := string(rune('1' + i))
		parts = append(parts, strings.Replace(refused(no, "USCC_CHECK"), `{"名称":"甲","uscc":"9141"}`, o, 1))
	}
	s.commit(t, db, "amr.severe", "r1", strings.Join(parts, " union all "))
	return s, db
}

func export(t *testing.T, s *shelf, db *duck.DB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "退回.xlsx")
	now := time.Date(2025, 10, 28, 12, 0, 0, 0, time.UTC)
	done, err := quarantine.Export(t.Context(), s, db, []quarantine.Contract{listing("amr.severe")}, quarantine.Query{}, key, now, path)
	if err != nil || done.Rows != 3 {
		t.Fatalf("%v: %+v", err, done)
	}
	return path
}

const sheetName = "严重失信主体名单"

func TestAWorkbookShowsTheOriginalsAsText(t *testing.T) {
	s, db := filled(t)
	path := export(t, s, db)
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(sheetName)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := f.GetRows("原值 " + sheetName)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0][6:], " "); got != "统一社会信用代码 列入事由 列入日期 负责人" {
		t.Errorf("titles %s", got)
	}
	if got := strings.Join(rows[2][6:], "|"); got != "914403001922038217|=1+1|2025-03-01|***#0123456789abcdef" {
		t.Errorf("first row %s", got)
	}
	if got := strings.Join(kept[2][6:], "|"); got != "914403001922038217|=1+1|2025-03-01|***#0123456789abcdef|remark=x" {
		t.Errorf("its original %s", got)
	}
	if !strings.Contains(rows[2][3], "校验位不符（USCC_CHECK）") || rows[2][4] != "统一社会信用代码" || rows[2][5] != "a.csv:2" {
		t.Errorf("reason, field, place: %q", rows[2][3:6])
	}
	for _, cell := range []string{"G3", "H3", "G4"} {
		if kind, _ := f.GetCellType(sheetName, cell); kind != excelize.CellTypeInlineString && kind != excelize.CellTypeSharedString {
			t.Errorf("%s is of type %v, not text", cell, kind)
		}
	}
	notes, err := f.GetComments(sheetName)
	if err != nil || len(notes) != 3 || notes[0].Cell != "G3" {
		t.Errorf("%v: notes %+v", err, notes)
	}
	style, _ := f.GetCellStyle(sheetName, "G3")
	look, err := f.GetStyle(style)
	if err != nil || look.Fill.Type != "pattern" || look.NumFmt != 49 {
		t.Errorf("%v: the faulty cell looks like %+v", err, look)
	}
	if p, err := f.GetSheetProtection("原值 " + sheetName); err != nil || p.EditObjects {
		t.Errorf("%v: the originals are not locked: %+v", err, p)
	}
	if body := partsOf(t, path, "xl/worksheets/"); bytes.Contains(body, []byte("<f>")) || bytes.Contains(body, []byte("<f ")) {
		t.Error("the workbook holds a formula")
	}
	if body := partsOf(t, path, "xl/styles.xml"); !bytes.Contains(body, []byte(`quotePrefix="true"`)) {
		t.Error("text cells have no quote prefix")
	}
}

// The library writes streamed sheets into the package in any order, so it is the parts that are equal.
func TestTheSameRowsGiveTheSameWorkbook(t *testing.T) {
	s, db := filled(t)
	if a, b := partsOf(t, export(t, s, db), ""), partsOf(t, export(t, s, db), ""); !bytes.Equal(a, b) {
		t.Error("two exports differ")
	}
}

// partsOf gives the parts of a package whose names begin so, in the order of their names.
func partsOf(t *testing.T, path, prefix string) (all []byte) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	slices.SortFunc(z.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	for _, part := range z.File {
		if !strings.HasPrefix(part.Name, prefix) {
			continue
		}
		in, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		all = append(append(all, part.Name...), body...)
	}
	return all
}

// edited changes a workbook as a clerk would.
func edited(t *testing.T, path string, edit func(f *excelize.File) error) {
	t.Helper()
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := edit(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
}

func set(cell string, value any) func(*excelize.File) error {
	return func(f *excelize.File) error { return f.SetCellValue(sheetName, cell, value) }
}

// judged reads a workbook back and holds it against the shelf.
func judged(t *testing.T, s *shelf, db *duck.DB, path string) (quarantine.Judged, []quarantine.Mend, []quarantine.Fault) {
	t.Helper()
	r, err := quarantine.Read(t.Context(), db, path, filepath.Base(path), key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := quarantine.OpenBook(t.Context(), s, db, "amr.severe")
	if err != nil {
		t.Fatal(err)
	}
	var mends []quarantine.Mend
	j, err := r.Judge(t.Context(), b, listing("amr.severe"), func(m quarantine.Mend) error { mends = append(mends, m); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return j, mends, append(r.Faults, j.Faults...)
}

func TestChangedRowsComeBackWhole(t *testing.T) {
	s, db := filled(t)
	path := export(t, s, db)
	edited(t, path, func(f *excelize.File) error {
		for cell, value := range map[string]string{"G3": "914403001922038216", "C4": "撤销"} {
			if err := f.SetCellStr(sheetName, cell, value); err != nil {
				return err
			}
		}
		return f.SetSheetName(sheetName, "改过名")
	})
	j, mends, faults := judged(t, s, db, path)
	if len(faults) > 0 || j.Changed != 1 || j.Withdrawn != 1 || j.Unchanged != 1 {
		t.Fatalf("%+v, %v", j, faults)
	}
	var row []string
	for _, c := range mends[0].Cells {
		row = append(row, c.Name+"="+*c.Value)
	}
	if got := strings.Join(row, "|"); got != "uscc=914403001922038216|reason==1+1|on=2025-03-01|person=***#0123456789abcdef" {
		t.Errorf("the corrected row is %s", got)
	}
	if m := mends[1]; !m.Withdraw || m.Cells != nil || m.No != 2 || m.Line != 4 || m.Sheet != "改过名" {
		t.Errorf("the row struck out is %+v", m)
	}
}

func TestAnUntouchedWorkbookChangesNothing(t *testing.T) {
	s, db := filled(t)
	j, _, faults := judged(t, s, db, export(t, s, db))
	if j.Unchanged != 3 || j.Changed != 0 || len(faults) > 0 {
		t.Errorf("%+v, %v", j, faults)
	}
}

func TestNumbersAndDatesThatSomebodyTyped(t *testing.T) {
	s, db := filled(t)
	path := export(t, s, db)
	edited(t, path, func(f *excelize.File) error {
		style, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		if err != nil {
			return err
		}
		if err := f.SetCellValue(sheetName, "I3", 45731); err != nil { // 2025-03-15
			return err
		}
		if err := f.SetCellStyle(sheetName, "I3", "I3", style); err != nil {
			return err
		}
		return f.SetCellValue(sheetName, "H4", 410481100001238)
	})
	_, mends, faults := judged(t, s, db, path)
	if len(faults) > 0 || len(mends) != 2 {
		t.Fatalf("%v, %d rows", faults, len(mends))
	}
	if got := *mends[0].Cells[2].Value; got != "2025-03-15" {
		t.Errorf("the date became %s", got)
	}
	if got := *mends[1].Cells[1].Value; got != "410481100001238" {
		t.Errorf("the number became %s", got)
	}
}

func TestWhatIsWrongIsNamedWithItsCell(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*excelize.File) error
		cell string
		says string
	}{
		{"a formula", func(f *excelize.File) error { return f.SetCellFormula(sheetName, "H3", "1+1") }, "H3", "formula"},
		{"a code that Excel rounded", set("G3", 914403001922038216), "G3", "15 digits"},
		{"an id that was changed", set("A4", "amr.severe/1/3"), "A4", "id or its check"},
		{"a check that was changed", set("B4", "0"), "A4", "id or its check"},
		{"a record without an id", set("G9", "91350100M000100Y43"), "A9", "no id"},
		{"an action that nobody knows", set("C3", "删除"), "C3", "action"},
		{"a row that is changed and struck out", func(f *excelize.File) error {
			if err := f.SetCellStr(sheetName, "C3", "撤销"); err != nil {
				return err
			}
			return f.SetCellStr(sheetName, "G3", "91350100M000100Y43")
		}, "C3", "choose one"},
		{"a heading that was changed", set("C2", "处理"), "C2", "heading"},
		{"a field that the contract does not have", set("J2", "telephone"), "J3", "no field"},
		{"a value that was unreadable and is still", func(f *excelize.File) error { return f.SetCellStr(sheetName, "H3", "\uFFFD") }, "H3", "not kept"},
		{"the same row twice", func(f *excelize.File) error { return f.DuplicateRowTo(sheetName, 3, 6) }, "A6", "same id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, db := filled(t)
			path := export(t, s, db)
			edited(t, path, c.edit)
			_, _, faults := judged(t, s, db, path)
			if !slices.ContainsFunc(faults, func(f quarantine.Fault) bool {
				return f.Sheet == sheetName && f.Cell == c.cell && strings.Contains(f.EN, c.says)
			}) {
				t.Errorf("faults %v, want one at %s that says %q", faults, c.cell, c.says)
			}
		})
	}
}

func TestAWorkbookOfAnotherHubIsRefused(t *testing.T) {
	s, db := filled(t)
	for name, edit := range map[string]func(*excelize.File) error{
		"another hub":     func(f *excelize.File) error { return f.SetCellStr("_xinshu", "A2", "ffff") },
		"another version": func(f *excelize.File) error { return f.SetCellStr("_xinshu", "A1", "xinshu-quarantine-9") },
		"no identity":     func(f *excelize.File) error { return f.DeleteSheet("_xinshu") },
	} {
		path := export(t, s, db)
		edited(t, path, edit)
		if _, err := quarantine.Read(t.Context(), db, path, "x.xlsx", key); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := quarantine.Read(t.Context(), db, filepath.Join(t.TempDir(), "none.xlsx"), "none.xlsx", key); !fault.Is(err, fault.NotFound) {
		t.Errorf("a file that is not there: %v", err)
	}
}
