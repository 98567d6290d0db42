package stage

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

const badCode = "91410481MA44K7X22B" // wrong check character, recorded by nobody

// cellsOf reads a row written as name, value, name, value.
func cellsOf(row []string) []Cell {
	var cells []Cell
	for i := 0; i < len(row); i += 2 {
		cells = append(cells, Cell{Name: row[i], Value: &row[i+1]})
	}
	return cells
}

// keptCells reads the original of a refused row.
func keptCells(t *testing.T, row map[string]string) []Cell {
	t.Helper()
	var kept map[string]*string
	if err := json.Unmarshal([]byte(row["original"]), &kept); err != nil {
		t.Fatal(err)
	}
	var cells []Cell
	for name, value := range kept {
		cells = append(cells, Cell{Name: name, Value: value})
	}
	slices.SortFunc(cells, func(a, b Cell) int { return strings.Compare(a.Name, b.Name) })
	return cells
}

func mendsOf(list ...Mend) iter.Seq2[Mend, error] {
	return func(yield func(Mend, error) bool) {
		for _, m := range list {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// refuse stages rows with a bad code and one good row, and gives the stager an hour later.
func refuse(t *testing.T, rows ...[]string) (*Stager, *folder) {
	t.Helper()
	s, lake := newStager(t)
	s.HashKey = []byte("a key")
	result, err := s.Run(t.Context(), penalties(), pages(pageOf("a.csv", append(rows, clean("good"))...)), Pull{Run: "r1", Source: "cult"})
	if err != nil || result.Ledger.Quarantined != int64(len(rows)) {
		t.Fatalf("%v: %+v", err, result.Ledger)
	}
	s.Now = func() time.Time { return noon().Add(time.Hour) }
	return s, lake
}

func TestACorrectedRowIsLinkedToTheRowItStandsFor(t *testing.T) {
	s, lake := refuse(t, swap(clean("1")), swap(clean("2")), swap(clean("3")), swap(clean("4")))
	result, err := s.Correct(t.Context(), penalties(), Correction{Source: "cult", Run: "r2", Head: 1, By: "王五", Way: "workbook", Workbook: "sha",
		Mends: mendsOf(
			Mend{N: 1, Row: 1, Cells: cellsOf(clean("1")), File: "退回.xlsx/处罚", Line: 3},
			Mend{N: 1, Row: 2, Withdraw: true, File: "退回.xlsx/处罚", Line: 4},
			Mend{N: 1, Row: 3, Cells: cellsOf(clean("good")), File: "退回.xlsx/处罚", Line: 5},
			Mend{N: 1, Row: 4, Cells: cellsOf(swap(clean("4", "CF_SY", "又一事实"))), File: "退回.xlsx/处罚", Line: 6},
		)})
	if err != nil {
		t.Fatal(err)
	}
	if l := result.Ledger; l.Read != 3 || l.Accepted != 1 || l.Duplicate != 1 || l.Quarantined != 1 {
		t.Errorf("ledger %+v", l)
	}
	if c := result.Entry.Cursor; c.After != "after a.csv" {
		t.Errorf("the cursor moved to %q", c.After)
	}
	var got []string
	for _, r := range readTable(t, lake, CorrectedTable) {
		got = append(got, strings.Join([]string{r["original_n"], r["original_row"], r["outcome"], r["row_no"], r["corrected_by"], r["corrected_at"], r["workbook"], r["origin_line"]}, " "))
	}
	want := []string{"1 1 accepted 1 王五 2025-10-28 13:00:00Z sha 3", "1 2 withdrawn  王五 2025-10-28 13:00:00Z sha 4",
		"1 3 duplicate  王五 2025-10-28 13:00:00Z sha 5", "1 4 again 1 王五 2025-10-28 13:00:00Z sha 6"}
	if !slices.Equal(got, want) {
		t.Errorf("links\n%q, want\n%q", got, want)
	}
	for _, f := range result.Entry.Since(RowsTable, 1) {
		if f.Source != "cult" {
			t.Errorf("the mended row belongs to source %q", f.Source)
		}
	}
}

// swap makes a row's first code a bad one.
func swap(row []string) []string {
	row = slices.Clone(row)
	row[1] = badCode
	return row
}

func TestACorrectionOnAnOlderEntryIsDropped(t *testing.T) {
	s, lake := refuse(t, swap(clean("1")))
	if _, err := s.Run(t.Context(), penalties(), pages(pageOf("b.csv", clean("2"))), Pull{Run: "r2", Before: "after a.csv"}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Correct(t.Context(), penalties(), Correction{Run: "r3", Head: 1, By: "王五", Mends: mendsOf(Mend{N: 1, Row: 1, Cells: cellsOf(clean("1"))})})
	if !fault.Is(err, fault.Conflict) || len(lake.entries) != 2 {
		t.Errorf("error %v, %d entries; want a conflict and two", err, len(lake.entries))
	}
}

func TestALateCorrectionDoesNotPassForNews(t *testing.T) {
	s, lake := refuse(t, swap(clean("1")))
	at := wallMicros(noon())
	if _, err := s.Run(t.Context(), penalties(), pages(pageOf("b.csv", clean("1", "CF_SY", "后来的说法"))), Pull{Run: "r2", Before: "after a.csv"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Correct(t.Context(), penalties(), Correction{Run: "r3", Head: 2, By: "王五", Mends: mendsOf(Mend{N: 1, Row: 1, At: at, Cells: cellsOf(clean("1"))})}); err != nil {
		t.Fatal(err)
	}
	times := map[string]string{}
	for _, r := range readTable(t, lake, RowsTable) {
		if r["record_key"] == "1" {
			times[r["title"]] = r["source_time"]
		}
	}
	if times["未按规定悬挂许可证"] != "2025-10-28 12:00:00Z" || times["后来的说法"] != "2025-10-28 13:00:00Z" {
		t.Errorf("the rows are of %v: the correction stands before what the source said since", times)
	}
}

func TestTheSameBadRowIsOneThingToMend(t *testing.T) {
	s, lake := newStager(t)
	before := connectors.Cursor("")
	contents := map[string][]string{}
	for i, row := range [][]string{swap(clean("1")), swap(clean("1", "remark", "x")), swap(clean("2"))} {
		run := string(rune('a' + i))
		result, err := s.Run(t.Context(), penalties(), pages(pageOf(run+".csv", row)), Pull{Run: run, Before: before})
		if err != nil {
			t.Fatal(err)
		}
		before = connectors.Cursor(result.Entry.Cursor.After)
	}
	for _, r := range readTable(t, lake, QuarantineTable) {
		contents[r["content"]] = append(contents[r["content"]], r["origin_file"])
	}
	if len(contents) != 2 {
		t.Errorf("contents %v; want the first two files as one", contents)
	}
	// Persons that look alike once masked are two.
	person := func(name string) []string { return append(swap(clean("3")), "CF_FRDB", name) }
	s, lake = newStager(t)
	if _, err := s.Run(t.Context(), penalties(), pages(pageOf("p.csv", person("张三"), person("李四"))), Pull{Run: "p"}); err != nil {
		t.Fatal(err)
	}
	rows := readTable(t, lake, QuarantineTable)
	if rows[0]["content"] == rows[1]["content"] {
		t.Error("two persons are taken for one")
	}
}

func TestAMaskedPersonComesBackWithoutLoss(t *testing.T) {
	with := func(row []string) []string { return append(row, "CF_FRDB", "张三", "CF_FR_ZJHM", residentID) }
	s, lake := refuse(t, with(swap(clean("1"))), with(swap(clean("2"))))
	refused := readTable(t, lake, QuarantineTable)
	if strings.Contains(refused[0]["original"], "张三") {
		t.Fatal("the person is not masked")
	}
	r, err := s.Reread(penalties())
	if err != nil {
		t.Fatal(err)
	}
	cells := keptCells(t, refused[0])
	if column, lost := r.Lost(cells); lost {
		t.Fatalf("column %s is said to be lost", column)
	}
	mended := func(cells []Cell, code string) []Cell {
		for i := range cells {
			if cells[i].Name == "uscc" {
				cells[i].Value = &code
			}
		}
		return cells
	}
	// One is mended, one comes back with another bad code: its person's hash stays the person's.
	if _, err := s.Correct(t.Context(), penalties(), Correction{Run: "r2", Head: 1, By: "王五", Mends: mendsOf(
		Mend{N: 1, Row: 1, Cells: mended(cells, goodCode)}, Mend{N: 1, Row: 2, Cells: mended(keptCells(t, refused[1]), "91410481MA44K7X22C")})}); err != nil {
		t.Fatal(err)
	}
	again := readTable(t, lake, QuarantineTable)
	var before, after map[string]string
	for _, one := range []struct {
		text string
		into *map[string]string
	}{{refused[1]["original"], &before}, {again[len(again)-1]["original"], &after}} {
		if err := json.Unmarshal([]byte(one.text), one.into); err != nil {
			t.Fatal(err)
		}
	}
	if before["CF_FRDB"] != after["CF_FRDB"] || before["CF_FR_ZJHM"] != after["CF_FR_ZJHM"] {
		t.Errorf("the persons became %v, they were %v", after, before)
	}
	// What is staged is what the whole row would have given.
	whole, lakeOfWhole := newStager(t)
	if _, err := whole.Run(t.Context(), penalties(), pages(pageOf("w.csv", with(clean("1")))), Pull{Run: "w"}); err != nil {
		t.Fatal(err)
	}
	want := readTable(t, lakeOfWhole, RowsTable)[0]["row_sha"]
	if !slices.ContainsFunc(readTable(t, lake, RowsTable), func(r map[string]string) bool { return r["row_sha"] == want }) {
		t.Error("the mended row is not the row that would have come unmasked")
	}
}

func TestWhatWasNotKeptCannotBeStagedBlindly(t *testing.T) {
	s, _ := newStager(t)
	r, err := s.Reread(penalties())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, column, value string
		lost                bool
	}{
		{"a masked id in the key", "source_record_id", "110**********15", true},
		{"a masked id where a code belongs", "uscc", "110*************15", true},
		{"a masked id in running text was masked by staging too", "CF_SY", "身份证110*************15号", false},
		{"bytes that were no text", "CF_SY", "未按\uFFFD定", true},
		{"an unreadable row", "_row", "a,b", true},
		{"a masked person", "CF_FRDB", "***#0123456789abcdef", false},
		{"a column that the contract does not know", "remark", "\uFFFD", false},
		{"a clean value", "CF_SY", "未按规定", false},
	} {
		if column, lost := r.Lost(cellsOf([]string{c.column, c.value})); lost != c.lost || lost && column != c.column {
			t.Errorf("%s: lost %t in %q", c.name, lost, column)
		}
	}
}

func TestAVerdictIsFoundAnew(t *testing.T) {
	s, _ := newStager(t)
	r, err := s.Reread(penalties())
	if err != nil {
		t.Fatal(err)
	}
	if reason, field := r.Reason(cellsOf(swap(clean("1")))); reason != USCCCheck || field != "uscc" {
		t.Errorf("a bad code: %s in %s", reason, field)
	}
	if reason, _ := r.Reason(cellsOf(clean("1"))); reason != "" {
		t.Errorf("a good row: %s", reason)
	}
}
