package settle

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// Kinds of judgements about identity.
const (
	Merge = "merge" // one code's records are another's
	Split = "split" // some records of one code are another's
	Undo  = "undo"  // an earlier judgement no longer stands
)

// Judgement is what a named person decided about whose records are whose. Like a mark it is never
// changed and never goes; what it means is worked out by whoever reads records.
type Judgement struct {
	Kind     string
	From     string   // code, or number from before 2015, whose records are meant; empty for an undo
	Into     string   // code that they are counted for
	Datasets []string // of a split: every record of these
	Records  []string // of a split: these record ids
	Undoes   string   // of an undo: the judgement taken back
	By       string   // who decided
	Reason   string
	Evidence string // what it rests on; may be empty
}

// JudgedResult says what became of a judgement.
type JudgedResult struct {
	ID          string       // its name for good
	N           int64        // head of the chain afterwards
	Committed   bool         // false: it stood already, word for word
	EffectiveOn catalog.Date // scores corrected to this day or later follow it
}

// Judge puts a judgement into the lake: a commit of judgements alone, which touches no record. It
// takes effect on the hub's day, never before an earlier one.
func (s *Settler) Judge(ctx context.Context, run string, j Judgement) (JudgedResult, error) {
	var judged JudgedResult
	if err := j.check(); err != nil {
		return judged, err
	}
	_, err := s.redo(ctx, func(head chain.Entry) (Result, error) {
		var err error
		judged, err = s.judge(ctx, run, head, j)
		return Result{}, err
	})
	return judged, err
}

// op names a judgement in errors.
func (j Judgement) op() string {
	if j.Kind == Undo {
		return "undo " + j.Undoes
	}
	return j.Kind + " " + j.From
}

// check refuses what nobody could act on, whatever stands in the lake.
func (j Judgement) check() error {
	var wrong, hint string
	parts := len(j.Datasets) + len(j.Records)
	switch {
	case j.Kind != Merge && j.Kind != Split && j.Kind != Undo:
		wrong = fmt.Sprintf("%q is no kind of judgement", j.Kind)
	case j.By == "" || j.Reason == "":
		wrong, hint = "who decided and why are not both said", "a judgement is kept with a name and a reason"
	case j.Kind == Undo && j.Undoes == "":
		wrong, hint = "it names no judgement", "xinshu identity list shows their ids"
	case j.Kind != Undo && (j.From == "" || j.Into == ""):
		wrong = "it does not name two codes"
	case j.Kind != Undo && j.From == j.Into:
		wrong, hint = "a code cannot take over from itself", "name two different codes"
	case j.Kind == Split && parts == 0:
		wrong, hint = "it names neither records nor datasets", "to move everything, merge"
	case j.Kind != Split && parts > 0:
		wrong, hint = "only a split names records or datasets", ""
	}
	if wrong == "" {
		return nil
	}
	return &fault.Error{Op: j.op(), Code: fault.Invalid, Err: fmt.Errorf("%s", wrong), Hint: hint}
}

// judge tries a judgement on one head.
func (s *Settler) judge(ctx context.Context, run string, head chain.Entry, j Judgement) (JudgedResult, error) {
	w, err := s.open(ctx, run, head)
	if err != nil {
		return JudgedResult{}, err
	}
	defer w.close()
	standing, err := w.judgements(ctx)
	if err != nil {
		return JudgedResult{}, err
	}
	day := catalog.DateOf(s.Now().In(shanghai))
	for _, b := range standing {
		day = max(day, b.effectiveOn)
	}
	rows, same, err := w.judgementRows(ctx, j, standing)
	if err != nil || same != nil {
		if same != nil {
			return JudgedResult{ID: same.id, N: head.N, EffectiveOn: same.effectiveOn}, nil
		}
		return JudgedResult{}, err
	}
	result := JudgedResult{ID: fmt.Sprintf("J%d", head.N+1), EffectiveOn: day}
	for _, row := range rows {
		row[0], row[9], row[10], row[11], row[12], row[13] = result.ID, day, j.By, j.Reason, text(j.Evidence), head.N+1
	}
	said, err := json.Marshal(j)
	if err != nil {
		return result, fault.Newf(fault.Invalid, j.op(), "%w", err)
	}
	fault.At(fault.BeforeObjects)
	if err := w.db.Append(ctx, "judged", judgementColumns, rows); err != nil {
		return result, err
	}
	path := filepath.Join(w.dir, "judgement.parquet")
	n, err := w.db.Copy(ctx, "select * from judged order by known_from, judgement_id, dataset nulls first, record_id nulls first", path)
	if err != nil {
		return result, err
	}
	if err := w.put(ctx, Judged, chain.NoRange, path, n); err != nil {
		return result, err
	}
	entry, err := s.Lake.Commit(ctx, chain.Draft{Base: head, Keep: w.keeps, Files: w.files,
		Entry: chain.Entry{Chain: chain.Settled, Intent: chain.Intent("judge", head.SHA256, string(said)), Run: run, Inputs: head.Inputs, SQLSHA256: w.models.sha}})
	if err != nil {
		return result, err
	}
	result.N, result.Committed = entry.N, true
	return result, nil
}

// judgementColumns are those of the table judgement: a row for each part of a judgement, one for a
// merge or an undo, one for each dataset and record of a split.
var judgementColumns = []duck.Column{
	{Name: "judgement_id", Type: "VARCHAR"}, {Name: "kind", Type: "VARCHAR"},
	{Name: "uscc", Type: "VARCHAR"}, {Name: "entity_id", Type: "BIGINT"},
	{Name: "successor", Type: "VARCHAR"}, {Name: "successor_id", Type: "BIGINT"},
	{Name: "dataset", Type: "VARCHAR"}, {Name: "record_id", Type: "VARCHAR"}, {Name: "undoes", Type: "VARCHAR"},
	{Name: "effective_on", Type: "DATE"}, {Name: "decided_by", Type: "VARCHAR"}, {Name: "reason", Type: "VARCHAR"},
	{Name: "evidence", Type: "VARCHAR"}, {Name: "known_from", Type: "BIGINT"},
}

// judgementRows checks a judgement against those that stand and gives its rows, without what the
// commit decides. same is the one that says the same already.
func (w *work) judgementRows(ctx context.Context, j Judgement, before []judged) (rows [][]any, same *judged, err error) {
	if j.Kind == Undo {
		return undoRows(j, before)
	}
	from, err := w.idOf(ctx, j, j.From)
	if err != nil {
		return nil, nil, err
	}
	into, err := w.idOf(ctx, j, j.Into)
	if err != nil {
		return nil, nil, err
	}
	if len(j.Into) != len("91350100M000100Y43") {
		return nil, nil, &fault.Error{Op: j.op(), Code: fault.Invalid, Err: fmt.Errorf("%s is a number from before 2015", j.Into),
			Hint: "records are counted for a unified social credit code; name that"}
	}
	standing := slices.DeleteFunc(slices.Clone(before), func(b judged) bool { return b.undone || b.kind == Undo })
	if j.Kind == Merge {
		return mergeRows(j, from, into, standing)
	}
	return w.splitRows(ctx, j, from, into, standing)
}

func mergeRows(j Judgement, from, into int64, standing []judged) (rows [][]any, same *judged, err error) {
	successor := map[int64]judged{}
	for _, b := range standing {
		if b.kind == Merge {
			successor[b.entityID] = b
		}
	}
	if b, merged := successor[from]; merged {
		if b.successorID == into {
			return nil, &b, nil
		}
		return nil, nil, &fault.Error{Op: j.op(), Code: fault.Conflict, Err: fmt.Errorf("it was merged into %s by %s", b.successor, b.id),
			Hint: "undo that first: xinshu identity undo " + b.id}
	}
	for at := into; ; {
		b, merged := successor[at]
		if !merged {
			break
		}
		if at = b.successorID; at == from {
			return nil, nil, &fault.Error{Op: j.op(), Code: fault.Conflict, Err: fmt.Errorf("%s was itself merged into %s, by %s and what follows it", j.Into, j.From, b.id),
				Hint: "undo " + b.id + " first if the other way round is right"}
		}
	}
	return [][]any{judgementRow(j, from, into, nil, nil)}, nil, nil
}

func undoRows(j Judgement, before []judged) (rows [][]any, same *judged, err error) {
	at := slices.IndexFunc(before, func(b judged) bool { return b.id == j.Undoes })
	if at < 0 {
		return nil, nil, &fault.Error{Op: j.op(), Code: fault.NotFound, Err: fmt.Errorf("there is no judgement %q", j.Undoes),
			Hint: "xinshu identity list shows their ids"}
	}
	b := before[at]
	if b.kind == Undo {
		return nil, nil, &fault.Error{Op: j.op(), Code: fault.Invalid, Err: fmt.Errorf("%s is an undo itself", j.Undoes),
			Hint: "decide anew with merge or split: a judgement taken back stays taken back"}
	}
	if by := slices.IndexFunc(before, func(u judged) bool { return u.kind == Undo && u.undoes == b.id }); by >= 0 {
		return nil, &before[by], nil
	}
	return [][]any{{nil, Undo, b.uscc, nil, nil, nil, nil, nil, b.id, nil, nil, nil, nil, nil}}, nil, nil
}

func (w *work) splitRows(ctx context.Context, j Judgement, from, into int64, standing []judged) (rows [][]any, same *judged, err error) {
	gone := map[string]judged{} // what of the entity goes elsewhere already
	for _, b := range standing {
		if b.kind == Split && b.entityID == from {
			gone[cmp.Or(b.dataset, b.recordID)] = b
		}
	}
	repeated := 0
	add := func(part string, dataset, record any) error {
		if b, taken := gone[part]; taken {
			if b.successorID == into {
				repeated++
				same = &b
				return nil
			}
			return &fault.Error{Op: j.op(), Code: fault.Conflict, Err: fmt.Errorf("%s goes to %s by %s", part, b.successor, b.id),
				Hint: "undo that first: xinshu identity undo " + b.id}
		}
		gone[part] = judged{id: "this one", successor: j.Into, successorID: -1}
		rows = append(rows, judgementRow(j, from, into, dataset, record))
		return nil
	}
	for _, d := range j.Datasets {
		if _, known := w.settler.Catalog.Dataset(d); !known {
			return nil, nil, &fault.Error{Op: j.op(), Code: fault.NotFound, Err: fmt.Errorf("there is no dataset %q", d), Hint: "see xinshu catalog list"}
		}
		if err := add(d, d, nil); err != nil {
			return nil, nil, err
		}
	}
	for _, r := range j.Records {
		if err := w.holds(ctx, j, r); err != nil {
			return nil, nil, err
		}
		if err := add(r, nil, r); err != nil {
			return nil, nil, err
		}
	}
	if repeated > 0 && len(rows) == 0 {
		return nil, same, nil
	}
	return rows, nil, nil
}

func judgementRow(j Judgement, from, into int64, dataset, record any) []any {
	return []any{nil, j.Kind, j.From, from, j.Into, into, dataset, record, nil, nil, nil, nil, nil, nil}
}
