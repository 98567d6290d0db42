package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/results"
)

// Distribution is how many entities have which grade under a policy now, within what the actor may see.
type Distribution struct {
	Policy     string            `json:"policy"`
	Trial      bool              `json:"trial"`
	Release    *results.Release  `json:"release"` // nil: nothing is published yet
	Entities   int64             `json:"entities"`
	Grades     []GradeCount      `json:"grades"` // best first
	Areas      []Part            `json:"areas"`  // by division code, the largest first
	Industries []Part            `json:"industries"`
	Releases   []results.Release `json:"-"`
}

// GradeCount is how many entities have a grade.
type GradeCount struct {
	Grade    string       `json:"grade"`
	Class    catalog.Text `json:"class"`
	Entities int64        `json:"entities"`
}

// Part is the distribution in one area or industry, in the order of the policy's grades.
type Part struct {
	Code     string  `json:"code"` // empty: not known
	Entities int64   `json:"entities"`
	Grades   []int64 `json:"grades"`
}

// Distribution counts what stands published under a policy.
func (d *Desk) Distribution(ctx context.Context, policy string) (Distribution, error) {
	out := Distribution{Policy: policy, Grades: []GradeCount{}, Areas: []Part{}, Industries: []Part{}}
	p, err := d.policyFor(ctx, policy)
	if err != nil {
		return out, err
	}
	r, err := d.published()
	if err != nil {
		return out, err
	}
	head, err := r.Head(ctx, policy)
	if err != nil {
		return out, err
	}
	if out.Releases, err = r.Releases(ctx, head); err != nil {
		return out, err
	}
	if len(out.Releases) > 0 {
		out.Release = &out.Releases[0]
		out.Trial, _ = p.Trial(out.Release.AsOf)
	}
	shares, err := r.Shares(ctx, policy, head)
	if err != nil {
		return out, err
	}
	place := map[string]int{}
	for i, g := range p.Grades {
		place[g.Grade] = i
		out.Grades = append(out.Grades, GradeCount{Grade: g.Grade, Class: g.Class})
	}
	areas, industries := map[string]*Part{}, map[string]*Part{}
	scope := auth.From(ctx).Scope
	for _, s := range shares {
		i, known := place[s.Grade]
		if !known || !scope.InArea(s.Division) || !scope.InIndustry(s.Industry) {
			continue
		}
		out.Entities += s.Entities
		out.Grades[i].Entities += s.Entities
		count(areas, s.Division, i, len(p.Grades), s.Entities)
		count(industries, s.Industry[:min(1, len(s.Industry))], i, len(p.Grades), s.Entities)
	}
	out.Areas, out.Industries = sorted(areas), sorted(industries)
	return out, nil
}

func count(parts map[string]*Part, code string, grade, grades int, entities int64) {
	p := parts[code]
	if p == nil {
		p = &Part{Code: code, Grades: make([]int64, grades)}
		parts[code] = p
	}
	p.Entities += entities
	p.Grades[grade] += entities
}

func sorted(parts map[string]*Part) []Part {
	all := []Part{}
	for _, p := range parts {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b Part) int { return cmp.Or(cmp.Compare(b.Entities, a.Entities), cmp.Compare(a.Code, b.Code)) })
	return all
}

// Movement is how entities moved between two releases of a policy: a square of its grades, the best
// first and "not graded" last; rows are the earlier release.
type Movement struct {
	Policy   string          `json:"policy"`
	From     results.Release `json:"from"`
	To       results.Release `json:"to"`
	Grades   []string        `json:"grades"` // of rows and columns; "" is not graded
	Counts   [][]int64       `json:"counts"`
	Better   int64           `json:"better"`
	Worse    int64           `json:"worse"`
	Same     int64           `json:"same"`
	Entering int64           `json:"entering"`
	Leaving  int64           `json:"leaving"`
}

// Movement compares two releases; 0 and 0 are the last two.
func (d *Desk) Movement(ctx context.Context, policy string, from, to int64) (Movement, error) {
	out := Movement{Policy: policy}
	p, err := d.policyFor(ctx, policy)
	if err != nil {
		return out, err
	}
	r, err := d.published()
	if err != nil {
		return out, err
	}
	head, err := r.Head(ctx, policy)
	if err != nil {
		return out, err
	}
	releases, err := r.Releases(ctx, head)
	if err != nil {
		return out, err
	}
	if out.From, out.To, err = pair(releases, from, to); err != nil {
		return out, err
	}
	scope := auth.From(ctx).Scope
	moves, err := r.Movement(ctx, head, out.From.N, out.To.N, results.Query{Areas: scope.Areas, Industries: scope.Industries})
	if err != nil {
		return out, err
	}
	place := map[string]int{}
	for _, g := range p.Grades {
		place[g.Grade] = len(out.Grades)
		out.Grades = append(out.Grades, g.Grade)
	}
	for _, m := range moves { // a grade that the policy had in an earlier version stands after its own
		for _, g := range []string{m.From, m.To} {
			if _, known := place[g]; !known && g != "" {
				place[g] = len(out.Grades)
				out.Grades = append(out.Grades, g)
			}
		}
	}
	place[""] = len(out.Grades)
	out.Grades = append(out.Grades, "")
	for range out.Grades {
		out.Counts = append(out.Counts, make([]int64, len(out.Grades)))
	}
	for _, m := range moves {
		i, j := place[m.From], place[m.To]
		out.Counts[i][j] += m.Entities
		switch {
		case m.From == "":
			out.Entering += m.Entities
		case m.To == "":
			out.Leaving += m.Entities
		case i == j:
			out.Same += m.Entities
		case j < i:
			out.Better += m.Entities
		default:
			out.Worse += m.Entities
		}
	}
	return out, nil
}

// pair finds two releases; without numbers the last two.
func pair(releases []results.Release, from, to int64) (a, b results.Release, err error) {
	if len(releases) < 2 {
		return a, b, &fault.Error{Op: "compare releases", Code: fault.NotFound, Err: errors.New("fewer than two releases are published"), Hint: "a movement is seen from the second release on"}
	}
	if from == 0 && to == 0 {
		return releases[1], releases[0], nil
	}
	byN := map[int64]results.Release{}
	for _, r := range releases {
		byN[r.N] = r
	}
	a, okA := byN[from]
	b, okB := byN[to]
	if !okA || !okB || from >= to {
		return a, b, &fault.Error{Op: "compare releases", Code: fault.Invalid, Err: fmt.Errorf("%d and %d are no earlier and later release", from, to),
			Hint: fmt.Sprintf("choose two of %v", slices.Sorted(maps.Keys(byN)))}
	}
	return a, b, nil
}

// Moving asks who moved between two releases.
type Moving struct {
	Policy, Purpose    string
	From, To           int64  // releases
	GradeFrom, GradeTo string // "" is not graded
	After              string // the code that the last page ended with
	Most               int    // 0: 50
}

// Movers is one page of them.
type Movers struct {
	Entities []results.Statement `json:"entities"`
	Next     string              `json:"next,omitempty"`
}

// Movers lists who moved from one grade to another. It names entities, so it wants a purpose.
func (d *Desk) Movers(ctx context.Context, m Moving) (Movers, error) {
	var out Movers
	if err := purposed(ctx, "list who moved", m.Purpose); err != nil {
		return out, err
	}
	if _, err := d.policyFor(ctx, m.Policy); err != nil {
		return out, err
	}
	if m.Most <= 0 || m.Most > mostHits {
		m.Most = 50
	}
	r, err := d.published()
	if err != nil {
		return out, err
	}
	head, err := r.Head(ctx, m.Policy)
	if err != nil {
		return out, err
	}
	scope := auth.From(ctx).Scope
	out.Entities, err = r.Movers(ctx, head, m.From, m.To, m.GradeFrom, m.GradeTo, results.Query{Areas: scope.Areas, Industries: scope.Industries, Entities: scope.Entities, After: m.After, Most: m.Most + 1})
	if err != nil {
		return out, err
	}
	if len(out.Entities) > m.Most {
		out.Entities = out.Entities[:m.Most]
		out.Next = out.Entities[m.Most-1].USCC
	}
	return out, d.listed(ctx, m, len(out.Entities))
}
