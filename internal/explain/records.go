package explain

import (
	"context"
	"database/sql"

	"xinshu/catalog"
	"xinshu/internal/grading"
)

// Record is a credit record of an entity as it stands on a day, whatever a policy makes of it.
type Record struct {
	ID         string        `json:"record"`
	Dataset    string        `json:"dataset"`
	Family     string        `json:"family"`
	Kind       string        `json:"kind"`
	Level      string        `json:"level"`
	DecidedOn  *catalog.Date `json:"decided_on"`
	ValidFrom  *catalog.Date `json:"valid_from"`
	ValidUntil *catalog.Date `json:"valid_until"`
	Status     string        `json:"status"` // in_force, disputed, repaired, withdrawn
	DocNo      string        `json:"doc_no,omitempty"`
	Title      string        `json:"title,omitempty"`
	Authority  string        `json:"authority,omitempty"` // code of who made it
	ReceivedOn *catalog.Date `json:"received_on"`
}

// Records gives every record of a code as known and corrected today, the newest first, and the name of
// the entity. A code that no row ever named is not found.
func (x *Explainer) Records(ctx context.Context, uscc string, today catalog.Date) (name string, records []Record, err error) {
	clocks := grading.Clocks{AsOf: today, CorrectedTo: today, KnownSeq: x.settled.N, MarksSeq: x.settled.N}
	if err := grading.ChangeClocks(ctx, x.db, catalog.Policy{Cycle: "dynamic"}, clocks); err != nil {
		return "", nil, err
	}
	if err := x.load(ctx, uscc); err != nil {
		return "", nil, err
	}
	if err := x.models.Repeat(ctx, x.db); err != nil {
		return "", nil, err
	}
	if err := x.authorities(ctx, uscc); err != nil {
		return "", nil, err
	}
	if err := x.db.One(ctx, "select coalesce(max(name), '') from settled_entity where known_to is null", nil, &name); err != nil {
		return "", nil, err
	}
	rows, err := x.db.Query(ctx, `select r.record_id, r.dataset, r.family, r.kind, r.level, r.decided_on, r.valid_from, r.valid_until, r.status,
		coalesce(r.doc_no, ''), coalesce(r.title, ''), coalesce(a.authority_uscc, ''), r.received_on
		from record as r left join authority as a on a.record_id = r.record_id
		order by r.decided_on desc nulls last, r.record_id`)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	records = []Record{}
	for rows.Next() {
		var (
			r                              Record
			decided, from, until, received sql.NullTime
		)
		if err := rows.Scan(&r.ID, &r.Dataset, &r.Family, &r.Kind, &r.Level, &decided, &from, &until, &r.Status, &r.DocNo, &r.Title, &r.Authority, &received); err != nil {
			return "", nil, err
		}
		r.DecidedOn, r.ValidFrom, r.ValidUntil, r.ReceivedOn = dateOf(decided), dateOf(from), dateOf(until), dateOf(received)
		records = append(records, r)
	}
	return name, records, rows.Err()
}

// authorities reads who made the records, which explaining a grade does without.
func (x *Explainer) authorities(ctx context.Context, uscc string) error {
	id, err := x.find(ctx, uscc)
	if err != nil {
		return err
	}
	told := grading.Settled{Name: "told_authority", Table: "record"}
	if err := x.db.Exec(ctx, "create or replace table told_authority (entity_id bigint, record_id varchar, version integer, authority_uscc varchar)"); err != nil {
		return err
	}
	ids := []int64{id}
	if x.joining {
		others, err := x.parting(ctx, id)
		if err != nil {
			return err
		}
		ids = append(ids, others...)
	}
	if err := x.take(ctx, told, "entity_id, record_id, version, authority_uscc", ids...); err != nil {
		return err
	}
	return x.db.Exec(ctx, "create or replace table authority as select record_id, arg_max(authority_uscc, version) as authority_uscc from told_authority group by record_id")
}
