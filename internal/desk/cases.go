package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/cases"
	"xinshu/internal/explain"
	"xinshu/internal/fault"
	"xinshu/pipelines/settle"
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

// office is where cases are worked on. Its marks go through the pipeline, as runs.
func (d *Desk) office() *cases.Office {
	return &cases.Office{Catalog: d.Catalog, Rows: d.State, Lake: markLake{d}, Now: d.Now, Review: d.Review}
}

type markLake struct{ *Desk }

// State puts a case's mark into the lake. A record that is known is named by its id, and by document
// number and authority too, so that the same act reported by another source is meant as well.
func (l markLake) State(ctx context.Context, m cases.Mark) error {
	s := settle.Statement{ID: m.ID, Kind: m.Kind, USCC: m.USCC, TargetDataset: m.Target.Dataset, TargetKey: m.Target.Key, TargetRecordID: m.Target.Record,
		DocNo: m.Target.DocNo, AuthorityUSCC: m.Target.Authority, EffectiveOn: m.EffectiveOn, DecidedBy: m.DecidedBy, Evidence: m.Evidence, ReceivedOn: l.Today()}
	if s.DocNo != "" && s.AuthorityUSCC != "" {
		s.TargetDataset = ""
	}
	_, err := l.Pipeline.Mark(ctx, cases.CaseOf(m.ID), s)
	return err
}

// OpenCase registers an application and, where accept says so, takes it up at once.
func (d *Desk) OpenCase(ctx context.Context, c cases.Case, accept bool) (CaseView, error) {
	if v := d.Catalog.CheckUSCC(c.USCC); v.Valid {
		c.USCC = v.Normalized
	}
	if err := d.contested(ctx, &c); err != nil {
		return CaseView{}, err
	}
	if err := d.ofDepartment(ctx, "open a case", c.Target.Dataset); err != nil {
		return CaseView{}, err
	}
	if accept {
		if err := auth.Require(ctx, auth.CasesDecide); err != nil {
			return CaseView{}, err
		}
	}
	by := decider(ctx)
	act := auth.Act{Action: "case.open", Kind: "case", USCC: c.USCC, Detail: map[string]string{"kind": string(c.Kind), "record": cmp.Or(c.Target.Record, c.Target.DocNo, c.Target.Key)}}
	err := d.noted(ctx, act, func() (err error) {
		if c, err = d.office().Open(ctx, c, by); err == nil && accept {
			c, err = d.office().Accept(ctx, c.No, by)
		}
		return err
	})
	if err != nil {
		return CaseView{}, err
	}
	return d.caseView(ctx, c.No)
}

// Contestable lists the records of an entity that an application may be about, and its name, for the
// form in which one is chosen.
func (d *Desk) Contestable(ctx context.Context, uscc string, kind cases.Kind) (name string, records []explain.Record, err error) {
	code, err := d.CheckCode(uscc)
	if err != nil {
		return "", nil, err
	}
	if err := d.look(ctx, auth.Act{Action: "case.records", Kind: "entity", ID: code, USCC: code}, purposeOf(kind)); err != nil {
		return "", nil, err
	}
	name, records, err = d.recordsOf(ctx, code)
	if own := auth.From(ctx).Scope; len(own.Departments) > 0 {
		records = slices.DeleteFunc(records, func(r explain.Record) bool {
			ds, _ := d.Catalog.Dataset(r.Dataset)
			return !own.HasDepartment(ds.Owner)
		})
	}
	return name, records, err
}

// contested completes what an application says about its record by what the lake knows. An objection
// is against a record that is there; a repair may be told before its record, and a completion is about
// one that is missing.
func (d *Desk) contested(ctx context.Context, c *cases.Case) error {
	c.Target.DecidedOn = cmp.Or(c.Target.DecidedOn, catalog.NoDate)
	name, records, err := d.recordsOf(ctx, c.USCC)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	c.Name = cmp.Or(name, c.Name)
	var meant []explain.Record
	for _, r := range records {
		t := c.Target
		if t.Record != "" && r.ID == t.Record || t.Record == "" && t.DocNo != "" && r.DocNo == t.DocNo && (t.Dataset == "" || r.Dataset == t.Dataset) {
			meant = append(meant, r)
		}
	}
	if len(meant) == 0 {
		if c.Target.Record != "" || c.Kind == cases.Objection && c.Target.Key == "" {
			return &fault.Error{Op: "open a case", Code: fault.NotFound, Err: fmt.Errorf("no record of %s is meant by %q", c.USCC, cmp.Or(c.Target.Record, c.Target.DocNo)),
				Hint: "xinshu explain --json and the entity's page name its records; data that are missing are a completion"}
		}
		return nil
	}
	r := meant[0] // the same act reported twice: a department's row stands first in rank, the mark means both
	for _, other := range meant[1:] {
		if other.Authority != r.Authority || other.Kind != r.Kind {
			return &fault.Error{Op: "open a case", Code: fault.Invalid, Err: fmt.Errorf("%q means several records", c.Target.DocNo), Hint: "name the record by its id: " + r.ID + ", " + other.ID}
		}
		if other.Status == "in_force" && r.Status != "in_force" {
			r = other
		}
	}
	c.Target = cases.Target{Record: r.ID, Dataset: r.Dataset, Key: c.Target.Key, DocNo: r.DocNo, Authority: r.Authority, Kind: r.Kind, Level: r.Level, DecidedOn: catalog.NoDate}
	if r.DecidedOn != nil {
		c.Target.DecidedOn = *r.DecidedOn
	}
	return nil
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

// CaseStep is what somebody does with a case.
type CaseStep struct {
	Do       string         // accept, refuse, ask, supply, decide, confirm, return, withdraw, close
	Reason   string         // of refuse, ask, supply, return, withdraw
	Evidence []cases.Item   // of supply
	Decision cases.Decision // of decide
	Queue    bool           // queue what a decision makes necessary
}

// WorkCase does one step and gives the case afterwards.
func (d *Desk) WorkCase(ctx context.Context, no string, s CaseStep) (CaseView, error) {
	right := auth.CasesDecide
	if s.Do == "supply" || s.Do == "withdraw" { // what the side of the applicant does
		right = auth.CasesOpen
	}
	if err := auth.Require(ctx, right); err != nil {
		return CaseView{}, err
	}
	before, err := d.caseView(ctx, no)
	if err != nil {
		return before, err
	}
	act := auth.Act{Action: "case." + s.Do, Kind: "case", ID: no, USCC: before.USCC, Detail: map[string]string{"reason": cmp.Or(s.Reason, s.Decision.Reason)}}
	err = d.noted(ctx, act, func() error {
		if _, err := d.CatchCases(ctx, no); err != nil {
			return err
		}
		return d.stepCase(ctx, before, s)
	})
	if err != nil {
		return before, err
	}
	after, err := d.caseView(ctx, no)
	if err == nil && s.Queue && after.State == cases.Upheld && before.State != cases.Upheld {
		err = d.QueueCorrections(ctx, no)
	}
	return after, err
}

func (d *Desk) stepCase(ctx context.Context, v CaseView, s CaseStep) (err error) {
	o, by, no := d.office(), decider(ctx), v.No
	switch s.Do {
	case "accept":
		_, err = o.Accept(ctx, no, by)
	case "refuse":
		_, err = o.Refuse(ctx, no, by, s.Reason)
	case "ask":
		_, err = o.Ask(ctx, no, by, s.Reason)
	case "supply":
		_, err = o.Supply(ctx, no, by, s.Evidence, s.Reason)
	case "decide":
		_, err = o.Decide(ctx, no, by, s.Decision)
	case "confirm":
		_, err = o.Confirm(ctx, no, by)
	case "return":
		_, err = o.Return(ctx, no, by, s.Reason)
	case "withdraw":
		_, err = o.Withdraw(ctx, no, by, s.Reason)
	case "close":
		if err = d.answered(v); err == nil {
			_, err = o.Close(ctx, no, by)
		}
	default:
		err = fault.Newf(fault.Invalid, "work on case "+no, "%q is no step", s.Do)
	}
	return err
}

// answered refuses to close a case that somebody still holds an old result of (Jiangyin, three (six)).
func (d *Desk) answered(v CaseView) error {
	for _, r := range v.Results {
		if !r.Done {
			return &fault.Error{Op: "close case " + v.No, Code: fault.Conflict, Err: fmt.Errorf("the result of %s as of %s is not corrected yet", r.Policy, r.AsOf), Hint: "run " + r.Command()}
		}
	}
	if len(v.Waits) > 0 {
		return &fault.Error{Op: "close case " + v.No, Code: fault.Conflict, Err: fmt.Errorf("%v have not answered for what they were sent", v.Waits), Hint: "push again, or look at the deliveries"}
	}
	return nil
}

// CatchCases brings cases up to the marks in the lake; one case, or all where none is named.
func (d *Desk) CatchCases(ctx context.Context, no string) (int, error) {
	marks, err := d.caseMarks(ctx, no)
	if err != nil {
		return 0, err
	}
	said := make([]cases.Said, 0, len(marks))
	for _, m := range slices.Backward(marks) { // as they were said
		if m.EffectiveOn == nil || m.ReceivedOn == nil {
			continue
		}
		said = append(said, cases.Said{ReceivedOn: *m.ReceivedOn, Mark: cases.Mark{ID: m.ID, Kind: m.Kind, USCC: m.USCC, EffectiveOn: *m.EffectiveOn,
			DecidedBy: m.DecidedBy, Evidence: m.Evidence, Target: cases.Target{Record: m.Record, Dataset: m.Dataset, Key: m.Key, DocNo: m.DocNo, Authority: m.Authority, DecidedOn: catalog.NoDate}}})
	}
	return d.office().Catch(ctx, said)
}

// caseMarks gives what one case said in the lake, or what all of them did.
func (d *Desk) caseMarks(ctx context.Context, no string) ([]explain.Mark, error) {
	if no == "" {
		return explain.Marks(ctx, d.explainOptions(), explain.ByCases)
	}
	return explain.Marks(ctx, d.explainOptions(), explain.OfCase, no)
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
