package settle

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Statement is what somebody decided about a record: a repair, an objection, a withdrawal.
type Statement struct {
	ID             string // names it for good; sent again with other content it replaces what it said
	Kind           string // repair, objection_open, objection_upheld, objection_rejected, withdrawal, correction, completion, list_exit
	TargetDataset  string // dataset of the record meant; empty: any
	TargetKey      string // its record key, fields joined by |
	TargetRecordID string // the record itself, where it is known
	EffectiveOn    catalog.Date
	SourceTime     time.Time // Shanghai wall time; zero for a withdrawal that holds for every version
	DecidedBy      string
	Evidence       string
	ReceivedOn     catalog.Date
	USCC           string // of the entity meant
	DocNo          string // of the record meant; every record of the entity with this number is meant
	AuthorityUSCC  string // of the authority that made the record; empty: not told
}

// statementKinds are those that scoring knows.
var statementKinds = []string{"repair", "objection_open", "objection_upheld", "objection_rejected", "withdrawal", "correction", "completion", "list_exit", overrideKind}

// checkStatements refuses what could never take effect or would be taken for another statement.
func checkStatements(marks []Statement) error {
	for _, m := range marks {
		var wrong string
		switch {
		case m.ID == "" || strings.Contains(m.ID, "/"):
			wrong = "its id is empty or holds a slash"
		case !slices.Contains(statementKinds, m.Kind):
			wrong = fmt.Sprintf("%q is no kind of mark", m.Kind)
		case m.USCC == "":
			wrong = "it names no entity"
		case m.Kind != overrideKind && m.TargetRecordID == "" && m.DocNo == "" && (m.TargetDataset == "" || m.TargetKey == ""):
			wrong = "it names no record: neither id, nor document number, nor dataset and key"
		case m.EffectiveOn == catalog.NoDate || m.ReceivedOn == catalog.NoDate:
			wrong = "it has no day of effect or of receipt"
		}
		if wrong != "" {
			return fault.Newf(fault.Invalid, fmt.Sprintf("add mark %q", m.ID), "%s", wrong)
		}
	}
	return nil
}

// statementRows are the statements in the order of the columns of stg_case.
func statementRows(marks []Statement) [][]any {
	rows := make([][]any, len(marks))
	for i, m := range marks {
		var at any
		if !m.SourceTime.IsZero() {
			at = m.SourceTime
		}
		key := m.TargetKey
		if key == "" {
			key = strings.Join([]string{m.DocNo, m.AuthorityUSCC, m.USCC}, "|")
		}
		rows[i] = []any{m.ID, m.Kind, text(m.TargetDataset), key, text(m.TargetRecordID), m.EffectiveOn, at, text(m.DecidedBy),
			text(m.Evidence), m.ReceivedOn, m.USCC, text(m.DocNo), text(m.AuthorityUSCC), nil, int64(0), int64(i)}
	}
	return rows
}

// matchIn looks for the records that statements mean among the files of one range.
func (w *work) matchIn(ctx context.Context, paths []string) error {
	if err := w.db.View(ctx, "ranged_record", paths, w.columns("settled_record")); err != nil {
		return err
	}
	if err := w.db.Exec(ctx, `create or replace view act as
		select record_id, uscc, dataset, doc_no, authority_uscc, source_time from ranged_record where known_to is null`); err != nil {
		return err
	}
	// What was said before may find its record among what came now.
	query := strings.ReplaceAll(w.query("mark_match"), "from statement as s", "from every_statement as s")
	if err := w.db.Exec(ctx, `create or replace view every_statement as
		select mark_id, target_dataset, target_key, target_record_id, uscc, doc_no, authority_uscc from statement
		union
		select mark_id, target_dataset, target_key, target_record_id, uscc, doc_no, authority_uscc from old_mark
		where not contains(mark_id, '/') and mark_id not in (select mark_id from statement)`); err != nil {
		return err
	}
	return w.db.Exec(ctx, "insert into match by name\n"+query)
}

// writeMarks finds records for what was said about entities outside the ranges written, and writes
// the table of marks, whole, if anything was said or found.
func (w *work) writeMarks(ctx context.Context) error {
	ranges, err := w.numbers(ctx, `select distinct e.entity_id >> $1 from every_entity as e join statement as s on s.uscc = e.uscc`, RangeBits)
	if err != nil {
		return err
	}
	for _, r := range ranges {
		if w.written[written{Record, r}] {
			continue
		}
		paths, err := w.paths(ctx, Record, r)
		if err != nil {
			return err
		}
		if err := w.matchIn(ctx, paths); err != nil {
			return err
		}
	}
	path := filepath.Join(w.dir, "mark.parquet")
	rows, err := w.db.Copy(ctx, w.query("settled_mark"), path)
	if err != nil {
		return err
	}
	w.result.Marks = rows
	var before int64
	for _, f := range w.head.Table(Mark) {
		before += f.Rows
	}
	if rows == before {
		return nil
	}
	w.marksChanged = true
	return w.put(ctx, Mark, chain.NoRange, path, rows)
}
