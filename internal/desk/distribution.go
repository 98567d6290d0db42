package desk

import (
	"cmp"
	"context"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/chain"
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
	p, r, head, err := d.publishedUnder(ctx, policy)
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

// publishedUnder opens what stands published under a policy that the actor may see.
func (d *Desk) publishedUnder(ctx context.Context, policy string) (p catalog.Policy, r *results.Published, head chain.Entry, err error) {
	if p, err = d.policyFor(ctx, policy); err != nil {
		return p, nil, head, err
	}
	if r, err = d.published(); err != nil {
		return p, nil, head, err
	}
	head, err = r.Head(ctx, policy)
	return p, r, head, err
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
