package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
	"xinshu/pipelines/stage"
)

// RefusedRows chooses refused rows. Empty members choose all.
type RefusedRows struct {
	Department string // or platform: datasets of one owner
	Datasets   []string
	Reason     string
	Run        string
}

// QuarantineDatasets names the datasets that are meant, in the catalogue's order, and refuses names that
// nothing has and data that the actor may not see.
func (d *Desk) QuarantineDatasets(ctx context.Context, w RefusedRows) ([]string, error) {
	const op = "choose the datasets"
	scope := auth.From(ctx).Scope
	for _, id := range w.Datasets {
		ds, ok := d.Catalog.Dataset(id)
		switch {
		case !ok:
			return nil, &fault.Error{Op: op, Code: fault.NotFound, Err: fmt.Errorf("there is no dataset %q", id), Hint: "see xinshu catalog list"}
		case !scope.HasDepartment(ds.Owner):
			return nil, &fault.Error{Op: op, Code: fault.Forbidden, Err: errors.New("this dataset belongs to another department"), Hint: "an administrator can widen the account's departments"}
		}
	}
	var ids []string
	for _, ds := range d.Catalog.Datasets {
		if scope.HasDepartment(ds.Owner) && (w.Department == "" || ds.Owner == w.Department) && (len(w.Datasets) == 0 || slices.Contains(w.Datasets, ds.ID)) {
			ids = append(ids, ds.ID)
		}
	}
	if len(ids) == 0 {
		return nil, &fault.Error{Op: op, Code: fault.NotFound, Err: fmt.Errorf("department %q has none of them that this account may see", w.Department), Hint: "see xinshu catalog list"}
	}
	return ids, nil
}

// QuarantineSummary counts refused rows: refused = open + corrected + withdrawn, a line for each dataset
// and reason. It waits until all are counted.
func (d *Desk) QuarantineSummary(ctx context.Context, w RefusedRows) (quarantine.Summary, error) {
	sum, _, err := d.quarantineSummary(ctx, w, mostCounting)
	return sum, err
}

// quickly is how long a page waits for refused rows to be counted, where nothing else is said.
const quickly = 150 * time.Millisecond

// QuarantineAtHand is QuarantineSummary for who does not want to wait: behind is how many datasets are
// being counted, which are given as they were before, or not yet.
func (d *Desk) QuarantineAtHand(ctx context.Context, w RefusedRows) (sum quarantine.Summary, behind int, err error) {
	return d.quarantineSummary(ctx, w, cmp.Or(d.Patience, quickly))
}

func (d *Desk) quarantineSummary(ctx context.Context, w RefusedRows, patience time.Duration) (quarantine.Summary, int, error) {
	ids, err := d.QuarantineDatasets(ctx, w)
	if err != nil {
		return quarantine.Summary{}, 0, err
	}
	sum, behind, err := d.summary(ctx, ids, patience)
	if err != nil || w.Reason == "" {
		return sum, behind, err
	}
	chosen := quarantine.Summary{Rows: []quarantine.Sum{}}
	for _, line := range sum.Rows {
		if line.Reason == w.Reason {
			chosen.Rows = append(chosen.Rows, line)
			chosen.Total.Add(line)
		}
	}
	return chosen, behind, nil
}

// RefusedPage is a page of the quarantine of one dataset.
type RefusedPage struct {
	Rows []quarantine.Row `json:"rows"`
	Next string           `json:"next"` // cursor; empty: the last page
}

// mostRefused bounds a page.
const mostRefused = 500

// RefusedPage gives things to mend of one dataset, the newest first. after is Next of the page before.
func (d *Desk) RefusedPage(ctx context.Context, dataset string, w quarantine.Wanted, after string) (RefusedPage, error) {
	page := RefusedPage{Rows: []quarantine.Row{}}
	if _, err := d.QuarantineDatasets(ctx, RefusedRows{Datasets: []string{dataset}}); err != nil {
		return page, err
	}
	w.Most = min(max(w.Most, 1), mostRefused)
	if after != "" {
		var err error
		if w.After, err = refusedPlace(after); err != nil {
			return page, err
		}
	}
	return page, d.book(ctx, dataset, func(_ *duck.DB, b *quarantine.Book) error {
		rows, next, err := b.Page(ctx, w)
		if err != nil {
			return err
		}
		page.Rows = append(page.Rows, rows...)
		if next != (quarantine.Place{}) {
			page.Next = fmt.Sprintf("%d-%d", next.N, next.No)
		}
		return nil
	})
}

func refusedPlace(cursor string) (p quarantine.Place, err error) {
	n, no, _ := strings.Cut(cursor, "-")
	if p.N, err = strconv.ParseInt(n, 10, 64); err == nil {
		p.No, err = strconv.ParseInt(no, 10, 64)
	}
	if err != nil || p.N < 1 || p.No < 0 {
		return p, &fault.Error{Op: "continue the list", Code: fault.Invalid, Err: errors.New("the cursor is none of this list"), Hint: "begin the list anew"}
	}
	return p, nil
}

// RefusedRow is one refused row with all that a person needs to mend it.
type RefusedRow struct {
	quarantine.Row
	Title    catalog.Text           `json:"title"`    // of the dataset
	Sentence catalog.Text           `json:"sentence"` // the reason in words
	Cells    []quarantine.Cell      `json:"-"`        // as received, in source order
	Field    string                 `json:"field"`    // of the contract, at fault; empty: not one field
	Fields   []quarantine.FormField `json:"fields"`   // of the contract, with the values received
}

// Refused gives one refused row by its id, dataset/commit/row. That it was looked at is kept.
func (d *Desk) Refused(ctx context.Context, id string) (RefusedRow, error) {
	dataset, place, err := refusedID(id)
	if err != nil {
		return RefusedRow{}, err
	}
	if _, err := d.QuarantineDatasets(ctx, RefusedRows{Datasets: []string{dataset}}); err != nil {
		return RefusedRow{}, err
	}
	if err := d.record(ctx, auth.Act{Action: "quarantine.view", Kind: "row", ID: id}); err != nil {
		return RefusedRow{}, err
	}
	return d.refused(ctx, dataset, place)
}

func (d *Desk) refused(ctx context.Context, dataset string, place quarantine.Place) (r RefusedRow, err error) {
	ds, _ := d.Catalog.Dataset(dataset)
	c, _, err := d.contract(ds)
	if err != nil {
		return r, err
	}
	err = d.book(ctx, dataset, func(_ *duck.DB, b *quarantine.Book) error {
		r.Row, err = b.Find(ctx, place)
		return err
	})
	if err != nil {
		return r, err
	}
	r.Title, r.Sentence = ds.Title, c.Sentence(r.Reason)
	if r.Cells, err = quarantine.Cells(r.Values); err != nil {
		return r, err
	}
	r.Fields, r.Field, err = c.Form(r.Row)
	return r, err
}

// refusedID reads dataset/commit/row.
func refusedID(id string) (dataset string, p quarantine.Place, err error) {
	parts := strings.Split(id, "/")
	if len(parts) == 3 {
		if p.N, err = strconv.ParseInt(parts[1], 10, 64); err == nil {
			p.No, err = strconv.ParseInt(parts[2], 10, 64)
		}
		dataset = parts[0]
	}
	if len(parts) != 3 || err != nil {
		return "", p, &fault.Error{Op: "find the refused row", Code: fault.Invalid, Err: errors.New("its id has the form dataset/commit/row")}
	}
	return dataset, p, nil
}

// Sentence gives a reason of a dataset in words.
func (d *Desk) Sentence(dataset, reason string) catalog.Text {
	ds, _ := d.Catalog.Dataset(dataset)
	return stage.Sentence(reason, ds)
}

// contract gives what the quarantine needs to know of a dataset.
func (d *Desk) contract(ds catalog.Dataset) (quarantine.Contract, *stage.Rereader, error) {
	r, err := d.Pipeline.Stager.Reread(ds)
	if err != nil {
		return quarantine.Contract{}, nil, err
	}
	return quarantine.Contract{
		Dataset: ds, Field: r.Field,
		Sentence: func(reason string) catalog.Text { return stage.Sentence(reason, ds) },
		Lost:     func(cells []quarantine.Cell) (string, bool) { return r.Lost(stagedCells(cells)) },
	}, r, nil
}

func stagedCells(cells []quarantine.Cell) []stage.Cell {
	row := make([]stage.Cell, len(cells))
	for i, c := range cells {
		row[i] = stage.Cell(c)
	}
	return row
}
