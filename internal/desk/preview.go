package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/release"
	"xinshu/pipelines"
	"xinshu/pipelines/score"
)

// PolicyPreview is how everybody would move from one policy to another on the same day and from the
// same records. Nothing is published by it.
type PolicyPreview struct {
	From       PreviewSide    `json:"from"`
	To         PreviewSide    `json:"to"`
	AsOf       catalog.Date   `json:"as_of"`
	KnownSeq   int64          `json:"known_seq"`
	Entities   int64          `json:"entities"`   // graded by either
	Compared   string         `json:"compared"`   // grade, class, or empty: the two have no common order
	Rises      int64          `json:"rises"`      // better under the second
	Falls      int64          `json:"falls"`      // worse
	Same       int64          `json:"same"`       // neither
	Entered    int64          `json:"entered"`    // graded by the second alone
	Left       int64          `json:"left"`       // graded by the first alone
	Matrix     [][]int64      `json:"matrix"`     // rows: grades of the first, then not graded; columns: of the second, then not graded
	Areas      []PreviewPart  `json:"areas"`      // by division code, the most moved first
	Industries []PreviewPart  `json:"industries"` // by section of the industry code
	Movers     []PreviewMover `json:"movers"`     // those that move most
}

// PreviewSide is one of the two policies.
type PreviewSide struct {
	Policy string       `json:"policy"`
	Title  catalog.Text `json:"title"`
	SHA256 string       `json:"sha256"`
	Trial  bool         `json:"trial"`
	Grades []string     `json:"grades"` // best first
}

// PreviewPart is what happens in one area or industry.
type PreviewPart struct {
	Code     string `json:"code"`
	Entities int64  `json:"entities"`
	Rises    int64  `json:"rises"`
	Falls    int64  `json:"falls"`
}

// PreviewMover is an entity that moves.
type PreviewMover struct {
	USCC      string         `json:"uscc"`
	Name      string         `json:"name"`
	FromGrade string         `json:"from_grade"`
	ToGrade   string         `json:"to_grade"`
	FromScore catalog.Points `json:"from_score"`
	ToScore   catalog.Points `json:"to_score"`
	Places    int64          `json:"places"` // grades or classes up; negative: down
}

// mostMovers bounds the list of movers, and mostParts those of areas and industries.
const (
	mostMovers = 200
	mostParts  = 200
)

// PreviewPolicies grades everybody under two policies and tells who would move. Without a day it is the
// last cut-off of the first.
func (d *Desk) PreviewPolicies(ctx context.Context, a, b catalog.Policy, asOf catalog.Date, movers int) (p PolicyPreview, err error) {
	if asOf == catalog.NoDate {
		asOf = pipelines.LastCutOff(a, d.Today())
	}
	if asOf > d.Today() {
		return p, &fault.Error{Op: "preview", Code: fault.Invalid, Err: fmt.Errorf("%s has not come yet", asOf), Hint: "choose today or a day before"}
	}
	if !d.previews.TryLock() {
		return p, &fault.Error{Op: "preview", Code: fault.Unavailable, Err: errors.New("another preview is being made"), Hint: "wait until it is done"}
	}
	defer d.previews.Unlock()
	dir, err := os.MkdirTemp(d.Lake.TempDir(), "preview-")
	if err != nil {
		return p, fault.Newf(fault.Internal, "make a folder for the preview", "%w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p = PolicyPreview{From: side(a, asOf), To: side(b, asOf), AsOf: asOf, Areas: []PreviewPart{}, Industries: []PreviewPart{}, Movers: []PreviewMover{}}
	var paths [2][]string
	for i, policy := range []catalog.Policy{a, b} {
		under := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(under, 0o700); err != nil {
			return p, fault.Newf(fault.Internal, "make a folder for the preview", "%w", err)
		}
		clocks := score.Clocks{AsOf: asOf, CorrectedTo: catalog.NoDate, KnownSeq: p.KnownSeq, MarksSeq: p.KnownSeq}
		var used score.Clocks
		if paths[i], used, err = d.Pipeline.Scorer.Preview(ctx, policy, clocks, under); err != nil {
			return p, err
		}
		p.KnownSeq = used.KnownSeq // the second reads what the first read
	}
	db, err := duck.Open(d.Duck)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return p, p.compare(ctx, db, a, b, paths, min(cmp.Or(movers, 20), mostMovers))
}

// PolicyNamed gives a policy by its id, or as a proposal would have it, by the proposal's number.
func (d *Desk) PolicyNamed(ctx context.Context, name string) (catalog.Policy, error) {
	if !proposalNo.MatchString(name) {
		p, ok := d.Catalog.Policy(name)
		if !ok {
			return p, notThere("policy", name)
		}
		return p, nil
	}
	proposed, err := d.State.Proposal(ctx, name)
	if err != nil {
		return catalog.Policy{}, err
	}
	if proposed.Part != release.Policy {
		return catalog.Policy{}, fault.Newf(fault.Invalid, "choose the policy", "%s is about dataset %s", name, proposed.Subject)
	}
	files, _, err := d.before(ctx, proposed)
	if err != nil {
		return catalog.Policy{}, err
	}
	cat, _ := catalog.Load(catalog.Layer(catalog.Texts{proposed.File: []byte(proposed.Text)}, files))
	p, ok := cat.Policy(proposed.Subject)
	if !ok {
		return p, notThere("policy", proposed.Subject)
	}
	return p, nil
}

var proposalNo = regexp.MustCompile(`^R\d{8}-\d{4,}$`)

// LookAtPreview is PreviewPolicies for a screen: it names entities only to who says what for, and keeps
// that they were looked at.
func (d *Desk) LookAtPreview(ctx context.Context, a, b catalog.Policy, asOf catalog.Date, movers int, purpose string) (PolicyPreview, error) {
	act := auth.Act{Action: "policy.preview", Kind: "policy", ID: a.ID, Detail: map[string]string{"to": b.ID}}
	if purpose != "" {
		if err := auth.Require(ctx, auth.GradesSee); err != nil {
			return PolicyPreview{}, err
		}
		if err := d.look(ctx, act, purpose); err != nil {
			return PolicyPreview{}, err
		}
	} else if err := d.record(ctx, act); err != nil {
		return PolicyPreview{}, err
	}
	scope := auth.From(ctx).Scope
	p, err := d.PreviewPolicies(ctx, a, b, asOf, movers)
	if purpose == "" || len(scope.Areas)+len(scope.Industries)+len(scope.Entities) > 0 {
		p.Movers = []PreviewMover{}
	}
	return p, err
}

func side(p catalog.Policy, asOf catalog.Date) PreviewSide {
	s := PreviewSide{Policy: p.ID, Title: p.Title, SHA256: p.SHA256, Grades: []string{}}
	s.Trial, _ = p.Trial(asOf)
	for _, g := range p.Grades {
		s.Grades = append(s.Grades, g.Grade)
	}
	return s
}

// classes gives the classes of a policy, the best first.
func classes(p catalog.Policy) []string {
	var all []string
	for _, g := range p.Grades {
		if !slices.Contains(all, g.Class.ZH) {
			all = append(all, g.Class.ZH)
		}
	}
	return all
}
