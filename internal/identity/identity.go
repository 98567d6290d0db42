// Package identity owns the answer to "who is who": which judgements about codes stand, which numbers
// from before 2015 wait for a registration to name them, and which are claimed by several entities. It
// refuses to judge: a judgement is made by settling and kept in the lake. It reads settled files by
// the same model that scoring does; its listing goes to the steward.
package identity

import (
	"context"
	"io/fs"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/grading"
)

// Lake is the part of the lake that listing needs.
type Lake interface {
	Head(ctx context.Context, chainName string) (chain.Entry, error)
	Local(ctx context.Context, f chain.File) (string, error)
}

// Lister lists from one lake. Its fields are set once, before use.
type Lister struct {
	Lake Lake
	SQL  fs.FS
	Duck duck.Options
}

// Listing is what the steward sees.
type Listing struct {
	Judgements []Judgement `json:"judgements"` // in the order in which they were made
	Numbers    []Number    `json:"numbers"`    // those whose records are counted for nobody
	Joined     int64       `json:"joined"`     // numbers whose records are counted for an entity
}

// Judgement is one decision and whether it stands.
type Judgement struct {
	ID          string       `json:"id"`
	Kind        string       `json:"kind"` // merge, split, undo
	From        string       `json:"from"`
	Into        string       `json:"into,omitempty"`
	Datasets    []string     `json:"datasets,omitempty"`
	Records     []string     `json:"records,omitempty"`
	Undoes      string       `json:"undoes,omitempty"`
	EffectiveOn catalog.Date `json:"effective_on"`
	By          string       `json:"by"`
	Reason      string       `json:"reason"`
	Evidence    string       `json:"evidence,omitempty"`
	State       string       `json:"state"` // stands, undone
	UndoneBy    string       `json:"undone_by,omitempty"`
}

// The states of a number whose records are counted for nobody.
const (
	Waiting   = "waiting"   // no registration names it yet
	Ambiguous = "ambiguous" // several entities claim it
)

// Number is a registration number or organisation code under which rows came, with what came under it.
type Number struct {
	Number  string   `json:"number"`
	State   string   `json:"state"`
	Claims  []string `json:"claims"` // codes that claim it, in order
	Records int64    `json:"records"`
	Marks   int64    `json:"marks"` // statements about it
	Held    []Held   `json:"held"`
}

// Held is what one dataset sent under a number.
type Held struct {
	Dataset string       `json:"dataset"`
	Records int64        `json:"records"`
	Since   catalog.Date `json:"since"` // day the first was received
}

// List lists as of a day, from the newest settled snapshot.
func (l *Lister) List(ctx context.Context, today catalog.Date) (listing Listing, err error) {
	listing = Listing{Judgements: []Judgement{}, Numbers: []Number{}}
	settled, err := l.Lake.Head(ctx, chain.Settled)
	if err != nil || settled.N == 0 {
		return listing, err
	}
	db, err := duck.Open(l.Duck)
	if err != nil {
		return listing, err
	}
	defer func() { _ = db.Close() }() // in memory
	if err := l.prepare(ctx, db, settled, today); err != nil {
		return listing, err
	}
	if listing.Judgements, err = judgements(ctx, db); err != nil {
		return listing, err
	}
	if err := db.One(ctx, "select count(*) from settled_alias where kind = 'seen' and number in (select code from identity)", nil, &listing.Joined); err != nil {
		return listing, err
	}
	listing.Numbers, err = numbers(ctx, db)
	return listing, err
}

// prepare makes the settled relations and works out who is known under what.
func (l *Lister) prepare(ctx context.Context, db *duck.DB, settled chain.Entry, today catalog.Date) error {
	models, err := grading.Load(l.SQL)
	if err != nil {
		return err
	}
	for _, text := range models.Macros {
		if err := db.Exec(ctx, text); err != nil {
			return err
		}
	}
	for _, r := range append([]grading.Settled{{Name: "settled_record", Table: "record", Columns: grading.RecordColumns}}, grading.Small...) {
		var paths []string
		for _, f := range settled.Table(r.Table) {
			path, err := l.Lake.Local(ctx, f)
			if err != nil {
				return err
			}
			paths = append(paths, path)
		}
		if err := db.View(ctx, r.Name, paths, r.Columns); err != nil {
			return err
		}
	}
	if err := db.Table(ctx, "run", grading.RunColumns, [][]any{{today, today, settled.N, settled.N, nil, nil}}); err != nil {
		return err
	}
	return models.Joined(ctx, db)
}

func date(t time.Time) catalog.Date { return catalog.DateOf(t) }
