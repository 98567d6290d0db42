package files

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xinshu/connectors"
	"xinshu/connectors/jsonrows"
)

// xlsxRow is a row on its way: its texts, and why a cell of it has none.
type xlsxRow struct {
	number  int // Excel's
	texts   map[int]string
	reasons map[int]string
}

// xlsxReading reads one sheet. What counts as a row:
//
//   - rows behind the header with at least one filled cell of their own; blank ones are passed over;
//   - hidden rows and columns as well: hiding is layout;
//   - the value of a merged region is that of each of its rows, in the region's first column; sideways
//     it is not spread, because that would put it under another name;
//   - a row that repeats the header is passed over, and so are sums and notes behind the last row; the
//     same between rows are rows, which the contract will refuse.
//
// The sheet is read twice: the merged regions stand behind the rows, and a broken sheet gives no row.
type xlsxReading struct {
	book     *xlsxBook
	out      *sheet
	contract map[string]bool
	part     string

	merges []xlsxMerge // those of several rows, by first row
	next   int         // of them
	active map[int]activeMerge
	header xlsxHeader
	notes  []xlsxRow // that may be the end
}

type activeMerge struct {
	last         int // row, from 1
	text, reason string
}

// mostNotes is how many rows in a row may look like notes before they are taken for rows.
const mostNotes = 20

func (b *xlsxBook) read(out *sheet) error {
	sheets, others, err := b.chosen(out.job.sheet)
	if err != nil {
		return err
	}
	contract := contractNames(out.job.dataset)
	var readings []*xlsxReading
	for _, s := range sheets {
		r := &xlsxReading{book: b, out: out, contract: contract, part: s.part}
		err := r.survey()
		if refused, ok := errors.AsType[*refusal](err); ok {
			if len(sheets) > 1 && refused.reason == fileHeader { // one of all that can be seen: instructions, a cover
				continue
			}
			return &refusal{refused.reason, refused.line, s.name + ": " + refused.what}
		}
		if err != nil {
			return err
		}
		readings = append(readings, r)
	}
	if len(readings) == 0 {
		return &refusal{fileHeader, 0, "no sheet has a header that names the dataset's columns"}
	}
	label := out.label
	for _, r := range readings {
		if out.job.sheet == "*" {
			if err := out.cut(label + "#" + sheets[indexOf(sheets, r.part)].name); err != nil {
				return err
			}
		}
		if err := r.rows(); err != nil {
			return err
		}
	}
	return b.unread(others, readings[0], out)
}

func indexOf(sheets []xlsxSheetPart, part string) int {
	return slices.IndexFunc(sheets, func(s xlsxSheetPart) bool { return s.part == part })
}

// unread gives one reject for each visible sheet that nobody reads although it has the same header: rows
// that go on in a second sheet must not be lost in silence.
func (b *xlsxBook) unread(others []xlsxSheetPart, first *xlsxReading, out *sheet) error {
	for _, s := range others {
		r := &xlsxReading{book: b, out: out, contract: first.contract, part: s.part}
		if err := r.survey(); err != nil {
			if _, ok := errors.AsType[*refusal](err); ok {
				continue // not what is read
			}
			return err
		}
		if !maps.Equal(r.header.names, first.header.names) {
			continue
		}
		due, err := out.due()
		if err != nil {
			return err
		}
		if due {
			out.reject(connectors.Reject{Line: int64(r.header.row), Reason: xlsxSheet, File: true,
				Value: jsonrows.Excerpt([]byte("sheet " + s.name + " has the same header and was not read; set sheet to * to read all, or to a name"))})
		}
	}
	return nil
}

// survey reads the sheet through: is it sound, what is merged, where is the header?
func (r *xlsxReading) survey() error {
	var first []xlsxRow
	err := r.book.walkSheet(r.part, func(n int, row []xlsxCellOf) error {
		if len(first) >= headerSearch && n != r.out.job.headerRow {
			return nil
		}
		read, err := r.texts(n, row)
		if err == nil && len(read.texts) > 0 {
			first = append(first, read)
		}
		return err
	}, func(m xlsxMerge) error {
		if m.lastRow == m.row {
			return nil
		}
		if len(r.merges) >= xlsxMerges {
			return &refusal{xlsxLimit, 0, fmt.Sprintf("more than %d merged regions", xlsxMerges)}
		}
		r.merges = append(r.merges, m)
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(r.merges, func(a, b xlsxMerge) int { return a.row - b.row })
	return r.choose(first)
}

func (r *xlsxReading) choose(first []xlsxRow) error {
	r.rewind()
	for i := range first {
		first[i] = r.spread(first[i])
	}
	var what string
	if h := r.out.job.headerRow; h > 0 {
		i := slices.IndexFunc(first, func(row xlsxRow) bool { return row.number == h })
		if i < 0 {
			return &refusal{fileHeader, int64(h), fmt.Sprintf("row %d is blank, header_row says it is the header", h)}
		}
		r.header, what = headerOf(first[i], r.contract)
	} else {
		r.header, what = findHeader(first, r.contract, len(r.out.job.dataset.Fields))
	}
	if what != "" {
		return &refusal{fileHeader, int64(r.header.row), what}
	}
	return nil
}

func (r *xlsxReading) rewind() { r.next, r.active = 0, map[int]activeMerge{} }

// texts reads a row's own cells; blank ones are left out.
func (r *xlsxReading) texts(n int, cells []xlsxCellOf) (xlsxRow, error) {
	row := xlsxRow{number: n, texts: map[int]string{}}
	for _, c := range cells {
		text, reason, err := r.book.value(c)
		if err != nil {
			return row, err
		}
		if reason != "" {
			if row.reasons == nil {
				row.reasons = map[int]string{}
			}
			row.reasons[c.column] = reason
		}
		if reason != "" || strings.TrimSpace(text) != "" {
			row.texts[c.column] = text
		}
	}
	return row, nil
}

// spread puts the values of merged regions into a row that has something of its own. It must see the
// rows in order.
func (r *xlsxReading) spread(row xlsxRow) xlsxRow {
	for column, m := range r.active {
		if m.last < row.number {
			delete(r.active, column)
		}
	}
	for ; r.next < len(r.merges) && r.merges[r.next].row+1 <= row.number; r.next++ {
		m := r.merges[r.next]
		if m.row+1 == row.number {
			if text, ok := row.texts[m.column]; ok {
				r.active[m.column] = activeMerge{m.lastRow + 1, text, row.reasons[m.column]}
			}
		}
	}
	for column, m := range r.active {
		if _, own := row.texts[column]; own || len(row.texts) == 0 {
			continue
		}
		row.texts[column] = m.text
		if m.reason != "" {
			if row.reasons == nil {
				row.reasons = map[int]string{}
			}
			row.reasons[column] = m.reason
		}
	}
	return row
}

func (r *xlsxReading) rows() error {
	r.rewind()
	err := r.book.walkSheet(r.part, func(n int, cells []xlsxCellOf) error {
		row, err := r.texts(n, cells)
		if err != nil {
			return err
		}
		row = r.spread(row)
		switch {
		case n <= r.header.row || len(row.texts) == 0 || r.repeats(row):
			return nil
		case len(r.notes) < mostNotes && r.header.isNote(row.texts):
			r.notes = append(r.notes, row)
			return nil
		}
		for _, held := range r.notes { // they were not the end
			if err := r.give(held); err != nil {
				return err
			}
		}
		r.notes = r.notes[:0]
		return r.give(row)
	}, func(xlsxMerge) error { return nil })
	return err
}

// repeats says that a row is the header again, as on every printed page.
func (r *xlsxReading) repeats(row xlsxRow) bool {
	if len(row.texts) != len(r.header.names) {
		return false
	}
	for column, text := range row.texts {
		if r.header.names[column] != columnName(text, r.contract) {
			return false
		}
	}
	return true
}

// give hands a row on, or rejects it for the first cell of a known column that has no value. In columns
// that the contract does not know such a cell is text.
func (r *xlsxReading) give(row xlsxRow) error {
	due, err := r.out.due()
	if err != nil || !due {
		return err
	}
	columns := slices.Sorted(maps.Keys(row.texts))
	for _, column := range columns {
		if reason := row.reasons[column]; reason != "" && (r.header.known[column] || len(r.contract) == 0) {
			r.out.reject(connectors.Reject{Line: int64(row.number), Column: r.header.name(column), Reason: reason, Value: jsonrows.Excerpt([]byte(row.texts[column]))})
			return nil
		}
	}
	for _, column := range columns {
		r.out.batch.Set(r.out.batch.Column(r.header.name(column)), row.texts[column])
	}
	r.out.batch.EndRow(int64(row.number))
	return nil
}
