package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/guideline"
	"xinshu/internal/release"
)

// ReleaseView is a proposal with what it changes.
type ReleaseView struct {
	release.Proposal
	Changes []catalog.Change `json:"changes"` // of a contract, in words; ! breaks
	Lines   []release.Line   `json:"lines"`   // of the text, with some lines around
	Stale   bool             `json:"stale"`   // the file changed since it was proposed
}

// releases is where proposals are taken and answered.
func (d *Desk) releases() *release.Office {
	return &release.Office{Files: d.Files, Rows: d.State, Now: d.Now}
}

// may says why the actor may not propose or answer for a part of the catalogue.
func may(ctx context.Context, part release.Part, approve bool) error {
	right := map[release.Part]map[bool]auth.Right{
		release.Contract: {false: auth.CataloguePropose, true: auth.CatalogueApprove},
		release.Policy:   {false: auth.PoliciesPropose, true: auth.PoliciesApprove},
	}[part][approve]
	return auth.Require(ctx, right)
}

// partOf says of which part a file is.
func partOf(file string) release.Part {
	if path.Dir(file) == "policies" {
		return release.Policy
	}
	return release.Contract
}

// ProposeRelease stores the next text of a contract or a policy, in force from a day (NoDate: today) once
// somebody else approves it. A part that is named must be the file's.
func (d *Desk) ProposeRelease(ctx context.Context, part release.Part, file string, text []byte, note string, from catalog.Date) (v ReleaseView, err error) {
	if part != "" && part != partOf(file) {
		return v, &fault.Error{Op: "propose " + file, Code: fault.Invalid, Err: fmt.Errorf("%q is not a file of this part of the catalogue", file), Hint: "a contract's is datasets/<owner>/<name>.yaml, a policy's policies/<id>.yaml"}
	}
	if err := may(ctx, partOf(file), false); err != nil {
		return v, err
	}
	var p release.Proposal
	err = d.noted(ctx, auth.Act{Action: "release.propose", Kind: string(partOf(file)), ID: file, Detail: map[string]string{"note": note}}, func() (err error) {
		p, err = d.releases().Propose(ctx, file, text, decider(ctx), note, from)
		return err
	})
	if err != nil {
		return v, err
	}
	return d.Release(ctx, p.ID)
}

// Own says that a proposal is the actor's own.
func (d *Desk) Own(ctx context.Context, p release.Proposal) bool { return p.By == decider(ctx) }

// AnswerRelease approves, refuses or withdraws a proposal. A part that is named must be the proposal's.
func (d *Desk) AnswerRelease(ctx context.Context, part release.Part, id string, answer release.State, reason string) (v ReleaseView, err error) {
	p, err := d.State.Proposal(ctx, id)
	if err != nil {
		return v, err
	}
	if part != "" && part != p.Part {
		return v, fault.Newf(fault.NotFound, "answer "+id, "it is about %s %s", p.Part, p.Subject)
	}
	if err := may(ctx, p.Part, answer != release.Withdrawn); err != nil {
		return v, err
	}
	err = d.noted(ctx, auth.Act{Action: "release." + string(answer), Kind: string(p.Part), ID: id, Detail: map[string]string{"subject": p.Subject, "reason": reason}}, func() error {
		_, err := d.releases().Answer(ctx, id, answer, decider(ctx), reason)
		return err
	})
	if err != nil {
		return v, err
	}
	return d.Release(ctx, id)
}

// Releases gives proposals, the newest first, without their texts.
func (d *Desk) Releases(ctx context.Context, f release.Filter) ([]release.Proposal, error) {
	all, err := d.State.Proposals(ctx, f)
	for i := range all {
		all[i].Text = ""
	}
	return all, err
}

// Release gives one proposal with what it changes: of an open one against what would be in force
// without it, of one that was answered against the text it was approved over, where that is known.
func (d *Desk) Release(ctx context.Context, id string) (v ReleaseView, err error) {
	if v.Proposal, err = d.State.Proposal(ctx, id); err != nil {
		return v, err
	}
	files, before, err := d.before(ctx, v.Proposal)
	if err != nil {
		return v, err
	}
	v.Lines, v.Changes = release.Compare(string(before), v.Text, 3), []catalog.Change{}
	v.Stale = v.State == release.Proposed && v.Base != release.Sum(before)
	if v.Part == release.Contract {
		was, _ := catalog.Load(files)
		next, _ := catalog.Load(catalog.Layer(catalog.Texts{v.File: []byte(v.Text)}, files))
		old, had := was.Dataset(v.Subject)
		ds, has := next.Dataset(v.Subject)
		switch {
		case had && has:
			v.Changes = catalog.Diff(old, ds)
		case has:
			v.Changes = []catalog.Change{{What: "dataset", Name: ds.ID, New: ds.Title.ZH}}
		}
	}
	return v, nil
}

// before is the catalogue, and the text of the file, that a proposal is held against: without itself
// and what was approved after it.
func (d *Desk) before(ctx context.Context, p release.Proposal) (fs.FS, []byte, error) {
	approved, err := d.State.Proposals(ctx, release.Filter{State: release.Approved, Most: 10_000})
	if err != nil {
		return nil, nil, err
	}
	texts := catalog.Texts{}
	for _, a := range slices.Backward(approved) { // the oldest first
		if a.ID != p.ID && (p.State == release.Proposed || a.AnsweredAt.Before(p.AnsweredAt)) {
			texts[a.File] = []byte(a.Text)
		}
	}
	files := catalog.Layer(texts, d.Files)
	text, err := fs.ReadFile(files, p.File)
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil, nil
	}
	return files, text, err
}

// CatalogueText gives the text of a contract or a policy as it is in force or approved: what a next one
// is written over.
func (d *Desk) CatalogueText(ctx context.Context, part release.Part, subject string) (file string, text []byte, err error) {
	if part == release.Policy {
		p, ok := d.Catalog.Policy(subject)
		if file = p.File; !ok {
			return "", nil, notThere("policy", subject)
		}
	} else {
		ds, ok := d.Catalog.Dataset(subject)
		if file = ds.File; !ok {
			return "", nil, notThere("dataset", subject)
		}
	}
	_, text, err = d.before(ctx, release.Proposal{State: release.Proposed, File: file})
	return file, text, err
}

func notThere(what, id string) error {
	return &fault.Error{Op: "choose the " + what, Code: fault.NotFound, Err: fmt.Errorf("there is no %s %q", what, id), Hint: "see xinshu catalog list"}
}

// ExportODCS gives a contract in the form of the Open Data Contract Standard.
func (d *Desk) ExportODCS(dataset string) ([]byte, error) {
	ds, ok := d.Catalog.Dataset(dataset)
	if !ok {
		return nil, notThere("dataset", dataset)
	}
	return ds.ODCS()
}

// XLSX is the form of a workbook.
const XLSX = "xlsx"

// Guideline gives the whole catalogue as the government guideline's table, as XLSX or CSV.
func (d *Desk) Guideline(form string) ([]byte, error) {
	write := guideline.XLSX
	if form == CSV {
		write = guideline.CSV
	}
	var b bytes.Buffer
	err := write(&b, guideline.Rows(d.Catalog, d.Catalog.Datasets))
	return b.Bytes(), err
}

// ImportODCS reads a contract in that form and gives it as a file of the catalogue, which a proposal
// can take. The notes say what was left out.
func (d *Desk) ImportODCS(name string, body []byte) (file string, text []byte, notes []string, err error) {
	if len(body) > release.Most {
		return "", nil, nil, fault.Newf(fault.Invalid, "read "+name, "the contract is larger than %d bytes", release.Most)
	}
	file, text, notes, faults := d.Catalog.FromODCS(name, body)
	if len(faults) == 0 {
		var laid *catalog.Catalog
		laid, faults = catalog.Load(catalog.Layer(catalog.Texts{file: text}, d.Files))
		faults = slices.DeleteFunc(faults, func(f catalog.Fault) bool { return f.File != file })
		if len(faults) == 0 && laid == nil {
			faults = []catalog.Fault{{File: file, Message: "it does not load"}}
		}
	}
	if len(faults) > 0 {
		errs := make([]error, len(faults))
		for i, f := range faults {
			errs[i] = f
		}
		return "", nil, nil, &fault.Error{Op: "read " + name, Code: fault.Invalid, Err: errors.Join(errs...), Hint: "mend the lines named; those of a file of the catalogue are of the contract as it would be written"}
	}
	return file, text, notes, nil
}
