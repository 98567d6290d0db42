package quarantine

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"xinshu/internal/duck"
)

// Exported counts what a workbook holds.
type Exported struct {
	Rows     int64            `json:"rows"`
	Datasets map[string]int64 `json:"datasets"` // open rows by dataset
}

// mostNotes is how many faulty cells carry a note. Excel shows a workbook with many more of them
// slowly, and they are the one part of it that stands in memory; the column of reasons has them all.
const mostNotes = 2000

// sheetRows is how many rows one sheet takes; Excel's own limit is 1,048,576.
const sheetRows = 1_000_000

// Export writes the open rows of the contracts' datasets as a workbook. key is the hub's own: by it the
// workbook is known again when it comes back. It writes beside path first, so that path is whole or as
// it was. Memory does not grow with the rows: sheets are written through temporary files.
func Export(ctx context.Context, lake Lake, db *duck.DB, contracts []Contract, q Query, key []byte, now time.Time, path string) (Exported, error) {
	x := &export{file: excelize.NewFile(excelize.Options{TmpDir: filepath.Dir(path)}), stamp: newStamp(key), names: sheetNames{}, done: Exported{Datasets: map[string]int64{}}}
	defer func() { _ = x.file.Close() }() // takes its temporary files away; what counts was written by then
	if err := x.begin(now); err != nil {
		return x.done, fmt.Errorf("begin the workbook: %w", err)
	}
	q.All = false
	for _, c := range contracts {
		b, err := OpenBook(ctx, lake, db, c.ID)
		if err != nil {
			return x.done, err
		}
		if err := x.dataset(ctx, b, c, q); err != nil {
			return x.done, fmt.Errorf("write the sheet of %s: %w", c.ID, err)
		}
	}
	return x.done, writeWhole(path, func(w io.Writer) error { return x.file.Write(w) })
}

func writeWhole(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".workbook-*")
	if err != nil {
		return err
	}
	err = write(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// export is a workbook being written.
type export struct {
	file   *excelize.File
	stamp  stamp
	names  sheetNames
	styles styles
	notes  int
	done   Exported
}

type styles struct{ title, code, text, fault, fixed, wrap int }

func (x *export) begin(now time.Time) error {
	if err := x.makeStyles(); err != nil {
		return err
	}
	guide := x.names.of("", "填写说明 README")
	if err := x.file.SetSheetName("Sheet1", guide); err != nil {
		return err
	}
	_ = x.names.of("", identitySheet)
	for i, line := range instructions {
		for c, text := range []string{line.ZH, line.EN} {
			if err := x.file.SetCellStr(guide, at(c, i+1), text); err != nil {
				return err
			}
		}
	}
	if err := x.file.SetColStyle(guide, "A:B", x.styles.wrap); err != nil {
		return err
	}
	if err := x.file.SetColWidth(guide, "A", "B", 80); err != nil {
		return err
	}
	if _, err := x.file.NewSheet(identitySheet); err != nil {
		return err
	}
	for i, text := range []string{workbookFormat, x.stamp.hub(), now.Format(time.RFC3339)} {
		if err := x.file.SetCellStr(identitySheet, at(0, i+1), text); err != nil {
			return err
		}
	}
	return x.file.SetSheetVisible(identitySheet, false, true)
}

// makeStyles makes the cell styles. Every value is a text cell (format 49, @) with a quote prefix, so
// that one beginning with = stays text even after somebody edits it.
func (x *export) makeStyles() error {
	fill := func(color string) excelize.Fill {
		return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}
	}
	for _, s := range []struct {
		into  *int
		style excelize.Style
	}{
		{&x.styles.title, excelize.Style{Font: &excelize.Font{Bold: true}, Fill: fill("DDEBF7"), Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}}},
		{&x.styles.code, excelize.Style{Font: &excelize.Font{Color: "808080"}, Fill: fill("F2F2F2"), NumFmt: 49}},
		{&x.styles.text, excelize.Style{NumFmt: 49, Protection: &excelize.Protection{Locked: false}}},
		{&x.styles.fault, excelize.Style{NumFmt: 49, Fill: fill("FFFF00"), Protection: &excelize.Protection{Locked: false}}},
		{&x.styles.fixed, excelize.Style{NumFmt: 49, Font: &excelize.Font{Color: "595959"}}},
		{&x.styles.wrap, excelize.Style{Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}}},
	} {
		id, err := x.file.NewStyle(&s.style)
		if err != nil {
			return err
		}
		*s.into = id
	}
	quoted := true
	for _, id := range []int{x.styles.text, x.styles.fault, x.styles.fixed} {
		x.file.Styles.CellXfs.Xf[id].QuotePrefix = &quoted
	}
	return nil
}

// dataset writes the sheets of one dataset; none when nothing is open.
func (x *export) dataset(ctx context.Context, b *Book, c Contract, q Query) error {
	var s *sheet
	for row, err := range b.List(ctx, q) {
		if err != nil {
			return err
		}
		if s != nil && s.next == firstRow+sheetRows {
			if err := s.close(); err != nil {
				return err
			}
			s = nil
		}
		if s == nil {
			if s, err = x.sheet(c); err != nil {
				return err
			}
		}
		if err := s.row(row); err != nil {
			return err
		}
		x.done.Rows++
		x.done.Datasets[c.ID]++
	}
	if s == nil {
		return nil
	}
	return s.close()
}

// sheet is a dataset's pair of sheets being written: rows to mend, and their originals.
type sheet struct {
	*export
	contract        Contract
	name            string
	mend, originals *excelize.StreamWriter
	next            int
}

func (x *export) sheet(c Contract) (*sheet, error) {
	title := c.Title.ZH
	if title == "" {
		title = c.ID
	}
	s := &sheet{export: x, contract: c, name: x.names.of("", title), next: firstRow}
	kept := x.names.of("原值 ", title)
	for _, one := range []struct {
		name string
		into **excelize.StreamWriter
	}{{s.name, &s.mend}, {kept, &s.originals}} {
		if _, err := x.file.NewSheet(one.name); err != nil {
			return nil, err
		}
		w, err := x.file.NewStreamWriter(one.name)
		if err != nil {
			return nil, err
		}
		*one.into = w
	}
	if err := x.file.ProtectSheet(kept, &excelize.SheetProtectionOptions{SelectLockedCells: true, SelectUnlockedCells: true, FormatColumns: true}); err != nil {
		return nil, err
	}
	return s, s.head()
}

// head writes widths, the two heading rows and the choice in the column of actions.
func (s *sheet) head() error {
	titles, codes := []any{}, []any{}
	for i, l := range leading {
		if err := s.mend.SetColWidth(i+1, i+1, l.width); err != nil {
			return err
		}
		titles, codes = append(titles, s.title(l.title.ZH)), append(codes, s.code(l.code))
	}
	if err := s.mend.SetColVisible(colCheck+1, colCheck+1, false); err != nil {
		return err
	}
	first, last := firstField+1, firstField+max(len(s.contract.Fields), 1)
	for _, w := range []*excelize.StreamWriter{s.mend, s.originals} {
		if err := w.SetColWidth(first, last+1, 20); err != nil {
			return err
		}
		if err := w.SetPanes(&excelize.Panes{Freeze: true, YSplit: codeRow, TopLeftCell: at(0, firstRow), ActivePane: "bottomLeft"}); err != nil {
			return err
		}
	}
	for _, place := range [][2]int{{colAction + 1, colAction + 1}, {first, last}} {
		if err := s.mend.SetColStyle(place[0], place[1], s.styles.text); err != nil {
			return err
		}
	}
	for _, f := range s.contract.Fields {
		name := f.Title.ZH
		if f.Required {
			name += " *"
		}
		titles, codes = append(titles, s.title(name)), append(codes, s.code(f.Name))
	}
	choice := excelize.NewDataValidation(true)
	choice.SetSqref(fmt.Sprintf("%s:%s", at(colAction, firstRow), at(colAction, firstRow+sheetRows-1)))
	if err := choice.SetDropList([]string{withdrawWord}); err != nil {
		return err
	}
	if err := s.file.AddDataValidation(s.name, choice); err != nil {
		return err
	}
	for _, heading := range []struct {
		row   int
		cells []any
	}{{titleRow, titles}, {codeRow, codes}} {
		if err := s.mend.SetRow(at(0, heading.row), heading.cells); err != nil {
			return err
		}
		kept := slices.Clone(heading.cells)
		if heading.row == codeRow {
			kept[colID] = s.code("_original")
			kept = append(kept, s.code("_other"))
		} else {
			kept = append(kept, s.title("其他列"))
		}
		if err := s.originals.SetRow(at(0, heading.row), kept); err != nil {
			return err
		}
	}
	return nil
}

// row writes one refused row to both sheets.
func (s *sheet) row(r Row) error {
	cells, err := Cells(r.Values)
	if err != nil {
		return fmt.Errorf("row %s: %w", r.ID, err)
	}
	values := s.contract.values(cells)
	field := s.contract.Field(r.Column)
	title := r.Column
	words := s.contract.Sentence(r.Reason)
	mend := []any{s.fixed(r.ID), s.fixed(s.stamp.row(r.ID)), nil, s.fixed(words.ZH + "（" + r.Reason + "）"), nil, s.fixed(fmt.Sprintf("%s:%d", r.File, r.Line))}
	kept := slices.Clone(mend)
	kept[colCheck] = nil
	for i, f := range s.contract.Fields {
		value := shown(values[f.Name])
		var cell, old any
		if value != "" {
			cell, old = excelize.Cell{StyleID: s.styles.text, Value: value}, s.fixed(value)
		}
		if f.Name == field {
			title = f.Title.ZH
			cell = excelize.Cell{StyleID: s.styles.fault, Value: value}
			if err := s.note(at(firstField+i, s.next), words.ZH+"\n"+words.EN); err != nil {
				return err
			}
		}
		mend, kept = append(mend, cell), append(kept, old)
	}
	mend[colColumn], kept[colColumn] = s.fixed(title), s.fixed(title)
	kept = append(kept, s.fixed(s.others(cells)))
	if err := s.mend.SetRow(at(0, s.next), mend); err != nil {
		return err
	}
	if err := s.originals.SetRow(at(0, s.next), kept); err != nil {
		return err
	}
	s.next++
	return nil
}

// others are the columns that no field carries.
func (s *sheet) others(cells []Cell) string {
	var parts []string
	for _, c := range cells {
		if s.contract.Field(c.Name) == "" && c.Value != nil {
			parts = append(parts, c.Name+"="+*c.Value)
		}
	}
	return shown(strings.Join(parts, "; "))
}

func (s *sheet) note(cell, text string) error {
	if s.notes == mostNotes {
		return nil
	}
	s.notes++
	return s.file.AddComment(s.name, excelize.Comment{Cell: cell, Author: "信枢", Text: text})
}

func (s *sheet) close() error {
	if err := s.mend.Flush(); err != nil {
		return err
	}
	return s.originals.Flush()
}

func (x *export) title(text string) any { return excelize.Cell{StyleID: x.styles.title, Value: text} }
func (x *export) code(text string) any  { return excelize.Cell{StyleID: x.styles.code, Value: text} }
func (x *export) fixed(text string) any {
	if text == "" {
		return nil
	}
	return excelize.Cell{StyleID: x.styles.fixed, Value: shown(text)}
}

// at names a cell: column from 0, row from 1.
func at(column, row int) string {
	name, err := excelize.CoordinatesToCellName(column+1, row)
	if err != nil {
		return "" // the caller's next call refuses it
	}
	return name
}
