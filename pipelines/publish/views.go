package publish

import (
	"context"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
)

// scoredColumns is what publishing reads of the table grade in scored/<policy>.
var scoredColumns = []duck.Column{
	{Name: "uscc", Type: "VARCHAR"}, {Name: "name", Type: "VARCHAR"}, {Name: "category", Type: "VARCHAR"},
	{Name: "division", Type: "VARCHAR"}, {Name: "industry", Type: "VARCHAR"}, {Name: "score", Type: "BIGINT"},
	{Name: "grade", Type: "VARCHAR"}, {Name: "rank", Type: "INTEGER"}, {Name: "class", Type: "VARCHAR"}, {Name: "trial", Type: "BOOLEAN"},
}

// releaseColumns is the one-row view release: what is the same for every statement of a release.
var releaseColumns = []duck.Column{
	{Name: "policy", Type: "VARCHAR"}, {Name: "title", Type: "VARCHAR"}, {Name: "evaluation", Type: "VARCHAR"}, {Name: "maker", Type: "VARCHAR"},
	{Name: "wording", Type: "VARCHAR"}, {Name: "seal", Type: "VARCHAR"}, {Name: "as_of", Type: "DATE"}, {Name: "corrected_to", Type: "DATE"},
	{Name: "yearly", Type: "BOOLEAN"}, {Name: "first_version", Type: "BIGINT"},
}

// successorTable names for each code that was merged into another which one, as scoring left it.
const successorTable = "successor"

var successorColumns = []duck.Column{{Name: "uscc", Type: "VARCHAR"}, {Name: "successor", Type: "VARCHAR"}}

var withheldColumns = []duck.Column{{Name: "uscc", Type: "VARCHAR"}}

// views makes the five relations that the models read, of which scored and published are whole at first.
func (p *Publisher) views(ctx context.Context, db *duck.DB, s Scored, head chain.Entry, epoch int64) error {
	scored, err := p.local(ctx, s.Entry.Table(gradeModel))
	if err != nil {
		return err
	}
	published, err := p.local(ctx, head.Table(gradeModel))
	if err != nil {
		return err
	}
	state, err := model(gradeModel)
	if err != nil {
		return err
	}
	if err := db.View(ctx, "every_scored", scored, scoredColumns); err != nil {
		return err
	}
	if err := db.View(ctx, "every_published", published, state.Columns); err != nil {
		return err
	}
	merged, err := p.local(ctx, s.Entry.Table(successorTable))
	if err != nil {
		return err
	}
	if err := db.View(ctx, successorTable, merged, successorColumns); err != nil {
		return err
	}
	if err := cut(ctx, db, 0, 1); err != nil {
		return err
	}
	var withheld [][]any
	for _, uscc := range s.Withheld {
		withheld = append(withheld, []any{uscc})
	}
	if err := db.Table(ctx, "withheld", withheldColumns, withheld); err != nil {
		return err
	}
	return db.Table(ctx, "release", releaseColumns, [][]any{{s.Policy.ID, s.Policy.Title.ZH, s.Policy.Evaluation, s.Policy.Maker.ZH,
		s.Policy.Wording.ZH, s.Seal, s.AsOf, s.CorrectedTo, s.Policy.Cycle == "yearly", firstVersion(epoch)}})
}

func (p *Publisher) local(ctx context.Context, files []chain.File) ([]string, error) {
	paths := make([]string, len(files))
	for i, f := range files {
		path, err := p.Lake.Local(ctx, f)
		if err != nil {
			return nil, err
		}
		paths[i] = path
	}
	return paths, nil
}

// heldBack says why a release must not replace what is published: an old result never replaces a
// newer one, whichever run happens to come last.
func heldBack(ctx context.Context, db *duck.DB) (string, error) {
	var asOf, correctedTo time.Time
	var older bool
	err := db.One(ctx, `
		select
			coalesce(max(p.as_of), date '1970-01-01'),
			coalesce(max(p.corrected_to) filter (where p.as_of = newest.as_of), date '1970-01-01'),
			coalesce(max(r.as_of) < max(p.as_of)
				or (max(r.as_of) = max(p.as_of) and max(r.corrected_to) < max(p.corrected_to) filter (where p.as_of = newest.as_of)), false)
		from release as r
		left join published as p on true
		left join (select max(as_of) as as_of from published) as newest on true`, nil, &asOf, &correctedTo, &older)
	if err != nil || !older {
		return "", err
	}
	const day = "2006-01-02"
	return chain.Notef("the result of %s, corrected to %s, is already published", asOf.Format(day), correctedTo.Format(day)), nil
}
