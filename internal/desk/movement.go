package desk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/results"
)

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
	p, r, head, err := d.publishedUnder(ctx, policy)
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
