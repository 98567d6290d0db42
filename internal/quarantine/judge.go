package quarantine

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
)

// Mend is what a workbook says of one open row.
type Mend struct {
	N, No    int64  // the refused row: commit and number
	Cells    []Cell // the row as corrected; nil with Withdraw
	Withdraw bool
	Source   string // whose pull brought the refused row
	At       int64  // when it last came, in microseconds of wall time
	Sheet    string
	Line     int64
}

// Judged counts what a workbook says of one dataset.
type Judged struct {
	Head      int64 // entry of the dataset's chain that it was held against
	Changed   int64
	Withdrawn int64
	Unchanged int64            // they stay open
	Done      map[string]int64 // taken before from this very workbook, by outcome
	Sources   []string         // of the rows changed or struck out, sorted
	Faults    []Fault
}

// Judge holds the workbook's rows of one dataset against the rows that are open, and hands each row that
// was changed or struck out to take, in the order of the workbook. What a fault is found in is not handed over.
func (r *Returned) Judge(ctx context.Context, b *Book, c Contract, take func(Mend) error) (Judged, error) {
	j := Judged{Head: b.Head(), Done: map[string]int64{}}
	for row, err := range r.held(ctx, b) {
		if err != nil {
			return j, err
		}
		mend, verdict, err := row.judge(c, r.SHA256, r.columns[row.Sheet])
		if err != nil {
			return j, err
		}
		switch {
		case verdict.fault != nil:
			if len(j.Faults) < mostFaults {
				j.Faults = append(j.Faults, *verdict.fault)
			}
			continue
		case verdict.done != "":
			j.Done[verdict.done]++
			continue
		case verdict.unchanged:
			j.Unchanged++
			continue
		case mend.Withdraw:
			j.Withdrawn++
		default:
			j.Changed++
		}
		if place, known := slices.BinarySearch(j.Sources, mend.Source); !known {
			j.Sources = slices.Insert(j.Sources, place, mend.Source)
		}
		if take == nil {
			continue
		}
		if err := take(mend); err != nil {
			return j, err
		}
	}
	return j, nil
}

// Mends yields what Judge hands over of one source.
func (r *Returned) Mends(ctx context.Context, b *Book, c Contract, source string) iter.Seq2[Mend, error] {
	return func(yield func(Mend, error) bool) {
		_, err := r.Judge(ctx, b, c, func(m Mend) error {
			if m.Source == source && !yield(m, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && err != errEnough { //nolint:errorlint // it is our own and comes back as it is
			yield(Mend{}, err)
		}
	}
}

var errEnough = fmt.Errorf("no more wanted")

// held is a row of the workbook with what the lake says of it.
type held struct {
	Mend
	fields                        map[string]string
	original                      string
	state, outcome, workbook, who string
}

func (r *Returned) held(ctx context.Context, b *Book) iter.Seq2[held, error] {
	return func(yield func(held, error) bool) {
		standing, refused := "standing", "refused"
		if b.empty {
			standing, refused = "(select null as n, null as row_no, null as state, null as outcome, null as source, null as received_at, null as workbook, null as corrected_by, null as corrected_at where false)",
				"(select null as n, null as row_no, null as original where false)"
		}
		rows, err := r.db.Query(ctx, `
			select r.sheet, r.line, r.n, r.row_no, r.withdraw, r.fields, coalesce(o.original, ''), coalesce(s.state, ''), coalesce(s.outcome, ''),
				coalesce(s.workbook, ''), concat(s.corrected_by, ', ', s.corrected_at), coalesce(s.source, ''), coalesce(s.received_at, 0)
			from returned as r
			left join `+standing+` as s on s.n = r.n and s.row_no = r.row_no
			left join `+refused+` as o on o.n = r.n and o.row_no = r.row_no
			where r.dataset = $1 order by r.place`, b.dataset)
		if err != nil {
			yield(held{}, b.failed(err))
			return
		}
		defer func() { _ = rows.Close() }() // the error that counts is rows.Err
		for rows.Next() {
			var h held
			var fields string
			err := rows.Scan(&h.Sheet, &h.Line, &h.N, &h.No, &h.Withdraw, &fields, &h.original, &h.state, &h.outcome, &h.workbook, &h.who, &h.Source, &h.At)
			if err == nil {
				err = json.Unmarshal([]byte(fields), &h.fields)
			}
			if err != nil {
				yield(held{}, b.failed(err))
				return
			}
			if !yield(h, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(held{}, b.failed(err))
		}
	}
}

// ruling is what is found about one row, apart from the row to stage.
type ruling struct {
	fault     *Fault
	done      string // outcome of an earlier time
	unchanged bool
}

func (h held) judge(c Contract, workbook string, columns map[string]int) (Mend, ruling, error) {
	wrong := func(column int, zh, en string) (Mend, ruling, error) {
		return Mend{}, ruling{fault: &Fault{h.Sheet, at(max(column, 0), int(h.Line)), zh, en}}, nil
	}
	if h.state == "" {
		return wrong(colID, "隔离区没有这条记录", "the quarantine has no such row")
	}
	cells, err := Cells(json.RawMessage(h.original))
	if err != nil {
		return Mend{}, ruling{}, err
	}
	known := map[string]bool{}
	for _, f := range c.Fields {
		known[f.Name] = true
	}
	before, changed := c.values(cells), map[string]string{}
	for name, value := range h.fields {
		if !known[name] {
			return wrong(columns[name], "契约中没有字段 "+name, "the contract has no field "+name)
		}
		if value != shown(before[name]) {
			changed[name] = value
		}
	}
	switch {
	case h.state != Open && h.workbook == workbook:
		return Mend{}, ruling{done: h.outcome}, nil
	case !h.Withdraw && len(changed) == 0:
		return Mend{}, ruling{unchanged: true}, nil
	case h.state != Open:
		return wrong(colID, "该记录已处理（"+h.who+"），不能再次更正", "the row was dealt with before ("+h.who+")")
	case h.Withdraw && len(changed) > 0:
		return wrong(colAction, "该行既有改动又选择撤销，请二选一", "the row was changed and struck out: choose one")
	case h.Withdraw:
		h.Mend.Cells = nil
		return h.Mend, ruling{}, nil
	}
	h.Mend.Cells = c.mended(before, changed)
	if column, lost := c.Lost(h.Mend.Cells); lost {
		place, known := columns[c.Field(column)]
		if !known {
			place = colID
		}
		return wrong(place, "该值已脱敏或无法读取，系统没有保存原值，请填写正确的值", "the value is masked or unreadable and was not kept; write the right one")
	}
	return h.Mend, ruling{}, nil
}
