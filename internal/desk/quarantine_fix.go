package desk

import (
	"context"
	"errors"
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
	"xinshu/pipelines/stage"
)

// Fixed is what became of a row that was corrected in a form.
type Fixed struct {
	Outcome string        `json:"outcome"`          // accepted, duplicate, skipped, again, withdrawn
	Reject  *stage.Reject `json:"reject,omitempty"` // why it was refused again
	Commit  int64         `json:"commit"`
}

// correctTries is how often a dataset is looked at anew because another run committed to its chain.
const correctTries = 8

// FixRow stages a refused row with some of its fields changed, as a workbook with this one row would.
// The faults name fields; with any, nothing was staged.
func (d *Desk) FixRow(ctx context.Context, id string, changed map[string]string) (Fixed, []FieldFault, error) {
	var faults []FieldFault
	fixed, err := d.decide(ctx, id, auth.Act{Action: "quarantine.correct", Detail: map[string]string{"fields": fieldNames(changed)}}, func(c quarantine.Contract, row quarantine.Row) (quarantine.Mend, error) {
		m, wrong, err := c.Fix(row, changed)
		if faults = nil; wrong != "" {
			faults = []FieldFault{{wrong, catalog.Text{ZH: "该值已脱敏或无法读取，系统没有保存原值，请填写正确的值", EN: "the value is masked or unreadable and was not kept; write the right one"}}}
			err = errNotWhole
		}
		return m, err
	}, "")
	if errors.Is(err, errNotWhole) {
		return Fixed{}, faults, nil
	}
	return fixed, nil, err
}

var errNotWhole = errors.New("a value is still to be written")

func fieldNames(changed map[string]string) string {
	var names []string
	for name := range changed {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// longestReason bounds what a person may write about a decision, in characters.
const longestReason = 500

// StrikeOut decides that nobody will send a refused row, for a reason that is kept with the decision.
func (d *Desk) StrikeOut(ctx context.Context, id, reason string) (Fixed, error) {
	reason = strings.TrimSpace(reason)
	if n := len([]rune(reason)); n < 2 || n > longestReason {
		return Fixed{}, &fault.Error{Op: "strike out " + id, Code: fault.Invalid, Err: errors.New("a reason of 2 to 500 characters is missing"), Hint: "say why nobody will send this row"}
	}
	return d.decide(ctx, id, auth.Act{Action: "quarantine.withdraw", Detail: map[string]string{"reason": reason}}, func(_ quarantine.Contract, row quarantine.Row) (quarantine.Mend, error) {
		return quarantine.StrikeOut(row), nil
	}, reason)
}

// decide commits a decision about one open row. When another run commits to the chain meanwhile, the row
// is looked at anew.
func (d *Desk) decide(ctx context.Context, id string, act auth.Act, how func(quarantine.Contract, quarantine.Row) (quarantine.Mend, error), note string) (fixed Fixed, err error) {
	dataset, place, err := refusedID(id)
	if err != nil {
		return fixed, err
	}
	if _, err := d.QuarantineDatasets(ctx, RefusedRows{Datasets: []string{dataset}}); err != nil {
		return fixed, err
	}
	ds, _ := d.Catalog.Dataset(dataset)
	c, _, err := d.contract(ds)
	if err != nil {
		return fixed, err
	}
	act.Kind, act.ID = "row", id
	for tries := 0; ; tries++ {
		var row quarantine.Row
		var head int64
		if err := d.book(ctx, dataset, func(_ *duck.DB, b *quarantine.Book) (err error) {
			head = b.Head()
			row, err = b.Find(ctx, place)
			return err
		}); err != nil {
			return fixed, err
		}
		if row.State != quarantine.Open {
			return fixed, &fault.Error{Op: "decide about " + id, Code: fault.Conflict, Err: errors.New("the row was dealt with before"), Hint: "look at it again: it says by whom"}
		}
		m, err := how(c, row)
		if err != nil {
			return fixed, err
		}
		if tries == 0 {
			if err := d.record(ctx, act); err != nil {
				return fixed, err
			}
		}
		fixed, err = d.commit(ctx, ds, head, m, note)
		if !fault.Is(err, fault.Conflict) || tries == correctTries {
			return fixed, err
		}
	}
}

func (d *Desk) commit(ctx context.Context, ds catalog.Dataset, head int64, m quarantine.Mend, note string) (fixed Fixed, err error) {
	one := stage.Mend{N: m.N, Row: m.No, Cells: stagedCells(m.Cells), Withdraw: m.Withdraw, At: m.At, File: "form", Line: 1, Note: note}
	if m.Withdraw {
		one.Cells = nil
	}
	result, err := d.Pipeline.Correct(ctx, ds, stage.Correction{Source: m.Source, Head: head, By: decider(ctx), Way: "form",
		Mends:    func(yield func(stage.Mend, error) bool) { yield(one, nil) },
		OnReject: func(r stage.Reject) { fixed.Reject = &r }})
	if err != nil {
		return fixed, err
	}
	l := result.Ledger
	fixed.Commit = result.Entry.N
	switch {
	case m.Withdraw:
		fixed.Outcome = stage.OutcomeWithdrawn
	case l.Accepted > 0:
		fixed.Outcome = stage.OutcomeAccepted
	case l.Duplicate > 0:
		fixed.Outcome = stage.OutcomeDuplicate
	case l.Skipped > 0:
		fixed.Outcome = stage.OutcomeSkipped
	default:
		fixed.Outcome = stage.OutcomeAgain
	}
	return fixed, nil
}
