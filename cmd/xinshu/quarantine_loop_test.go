package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"xinshu/internal/chain"
	"xinshu/internal/desk"
	"xinshu/internal/lake"
	"xinshu/internal/quarantine"
)

// TestTheQuarantineLoop is the loop of a department's workbook at the size that the issue names: of
// 100,000 rows 1,000 are bad; 990 of them come back mended and 10 stay open.
func TestTheQuarantineLoop(t *testing.T) {
	dir := t.TempDir()
	data, file, book := filepath.Join(dir, "data"), filepath.Join(dir, "严重失信.csv"), filepath.Join(dir, "退回.xlsx")
	const rows, bad, mended = 100_000, 1_000, 990
	writeRows(t, file, rows, bad)
	out, _ := xinshu(t, "", "ingest", file, "--dataset", "amr.severe", "--json", "--data", data)
	var first chain.Ledger
	decode(t, out, &first)
	if first.Accepted != rows-bad || first.Quarantined != bad {
		t.Fatalf("accepted %d, quarantined %d; want %d and %d", first.Accepted, first.Quarantined, rows-bad, bad)
	}
	xinshu(t, "", "quarantine", "export", "--dataset", "amr.severe", "--out", book, "--data", data)
	if n := formulas(t, book); n != 0 {
		t.Errorf("the workbook holds %d formulas", n)
	}
	if n := mend(t, book, mended); n != bad {
		t.Fatalf("the workbook has %d rows, want %d", n, bad)
	}
	var back desk.Resubmitted
	out, _ = xinshu(t, "", "quarantine", "resubmit", book, "--by", "王五", "--json", "--data", data)
	decode(t, out, &back)
	if len(back.Datasets) != 1 || back.Datasets[0].Accepted != mended || back.Datasets[0].Unchanged != bad-mended {
		t.Fatalf("became %+v", back)
	}
	var sum quarantine.Summary
	out, _ = xinshu(t, "", "quarantine", "summary", "--json", "--data", data)
	decode(t, out, &sum)
	want := quarantine.Sum{Quarantined: bad, Refused: bad, Open: bad - mended, Corrected: mended}
	if sum.Total != want {
		t.Errorf("the books say %+v, want %+v", sum.Total, want)
	}
	if n := acceptedIn(t, data, "amr.severe"); n != rows-bad+mended {
		t.Errorf("%d rows accepted in all, want %d", n, rows-bad+mended)
	}
	// Once more: nothing changes, and the answer says why.
	out, _ = xinshu(t, "", "quarantine", "resubmit", book, "--by", "王五", "--json", "--data", data)
	var twice desk.Resubmitted
	decode(t, out, &twice)
	if c := twice.Datasets[0]; c.Commit != 0 || c.Changed != 0 || c.Before["accepted"] != mended {
		t.Errorf("the second time became %+v", c)
	}
	xinshu(t, "", "settle", "--data", data)
	if n := recordsOf(t, data); n != rows-bad+mended {
		t.Errorf("%d credit records, want %d", n, rows-bad+mended)
	}
}

// writeRows writes a CSV of listings; the last of them name a code with a wrong check character.
func writeRows(t *testing.T, file string, rows, bad int) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "uscc,entity_name,list_reason,list_date,remove_date")
	for i := range rows {
		code := "91350100M000100Y43"
		if i >= rows-bad {
			code = "91350100M000100Y40"
		}
		fmt.Fprintf(w, "%s,一号公司,=%d+1,2025-03-01,\n", code, i)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// mend puts the right code into the first rows of the workbook's one sheet and says how many rows it has.
func mend(t *testing.T, book string, rows int) int {
	t.Helper()
	f, err := excelize.OpenFile(book)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, sheet := range f.GetSheetList() {
		all, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) < 3 || all[1][0] != "_id" {
			continue
		}
		column := columnOf(t, all[1], "uscc")
		for i := range rows {
			cell, _ := excelize.CoordinatesToCellName(column, i+3)
			if err := f.SetCellStr(sheet, cell, "91350100M000100Y43"); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Save(); err != nil {
			t.Fatal(err)
		}
		return len(all) - 2
	}
	t.Fatal("the workbook has no sheet of rows")
	return 0
}

func columnOf(t *testing.T, codes []string, code string) int {
	t.Helper()
	for i, c := range codes {
		if c == code {
			return i + 1
		}
	}
	t.Fatalf("no column %s", code)
	return 0
}

// formulas counts the formula elements in all sheets of a workbook.
func formulas(t *testing.T, book string) (n int) {
	t.Helper()
	z, err := zip.OpenReader(book)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, part := range z.File {
		if !strings.HasPrefix(part.Name, "xl/worksheets/") {
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
		n += bytes.Count(body, []byte("<f>")) + bytes.Count(body, []byte("<f "))
	}
	return n
}

func decode(t *testing.T, out []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
}

// acceptedIn counts the rows of a dataset's chain.
func acceptedIn(t *testing.T, data, dataset string) (n int64) {
	t.Helper()
	for _, f := range headOf(t, data, chain.Stage(dataset)).Table("rows") {
		n += f.Rows
	}
	return n
}

func recordsOf(t *testing.T, data string) (n int64) {
	t.Helper()
	for _, f := range headOf(t, data, chain.Settled).Table("record") {
		n += f.Rows
	}
	return n
}

func headOf(t *testing.T, data, name string) chain.Entry {
	t.Helper()
	store, err := lake.OpenFolder(filepath.Join(data, "lake"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.New(store, lake.Options{Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	head, err := l.Head(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return head
}
