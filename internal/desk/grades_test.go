package desk_test

import (
	"context"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/audit"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/desk/desktest"
	"xinshu/internal/fault"
)

func as(t *testing.T, role auth.Role, scope auth.Scope) context.Context {
	return auth.With(t.Context(), auth.Actor{ID: "user:" + string(role), Name: "somebody", Roles: []auth.Role{role}, Scope: scope, Way: "session"})
}

// One hub serves all tests that only read.
func TestWhatThePagesOfGradesAsk(t *testing.T) {
	h := desktest.New(t)
	office := as(t, auth.CreditOffice, auth.Scope{})
	township := as(t, auth.TownshipUser, auth.Scope{Areas: []string{"410402"}})
	t.Run("an explanation sums to what was published", func(t *testing.T) { explained(t, h, office) })
	t.Run("search keeps to scope and purpose", func(t *testing.T) { searched(t, h, office, township) })
	t.Run("distribution and movement count everybody once", func(t *testing.T) { distributed(t, h, office, township) })
	t.Run("who moved are as many as the matrix says", func(t *testing.T) { movers(t, h, office) })
	t.Run("every look is in the trail", func(t *testing.T) { kept(t, h, office) })
}

func explained(t *testing.T, h *desktest.Hub, ctx context.Context) {
	for n := int64(0); n < desktest.Entities; n += 97 {
		told, err := h.Desk.Explain(ctx, desk.Asked{USCC: desktest.Code(n), Policy: desktest.Policy, AsOf: catalog.NoDate, Purpose: "audit"})
		if err != nil {
			t.Fatal(err)
		}
		var sum catalog.Points
		for _, l := range told.Whole {
			sum += l.Points
		}
		for _, g := range told.Sums {
			var group catalog.Points
			for _, x := range g.Indicators {
				var indicator catalog.Points
				for _, l := range x.Lines {
					indicator += l.Points
				}
				if indicator != x.Points {
					t.Errorf("%s %s: lines sum to %s, told %s", told.USCC, x.ID, indicator, x.Points)
				}
				group += indicator
			}
			sum += group
		}
		newest := told.History[0]
		if sum != told.Score || newest.Score == nil || *newest.Score != told.Score || newest.Grade != told.Grade || newest.AsOf.String() != "2022-12-31" {
			t.Errorf("%s: lines sum to %s, score %s %s, published %+v", told.USCC, sum, told.Score, told.Grade, newest)
		}
		if len(told.Grades) != 1 || told.Grades[0].Grade != told.Grade {
			t.Errorf("%s stands at %+v, explained %s", told.USCC, told.Grades, told.Grade)
		}
	}
	early, _ := catalog.ParseDate("2021-12-31")
	told, err := h.Desk.Explain(ctx, desk.Asked{USCC: desktest.Code(3), Policy: desktest.Policy, AsOf: early, Purpose: "audit"})
	if err != nil || told.AsOf != early || told.Grade != told.History[len(told.History)-1].Grade {
		t.Errorf("the earlier result: %s of %s, %v; history %+v", told.Grade, told.AsOf, err, told.History)
	}
	for _, c := range []struct {
		name  string
		asked desk.Asked
		want  fault.Code
	}{
		{"no purpose", desk.Asked{USCC: desktest.Code(1), Policy: desktest.Policy, AsOf: catalog.NoDate}, fault.Invalid},
		{"a purpose that is none", desk.Asked{USCC: desktest.Code(1), Policy: desktest.Policy, AsOf: catalog.NoDate, Purpose: "curiosity"}, fault.Invalid},
		{"a code with a wrong check digit", desk.Asked{USCC: "91410481000000000", Policy: desktest.Policy, AsOf: catalog.NoDate, Purpose: "audit"}, fault.Invalid},
		{"a code that nobody has", desk.Asked{USCC: desktest.Code(desktest.Entities + 9), Policy: desktest.Policy, AsOf: catalog.NoDate, Purpose: "audit"}, fault.NotFound},
		{"a policy that is none", desk.Asked{USCC: desktest.Code(1), Policy: "nowhere-2020", AsOf: catalog.NoDate, Purpose: "audit"}, fault.NotFound},
	} {
		if _, err := h.Desk.Explain(ctx, c.asked); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	for name, scope := range map[string]auth.Scope{
		"another policy":   {Policies: []string{"henan-2020"}},
		"another area":     {Areas: []string{"2301"}},
		"another industry": {Industries: []string{"Z"}},
		"another entity":   {Entities: []string{desktest.Code(2)}},
		"another purpose":  {Purpose: "tender"},
	} {
		if _, err := h.Desk.Explain(as(t, auth.ThirdParty, scope), desk.Asked{USCC: desktest.Code(1), Policy: desktest.Policy, AsOf: catalog.NoDate, Purpose: "audit"}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a third party approved for %s: %v", name, err)
		}
	}
}

func searched(t *testing.T, h *desktest.Hub, office, township context.Context) {
	whole, err := h.Desk.Search(office, desk.Search{Text: desktest.Code(7), Purpose: "audit"})
	if err != nil || len(whole.Hits) != 1 || len(whole.Hits[0].Grades) != 1 || whole.Hits[0].Grades[0].Grade == "" {
		t.Fatalf("by code: %+v, %v", whole, err)
	}
	count := func(ctx context.Context, text string) (n int, areas map[string]int) {
		areas = map[string]int{}
		for after := ""; ; {
			page, err := h.Desk.Search(ctx, desk.Search{Text: text, Purpose: "audit", After: after, Most: 60})
			if err != nil {
				t.Fatal(err)
			}
			for _, hit := range page.Hits {
				areas[hit.Division]++
			}
			n += len(page.Hits)
			if after = page.Next; after == "" {
				return n, areas
			}
		}
	}
	all, areas := count(office, "舞钢市")
	mine, seen := count(township, "舞钢市")
	if all != desktest.Entities || len(areas) != 3 || mine != areas["410402"] || len(seen) != 1 {
		t.Errorf("all %d in %v, the township %d in %v", all, areas, mine, seen)
	}
	if _, err := h.Desk.Search(office, desk.Search{Text: "舞钢"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a search without a purpose: %v", err)
	}
}

func distributed(t *testing.T, h *desktest.Hub, office, township context.Context) {
	sum, err := h.Desk.Distribution(office, desktest.Policy)
	if err != nil {
		t.Fatal(err)
	}
	own, err := h.Desk.Distribution(township, desktest.Policy)
	if err != nil {
		t.Fatal(err)
	}
	parts, mine := int64(0), int64(0)
	for _, p := range sum.Areas {
		parts += p.Entities
		if p.Code == "410402" {
			mine = p.Entities
		}
	}
	if sum.Entities != desktest.Entities || parts != sum.Entities || own.Entities != mine || len(own.Areas) != 1 || len(sum.Releases) != 2 {
		t.Errorf("%d entities, %d in areas; the township sees %d of %d, %+v", sum.Entities, parts, own.Entities, mine, own.Areas)
	}
	for name, ctx := range map[string]context.Context{"everybody": office, "the township": township} {
		moved, err := h.Desk.Movement(ctx, desktest.Policy, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{"everybody": sum.Entities, "the township": own.Entities}[name]
		if got := moved.Better + moved.Worse + moved.Same; got != want || moved.Worse == 0 || moved.Better == 0 {
			t.Errorf("%s: %d better, %d worse, %d the same of %d", name, moved.Better, moved.Worse, moved.Same, want)
		}
		for j, grade := range moved.Grades { // columns are how it stands now
			var column int64
			for i := range moved.Grades {
				column += moved.Counts[i][j]
			}
			stands := sum
			if name == "the township" {
				stands = own
			}
			for _, g := range stands.Grades {
				if g.Grade == grade && g.Entities != column {
					t.Errorf("%s: the matrix has %d at %s now, the distribution %d", name, column, grade, g.Entities)
				}
			}
		}
	}
	if _, err := h.Desk.Movement(office, desktest.Policy, 2, 1); !fault.Is(err, fault.Invalid) {
		t.Errorf("a later and an earlier release: %v", err)
	}
	if _, err := h.Desk.Movement(office, "jiangyin-2020", 0, 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("a policy without releases: %v", err)
	}
}

func movers(t *testing.T, h *desktest.Hub, ctx context.Context) {
	moved, err := h.Desk.Movement(ctx, desktest.Policy, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for i, from := range moved.Grades {
		for j, to := range moved.Grades {
			if i == j || moved.Counts[i][j] == 0 {
				continue
			}
			n := int64(0)
			for after := ""; ; {
				page, err := h.Desk.Movers(ctx, desk.Moving{Policy: desktest.Policy, Purpose: "supervision", From: 1, To: 2, GradeFrom: from, GradeTo: to, After: after})
				if err != nil {
					t.Fatal(err)
				}
				n += int64(len(page.Entities))
				if after = page.Next; after == "" {
					break
				}
			}
			if checked++; n != moved.Counts[i][j] {
				t.Errorf("%s to %s: %d names, the matrix has %d", from, to, n, moved.Counts[i][j])
			}
		}
	}
	if checked == 0 {
		t.Error("nobody moved")
	}
	if _, err := h.Desk.Movers(ctx, desk.Moving{Policy: desktest.Policy, From: 1, To: 2}); !fault.Is(err, fault.Invalid) {
		t.Errorf("names without a purpose: %v", err)
	}
}

func kept(t *testing.T, h *desktest.Hub, ctx context.Context) {
	code := desktest.Code(1234)
	if _, err := h.Desk.Explain(ctx, desk.Asked{USCC: code, Policy: desktest.Policy, AsOf: catalog.NoDate, Purpose: "objection"}); err != nil {
		t.Fatal(err)
	}
	entries, err := h.State.Entries(t.Context(), audit.Filter{USCC: code, Limit: 10})
	if err != nil || len(entries) != 1 || entries[0].Purpose != "objection" || entries[0].Actor != "user:credit_office" || entries[0].ID != desktest.Policy {
		t.Errorf("%+v, %v", entries, err)
	}
	for _, action := range []string{"entity.search", "grade.movers"} {
		if entries, err := h.State.Entries(t.Context(), audit.Filter{Action: action, Limit: 1}); err != nil || len(entries) != 1 {
			t.Errorf("%s: %+v, %v", action, entries, err)
		}
	}
}
