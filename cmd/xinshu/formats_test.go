package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"

	"xinshu/internal/duck"
)

// recast writes the rows of a CSV file in another format, each by a program other than the one that
// will read it: excelize, DuckDB, and for XML the letters themselves.
func recast(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "recast FILE.csv NEW.xlsx|NEW.xml|NEW.parquet")
	records, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[0]))).ReadAll()
	ts.Check(err)
	to := ts.MkAbs(args[1])
	switch filepath.Ext(to) {
	case ".xlsx":
		f := excelize.NewFile()
		defer func() { _ = f.Close() }()
		ts.Check(f.SetCellValue("Sheet1", "A1", "行政处罚信息表"))
		for i, record := range records {
			ts.Check(f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+2), &record))
		}
		ts.Check(f.SaveAs(to))
	case ".xml":
		var out bytes.Buffer
		out.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<list>\n")
		for _, record := range records[1:] {
			out.WriteString("<row>")
			for i, name := range records[0] {
				fmt.Fprintf(&out, "<%s>", name)
				ts.Check(xml.EscapeText(&out, []byte(record[i])))
				fmt.Fprintf(&out, "</%s>", name)
			}
			out.WriteString("</row>\n")
		}
		out.WriteString("</list>\n")
		ts.Check(os.WriteFile(to, out.Bytes(), 0o600))
	case ".parquet":
		db, err := duck.Open(duck.Options{})
		ts.Check(err)
		defer func() { _ = db.Close() }()
		_, err = db.Copy(context.Background(), "select * replace (try_cast(CF_JDRQ as date) as CF_JDRQ, cast(CF_NR_FK as decimal(12,6)) as CF_NR_FK) from read_csv("+duck.Text(ts.MkAbs(args[0]))+", all_varchar = true)", to)
		ts.Check(err)
	default:
		ts.Fatalf("no format for %s", to)
	}
}

// Every sample of a workbook or of Parquet ends in rows or in a refused row that says why, when it is
// brought by hand; the command ends well.
func TestEverySampleBroughtByHandEndsInRowsOrAReason(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, pattern := range []string{"xlsx/*", "parquet/*/*"} {
		found, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "samples", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Log("no samples: nothing to bring")
		return
	}
	for i, file := range files {
		if files[i], err = filepath.Abs(file); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), self, append([]string{"ingest", "--dataset", "cult.penalty", "--json"}, files...)...)
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), asCommand+"=1")
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("exit code %d: %s", exit.ExitCode(), lastLines(string(exit.Stderr)))
	} else if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Files []struct {
			File                                            string
			Read, Accepted, Duplicate, Quarantined, Skipped int64
		}
		Rejects []struct{ File, Reason, Value string }
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	reasons := map[string]map[string]int{}
	for _, r := range report.Rejects {
		if reasons[r.File] == nil {
			reasons[r.File] = map[string]int{}
		}
		reasons[r.File][r.Reason]++
	}
	said := map[string]bool{}
	for _, f := range report.Files {
		said[filepath.Base(f.File)] = true
		t.Logf("%-52s read %d accepted %d quarantined %d %v", filepath.Base(f.File), f.Read, f.Accepted, f.Quarantined, reasons[f.File])
		if f.Read != f.Accepted+f.Duplicate+f.Quarantined+f.Skipped {
			t.Errorf("%s does not balance", f.File)
		}
		if f.Read == 0 {
			t.Errorf("%s: nothing was read and nothing said", f.File)
		}
	}
	for _, file := range files {
		if !said[filepath.Base(file)] {
			t.Errorf("%s is not in the report", file)
		}
	}
}
