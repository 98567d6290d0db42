// Package missing owns the question what departments should have sent and did not (应归尽归): acts that
// a platform shows, and codes that records name and no registration does. It refuses to chase anybody
// and to invent a record. It reads the settled tables through DuckDB; the lists go to the command and
// the steward's screen.
package missing

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
)

// Lake is the part of the lake that is read here.
type Lake interface {
	Head(ctx context.Context, chainName string) (chain.Entry, error)
	Local(ctx context.Context, f chain.File) (string, error)
}

// Act is one that its department has not sent.
type Act struct {
	Department string        `json:"department"` // empty: no department ever sent an act of this authority
	Dataset    string        `json:"dataset"`    // that should hold it; empty as above
	ShownBy    string        `json:"shown_by"`   // dataset of the platform that shows it
	Record     string        `json:"record"`
	USCC       string        `json:"uscc"`
	Kind       string        `json:"kind"`
	DocNo      string        `json:"doc_no"`
	Authority  string        `json:"authority_uscc"`
	DecidedOn  catalog.Date  `json:"decided_on"`
	ReceivedOn catalog.Date  `json:"received_on"` // day on which the platform showed it
	DueOn      *catalog.Date `json:"due_on"`      // last working day of the supplier's duty; null: no duty, or no calendar of that year
}

// Entity is one that no registration dataset has sent.
type Entity struct {
	USCC       string       `json:"uscc"`
	Name       string       `json:"name"`
	ShownBy    string       `json:"shown_by"` // dataset that named it first
	ReceivedOn catalog.Date `json:"received_on"`
	Records    int64        `json:"records"`
}

// Lists are what is missing as of a day.
type Lists struct {
	Acts     []Act    `json:"acts"`     // whose duty has run out, or that have none; by department, day and record
	Early    int      `json:"early"`    // acts not listed because the department still has time
	Entities []Entity `json:"entities"` // by code
}

// Finder finds what is missing.
type Finder struct {
	Lake    Lake
	SQL     fs.FS
	Duck    duck.Options
	Catalog *catalog.Catalog
}

// Find reads the newest settled snapshot. An act counts as missing when the working days of the
// owner's duty, from the day of the act, have passed on today.
func (f *Finder) Find(ctx context.Context, today catalog.Date) (lists Lists, err error) {
	const op = "list what is missing"
	lists = Lists{Acts: []Act{}, Entities: []Entity{}}
	head, err := f.Lake.Head(ctx, chain.Settled)
	if err != nil || head.N == 0 {
		return lists, err
	}
	db, err := duck.Open(f.Duck)
	if err != nil {
		return lists, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for name, table := range map[string]struct {
		of      string
		columns []duck.Column
	}{"settled_record": {"record", grading.RecordColumns}, "settled_entity": {"entity", grading.EntityColumns}} {
		var paths []string
		for _, file := range head.Table(table.of) {
			path, err := f.Lake.Local(ctx, file)
			if err != nil {
				return lists, err
			}
			paths = append(paths, path)
		}
		if err := db.View(ctx, name, paths, table.columns); err != nil {
			return lists, &fault.Error{Op: op, Code: fault.Internal, Err: err}
		}
	}
	if err := f.owners(ctx, db); err != nil {
		return lists, err
	}
	if err := f.acts(ctx, db, today, &lists); err != nil {
		return lists, &fault.Error{Op: op, Code: fault.Internal, Err: err}
	}
	if err := f.entities(ctx, db, &lists); err != nil {
		return lists, &fault.Error{Op: op, Code: fault.Internal, Err: err}
	}
	return lists, nil
}

// Owners tells the model which datasets come from a platform.
var Owners = []duck.Column{{Name: "dataset", Type: "VARCHAR"}, {Name: "from_platform", Type: "BOOLEAN"}}

func (f *Finder) owners(ctx context.Context, db *duck.DB) error {
	var rows [][]any
	for _, ds := range f.Catalog.Datasets {
		_, platform := f.Catalog.Platform(ds.Owner)
		rows = append(rows, []any{ds.ID, platform})
	}
	return db.Table(ctx, "dataset_owner", Owners, rows)
}

// Models are the lists as models, by name.
func Models(files fs.FS) (map[string]duck.Model, error) {
	models := map[string]duck.Model{}
	names, err := fs.Glob(files, "lists/*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		m, err := duck.ParseModel(name, string(text))
		if err != nil {
			return nil, err
		}
		models[m.Name] = m
	}
	return models, nil
}

func (f *Finder) acts(ctx context.Context, db *duck.DB, today catalog.Date, lists *Lists) error {
	rows, err := f.query(ctx, db, "missing_act", `select record_id, uscc, shown_by, coalesce(dataset, ''), kind, doc_no, authority_uscc, decided_on, received_on
		from (%s) order by decided_on, record_id`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	for rows.Next() {
		var a Act
		var decided, received time.Time
		if err := rows.Scan(&a.Record, &a.USCC, &a.ShownBy, &a.Dataset, &a.Kind, &a.DocNo, &a.Authority, &decided, &received); err != nil {
			return err
		}
		a.DecidedOn, a.ReceivedOn = catalog.DateOf(decided), catalog.DateOf(received)
		if ds, ok := f.Catalog.Dataset(a.Dataset); ok {
			a.Department = ds.Owner
			if due, err := f.Catalog.Calendars.AddWorkdays(a.DecidedOn, ds.Duty.WorkingDays); err == nil && ds.Duty.WorkingDays > 0 {
				a.DueOn = &due
			}
		}
		if a.DueOn != nil && *a.DueOn >= today {
			lists.Early++
			continue
		}
		lists.Acts = append(lists.Acts, a)
	}
	slices.SortStableFunc(lists.Acts, func(a, b Act) int { return cmp.Compare(a.Department, b.Department) })
	return rows.Err()
}

func (f *Finder) entities(ctx context.Context, db *duck.DB, lists *Lists) error {
	rows, err := f.query(ctx, db, "unregistered_entity", "select uscc, coalesce(name, ''), shown_by, received_on, records from (%s) order by uscc")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // see above
	for rows.Next() {
		var e Entity
		var received time.Time
		if err := rows.Scan(&e.USCC, &e.Name, &e.ShownBy, &received, &e.Records); err != nil {
			return err
		}
		e.ReceivedOn = catalog.DateOf(received)
		lists.Entities = append(lists.Entities, e)
	}
	return rows.Err()
}

func (f *Finder) query(ctx context.Context, db *duck.DB, model, around string) (*sql.Rows, error) {
	models, err := Models(f.SQL)
	if err != nil {
		return nil, err
	}
	m, ok := models[model]
	if !ok {
		return nil, fmt.Errorf("there is no list %s", model)
	}
	return db.Query(ctx, fmt.Sprintf(around, m.Query))
}
