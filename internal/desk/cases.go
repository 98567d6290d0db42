package desk

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/cases"
	"xinshu/internal/explain"
	"xinshu/internal/fault"
)

// CaseLine is a case in a list, with its clock.
type CaseLine struct {
	cases.Case
	Clock cases.Clock `json:"clock"`
}

// LateBy is by how many working days the last day has passed.
func (l CaseLine) LateBy() int { return max(-l.Clock.Left, 0) }

// CaseView is a case with everything that who decides it looks at.
type CaseView struct {
	CaseLine
	Events  []cases.Event   `json:"events"`
	Record  *explain.Record `json:"record_now"` // as it stands today; null: no row has brought it yet
	Marks   []explain.Mark  `json:"marks"`      // what was ever said about it
	Results []Corrected     `json:"results"`    // what the decision makes necessary
	Waits   []string        `json:"waits_for"`  // targets that have not answered for what they were sent about the entity
}

// Cases lists cases, the newest first, each with its clock.
func (d *Desk) Cases(ctx context.Context, f cases.Filter) ([]CaseLine, error) {
	if own := auth.From(ctx).Scope.Departments; len(own) > 0 {
		wanted := f.Datasets
		f.Datasets = []string{"-"} // no dataset at all, where the departments own none
		for _, ds := range d.Catalog.Datasets {
			if slices.Contains(own, ds.Owner) && (len(wanted) == 0 || slices.Contains(wanted, ds.ID)) {
				f.Datasets = append(f.Datasets, ds.ID)
			}
		}
	}
	found, err := d.State.Cases(ctx, f)
	if err != nil {
		return nil, err
	}
	lines := make([]CaseLine, len(found))
	for i, c := range found {
		lines[i] = CaseLine{c, cases.ClockOf(c, d.Today(), d.Catalog.Calendars)}
	}
	if err := d.record(ctx, auth.Act{Action: "case.list", Kind: "case", USCC: f.USCC, Detail: map[string]string{"found": strconv.Itoa(len(lines))}}); err != nil {
		return nil, err
	}
	return lines, nil
}

// ByUrgency puts cases in the order in which they run out of time.
func ByUrgency(lines []CaseLine) {
	slices.SortStableFunc(lines, func(a, b CaseLine) int { return cases.Urgency(a.Clock.Due, b.Clock.Due) })
}

// Case gives one case. That the actor looked at the entity's data is written down; the case is what for.
func (d *Desk) Case(ctx context.Context, no string) (CaseView, error) {
	v, err := d.caseView(ctx, no)
	if err != nil {
		return v, err
	}
	return v, d.look(ctx, auth.Act{Action: "case.view", Kind: "case", ID: no, USCC: v.USCC}, purposeOf(v.Kind))
}

// purposeOf is what an entity's data is looked at for in a case.
func purposeOf(kind cases.Kind) string {
	if kind == cases.Repair {
		return "repair"
	}
	return "objection"
}

// caseView is Case for the desk's own use.
func (d *Desk) caseView(ctx context.Context, no string) (CaseView, error) {
	c, events, err := d.State.Case(ctx, no)
	if err != nil {
		return CaseView{}, err
	}
	if err := d.ofDepartment(ctx, "see case "+no, c.Target.Dataset); err != nil {
		return CaseView{}, err
	}
	v := CaseView{CaseLine: CaseLine{c, cases.ClockOf(c, d.Today(), d.Catalog.Calendars)}, Events: events, Marks: []explain.Mark{}, Results: []Corrected{}, Waits: []string{}}
	_, records, err := d.recordsOf(ctx, c.USCC)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return v, err
	}
	means := []string{c.Target.Record}
	all, err := explain.Marks(ctx, d.explainOptions(), explain.OfEntity, c.USCC)
	if err != nil {
		return v, err
	}
	for _, m := range all {
		if cases.CaseOf(m.ID) == no || c.Target.Record != "" && m.Record == c.Target.Record || m.Record == "" && c.Target.DocNo != "" && m.DocNo == c.Target.DocNo {
			v.Marks, means = append(v.Marks, m), append(means, m.Record) // of a mark that waited, its record may have come
		}
	}
	for _, id := range means { // the case's own first: the same act may stand in another platform's report
		if at := slices.IndexFunc(records, func(r explain.Record) bool { return r.ID == id }); at >= 0 {
			v.Record = &records[at]
			break
		}
	}
	if c.State == cases.Upheld || c.State == cases.Closed {
		if v.Results, err = d.corrected(ctx, c); err != nil {
			return v, err
		}
	}
	if c.State == cases.Upheld {
		v.Waits, err = d.unanswered(ctx, c.USCC)
	}
	return v, err
}

// Orphans lists the marks that wait for their record: what sources and cases said about records that
// no row has brought.
func (d *Desk) Orphans(ctx context.Context) ([]explain.Mark, error) {
	if len(auth.From(ctx).Scope.Departments) > 0 {
		return nil, &fault.Error{Op: "list marks without a record", Code: fault.Forbidden, Err: errors.New("they belong to no department yet")}
	}
	return explain.Marks(ctx, d.explainOptions(), explain.Orphans)
}

// recordsOf gives an entity's name and its records as they stand today.
func (d *Desk) recordsOf(ctx context.Context, uscc string) (name string, records []explain.Record, err error) {
	x, err := explain.Open(ctx, d.explainOptions())
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	return x.Records(ctx, uscc, d.Today())
}

func (d *Desk) explainOptions() explain.Options {
	return explain.Options{Lake: d.Lake, SQL: d.SQL, Duck: d.Duck, Platforms: d.Catalog.PlatformDatasets(), Policy: catalog.Policy{Cycle: "dynamic"}}
}

// ofDepartment says whether the actor may see a dataset's data.
func (d *Desk) ofDepartment(ctx context.Context, op, dataset string) error {
	own := auth.From(ctx).Scope.Departments
	if ds, _ := d.Catalog.Dataset(dataset); len(own) == 0 || slices.Contains(own, ds.Owner) && ds.Owner != "" {
		return nil
	}
	return &fault.Error{Op: op, Code: fault.Forbidden, Err: errors.New("the record is another department's"), Hint: "the credit office sees every case"}
}
