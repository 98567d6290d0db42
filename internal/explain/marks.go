package explain

import (
	"context"
	"database/sql"
	"errors"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/grading"
)

// Mark is a statement about a record as the lake holds it: of each statement its newest word.
type Mark struct {
	ID          string        `json:"mark"`
	Kind        string        `json:"kind"`
	USCC        string        `json:"uscc"`
	Dataset     string        `json:"dataset,omitempty"`
	Key         string        `json:"key,omitempty"`
	Record      string        `json:"record,omitempty"` // empty: it waits for its record
	EffectiveOn *catalog.Date `json:"effective_on"`     // null: without effect
	DecidedBy   string        `json:"decided_by,omitempty"`
	Evidence    string        `json:"evidence,omitempty"`
	DocNo       string        `json:"doc_no,omitempty"`
	Authority   string        `json:"authority,omitempty"`
	ReceivedOn  *catalog.Date `json:"received_on"`
	KnownFrom   int64         `json:"known_from"`
}

// Which marks are asked for; the conditions are on the newest word of each.
const (
	Orphans  = "target_record_id is null and effective_on is not null and kind not in ('steward_override', 'merge', 'split')" // those that wait for their record
	OfEntity = "uscc = $1"
	OfCase   = "starts_with(mark_id, 'case-' || $1 || '_')"
	ByCases  = "starts_with(mark_id, 'case-')" // stated by the hub's own cases
)

// Marks gives the marks of the newest settled snapshot that a condition chooses, the newest first.
func Marks(ctx context.Context, o Options, which string, args ...any) (marks []Mark, err error) {
	head, err := o.Lake.Head(ctx, chain.Settled)
	if err != nil {
		return nil, err
	}
	marks = []Mark{}
	files := head.Table("mark")
	if len(files) == 0 {
		return marks, nil
	}
	paths := make([]string, len(files))
	for i, f := range files {
		if paths[i], err = o.Lake.Local(ctx, f); err != nil {
			return nil, err
		}
	}
	o.Duck.Threads = 1
	db, err := duck.Open(o.Duck)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.View(ctx, "settled_mark", paths, grading.MarkColumns); err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, `select mark_id, kind, coalesce(uscc, ''), coalesce(target_dataset, ''), coalesce(target_key, ''), coalesce(target_record_id, ''),
		effective_on, coalesce(decided_by, ''), coalesce(evidence, ''), coalesce(doc_no, ''), coalesce(authority_uscc, ''), received_on, known_from
		from (select * from settled_mark qualify row_number() over (partition by mark_id order by known_from desc) = 1)
		where `+which+` order by known_from desc, mark_id`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	for rows.Next() {
		var (
			m                   Mark
			effective, received sql.NullTime
		)
		if err := rows.Scan(&m.ID, &m.Kind, &m.USCC, &m.Dataset, &m.Key, &m.Record, &effective, &m.DecidedBy, &m.Evidence, &m.DocNo, &m.Authority, &received, &m.KnownFrom); err != nil {
			return nil, err
		}
		m.EffectiveOn, m.ReceivedOn = dateOf(effective), dateOf(received)
		marks = append(marks, m)
	}
	return marks, rows.Err()
}
