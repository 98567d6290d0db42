// Package quarantine owns what people ask about refused rows: which there are, where each came from,
// why it was refused. It refuses to mend or to delete one: a corrected row comes again through
// staging. It reads the quarantine tables of the stage chains, through DuckDB, and hands rows to the
// command line and the screens.
package quarantine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

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
}

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
}

// List yields the refused rows, dataset by dataset in the order given, each in order of arrival. It
// holds one row at a time. db is used until the sequence ends.
func List(ctx context.Context, lake Lake, db *duck.DB, q Query) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, dataset := range q.Datasets {
			head, err := lake.Head(ctx, chain.Stage(dataset))
			if err != nil {
				yield(Row{}, err)
				return
			}
			files := head.Table("quarantine")
			slices.SortStableFunc(files, func(a, b chain.File) int { return cmp.Compare(a.N, b.N) })
			for _, f := range files {
				run := runOf(chain.Stage(dataset), f.Key)
				if q.Run != "" && q.Run != run {
					continue
				}
				for row, err := range read(ctx, lake, db, f, q.Reason) {
					row.ID = fmt.Sprintf("%s/%d/%s", dataset, f.N, row.ID)
					row.Dataset, row.Run = dataset, run
					if !yield(row, err) || err != nil {
						return
					}
				}
			}
		}
	}
}

// columns are those of the quarantine table that are shown. They are all read as text or whole
// numbers, so a file of an older version of the hub can be listed too.
var columns = []duck.Column{
	{Name: "row_no", Type: "BIGINT"}, {Name: "origin_file", Type: "VARCHAR"}, {Name: "origin_line", Type: "BIGINT"},
	{Name: "reason", Type: "VARCHAR"}, {Name: "column_name", Type: "VARCHAR"}, {Name: "value", Type: "VARCHAR"},
	{Name: "original", Type: "VARCHAR"}, {Name: "received_on", Type: "VARCHAR"},
}

// read yields the rows of one object; ID holds the row's number in its commit.
func read(ctx context.Context, lake Lake, db *duck.DB, f chain.File, reason string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		fail := func(err error) {
			yield(Row{}, &fault.Error{Op: "list quarantine", Code: fault.Internal, Err: fmt.Errorf("read %s: %w", f.Key, err),
				Hint: "run verify: it says whether the object is whole"})
		}
		path, err := lake.Local(ctx, f)
		if err != nil {
			yield(Row{}, err)
			return
		}
		if err := db.View(ctx, "quarantined", []string{path}, columns); err != nil {
			fail(err)
			return
		}
		rows, err := db.Query(ctx, `
			select row_no, coalesce(origin_file, ''), origin_line, reason, coalesce(column_name, ''), coalesce(value, ''), original, received_on
			from quarantined where $1 = '' or reason = $1 order by row_no`, reason)
		if err != nil {
			fail(err)
			return
		}
		defer func() { _ = rows.Close() }() // the error that counts is rows.Err
		for rows.Next() {
			var r Row
			var original string
			if err := rows.Scan(&r.ID, &r.File, &r.Line, &r.Reason, &r.Column, &r.Value, &original, &r.ReceivedOn); err != nil {
				fail(err)
				return
			}
			r.Values = json.RawMessage(original)
			if !json.Valid(r.Values) {
				fail(fmt.Errorf("row %s: the original is no JSON object", r.ID))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			fail(err)
		}
	}
}

// runOf reads the run from an object's key: data/<chain>/<run>/<table>/<part>.
func runOf(chainName, key string) string {
	rest, _ := strings.CutPrefix(key, "data/"+chainName+"/")
	run, _, _ := strings.Cut(rest, "/")
	return run
}
