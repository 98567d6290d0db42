// Package quarantine owns what people ask about refused rows, and what they answer: which rows there
// are, why each was refused, what became of it; the workbook that a department mends them in, out and
// back. It refuses to stage, to delete and to judge a row: a mended row comes again through staging,
// which links it to the refused one. It reads the quarantine and corrected tables of the stage chains,
// through DuckDB, and hands rows to the command line and the screens.
package quarantine

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// Lake is the part of the lake that is read here.
type Lake interface {
	Head(ctx context.Context, chainName string) (chain.Entry, error)
	Local(ctx context.Context, f chain.File) (string, error)
}

// Query chooses rows. Empty members choose all.
type Query struct {
	Datasets []string // ids; the caller names them, because the lake does not know the catalogue
	Run      string
	Reason   string
	All      bool // every refused row, those that are closed and the repetitions too; false: what is open, each thing once
}

// The states of a refused row. A repeat says what an earlier refused row said; that one is dealt with.
const (
	Open      = "open"
	Corrected = "corrected" // another row was taken in its place
	Withdrawn = "withdrawn" // struck out
	Again     = "again"     // the row given in its place was refused too
	Repeat    = "repeat"
)

// Row is one refused row. Its values are as received, except that person fields and resident ids
// were masked before they were written.
type Row struct {
	ID         string          `json:"id"` // dataset/commit/row: the same for as long as the row is kept
	Dataset    string          `json:"dataset"`
	Run        string          `json:"run"`
	File       string          `json:"file"`
	Line       int64           `json:"line"`
	Column     string          `json:"column"`
	Reason     string          `json:"reason"`
	Value      string          `json:"value"`
	ReceivedOn string          `json:"received_on"`
	Values     json.RawMessage `json:"values"` // the row's columns in source order

	State    string      `json:"state"`
	Seen     int64       `json:"seen"`       // how many refused rows say the same
	FirstDay string      `json:"first_seen"` // day on which the first of them came
	LastDay  string      `json:"last_seen"`
	Closed   *Correction `json:"closed,omitempty"` // nil while the row is open

	Source string `json:"source,omitempty"` // whose pull brought it; empty: a person

	N, No      int64 `json:"-"` // the two numbers of the id
	newest     Place // of the newest row that says the same; known of a page only
	ReceivedAt int64 `json:"-"` // when it last came, in microseconds of wall time
}

// Correction says who dealt with a row, when and how.
type Correction struct {
	By       string `json:"by"`
	At       string `json:"at"`                 // Shanghai wall time
	Way      string `json:"way"`                // workbook, form or retry
	Workbook string `json:"workbook,omitempty"` // its SHA-256
	Outcome  string `json:"outcome"`            // accepted, duplicate, skipped, again, withdrawn
	Became   string `json:"became,omitempty"`   // id of the refused row that it became, where it was refused again
	File     string `json:"file,omitempty"`     // workbook and sheet
	Line     int64  `json:"line,omitempty"`     // row in the sheet
	N        int64  `json:"commit"`             // commit of the dataset's chain that holds the correction
	RowNo    int64  `json:"row_no,omitempty"`   // number of the staged row in that commit
	Note     string `json:"note,omitempty"`     // why, in the words of who decided
}

// List yields refused rows, dataset by dataset in the order given, each in order of arrival, which of
// rows that say the same is that of the newest. It holds one row at a time. db is used until the sequence ends.
func List(ctx context.Context, lake Lake, db *duck.DB, q Query) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, dataset := range q.Datasets {
			b, err := OpenBook(ctx, lake, db, dataset)
			if err != nil {
				yield(Row{}, err)
				return
			}
			for row, err := range b.List(ctx, q) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// List reads the rows of one dataset. The place and reason shown are those of the newest row that
// says the same: there the department finds it today.
func (b *Book) List(ctx context.Context, q Query) iter.Seq2[Row, error] {
	if b.empty {
		return func(func(Row, error) bool) {}
	}
	where, join := "s.state = 'open' and ($1 = '' or s.reason = $1) and ($2 = '' or s.content in (select content from refused where run = $2))", "s.last_n = r.n and s.last_row = r.row_no"
	state, id := "s.state", "s.n, s.row_no"
	if q.All {
		join = "s.content = r.content"
		where = "($1 = '' or r.reason = $1) and ($2 = '' or r.run = $2)"
		state, id = "case when r.n = s.n and r.row_no = s.row_no then s.state else 'repeat' end", "r.n, r.row_no"
	}
	// One object after another, so that no more than one has to be put in order.
	return func(yield func(Row, error) bool) {
		for _, path := range b.paths {
			for row, err := range b.rows(ctx, `
				select `+id+`, r.run, r.origin_file, r.origin_line, r.reason, r.column_name, r.value, r.original, r.received_on,
					`+state+`, s.seen, s.first_day, s.last_day,
					coalesce(s.outcome, ''), coalesce(s.corrected_by, ''), coalesce(s.corrected_at, ''), coalesce(s.way, ''), coalesce(s.workbook, ''),
					coalesce(s.corrected_file, ''), coalesce(s.corrected_line, 0), coalesce(s.corrected_n, 0), coalesce(s.corrected_row, 0), s.source, s.received_at,
					coalesce(s.note, ''), s.last_n, s.last_row
				from standing as s join refused as r on `+join+`
				where r.filename = `+duck.Text(path)+` and `+where+` order by r.row_no`, q.Reason, q.Run) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

func (b *Book) rows(ctx context.Context, query string, args ...any) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		rows, err := b.db.Query(ctx, query, args...)
		if err != nil {
			yield(Row{}, b.failed(err))
			return
		}
		defer func() { _ = rows.Close() }() // the error that counts is rows.Err
		for rows.Next() {
			r := Row{Dataset: b.dataset}
			var c Correction
			var original string
			if err := rows.Scan(&r.N, &r.No, &r.Run, &r.File, &r.Line, &r.Reason, &r.Column, &r.Value, &original, &r.ReceivedOn,
				&r.State, &r.Seen, &r.FirstDay, &r.LastDay, &c.Outcome, &c.By, &c.At, &c.Way, &c.Workbook, &c.File, &c.Line, &c.N, &c.RowNo, &r.Source, &r.ReceivedAt, &c.Note, &r.newest.N, &r.newest.No); err != nil {
				yield(Row{}, b.failed(err))
				return
			}
			r.ID = fmt.Sprintf("%s/%d/%d", b.dataset, r.N, r.No)
			r.Values = json.RawMessage(original)
			if !json.Valid(r.Values) {
				yield(Row{}, b.failed(fmt.Errorf("row %s: the original is no JSON object", r.ID)))
				return
			}
			if c.Outcome != "" && r.State != Repeat {
				if c.Outcome == Again {
					c.Became, c.RowNo = fmt.Sprintf("%s/%d/%d", b.dataset, c.N, c.RowNo), 0
				}
				r.Closed = &c
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Row{}, b.failed(err))
		}
	}
}

func (b *Book) failed(err error) error {
	return &fault.Error{Op: "read the quarantine of " + b.dataset, Code: fault.Internal, Err: err,
		Hint: "run verify: it says whether the objects are whole"}
}
