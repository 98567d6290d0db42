package desk_test

import (
	"slices"
	"testing"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/desk/desktest"
	"xinshu/internal/fault"
)

func TestTheCatalogueAndItsLineage(t *testing.T) {
	h := desktest.New(t)
	steward := as(t, auth.Steward, auth.Scope{})
	all, err := h.Desk.Catalogue(steward, desk.Wanted{})
	if err != nil {
		t.Fatal(err)
	}
	datasets := 0
	for _, o := range all {
		datasets += len(o.Datasets)
	}
	if datasets != len(h.Desk.Catalog.Datasets) || all[0].ID != h.Desk.Catalog.Departments[0].ID {
		t.Errorf("%d datasets, the first of %s", datasets, all[0].ID)
	}
	some, err := h.Desk.Catalogue(steward, desk.Wanted{Text: "处罚", Owner: "urban", Family: "penalty", State: desk.Unconnected})
	if err != nil || len(some) != 1 || len(some[0].Datasets) != 1 || some[0].Datasets[0].Dataset.ID != "urban.penalty" {
		t.Errorf("filtered: %+v, %v", some, err)
	}
	own := as(t, auth.DepartmentUser, auth.Scope{Departments: []string{"tax"}})
	mine, err := h.Desk.Catalogue(own, desk.Wanted{})
	if err != nil || len(mine) != 1 || mine[0].ID != "tax" {
		t.Errorf("a department's user sees %+v, %v", mine, err)
	}
	if _, err := h.Desk.Dataset(own, "urban.penalty"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another department's dataset: %v", err)
	}
	if _, err := h.Desk.Profile(steward, "urban.penalty", ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("a profile of nothing: %v", err)
	}
	bothWays(t, h.Desk, all)
}

// bothWays holds the two directions of the lineage against one another, for every dataset and indicator.
func bothWays(t *testing.T, d *desk.Desk, owners []desk.OwnerDatasets) {
	ctx := as(t, auth.Steward, auth.Scope{})
	forward, backward := map[string]bool{}, map[string]bool{}
	for _, o := range owners {
		for _, ds := range o.Datasets {
			l, err := d.Lineage(ctx, ds.Dataset.ID)
			if err != nil {
				t.Fatal(err)
			}
			if len(l.Fields) != len(ds.Dataset.Fields) {
				t.Errorf("%s: the road of %d of %d fields", ds.Dataset.ID, len(l.Fields), len(ds.Dataset.Fields))
			}
			for _, u := range l.Uses {
				if u.Indicator != "" {
					forward[u.Policy+" "+u.Rule+" "+ds.Dataset.ID] = true
				}
			}
		}
	}
	for _, p := range d.Catalog.Policies {
		for _, x := range p.Indicators {
			origin, err := d.IndicatorOrigin(ctx, p.ID, x.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range origin.Rules {
				for _, ds := range r.Datasets {
					if p.Status != "draft" {
						backward[p.ID+" "+r.Rule+" "+ds.ID] = true
					}
					if !slices.ContainsFunc(ds.Fields, func(f desk.FieldRoad) bool { return slices.Contains(f.Columns, "uscc") }) {
						t.Errorf("%s feeds %s %s without a code", ds.ID, p.ID, r.Rule)
					}
				}
			}
		}
	}
	if len(forward) == 0 || len(forward) != len(backward) {
		t.Errorf("%d ways forward, %d back", len(forward), len(backward))
	}
	for way := range forward {
		if !backward[way] {
			t.Errorf("%s leads forward only", way)
		}
	}
	if !forward["heilongjiang-2021 O1-serious urban.penalty"] {
		t.Error("a serious penalty of the urban management counts nowhere")
	}
	if l, err := d.Lineage(ctx, "urban.penalty"); err != nil || !slices.ContainsFunc(l.Fields, func(f desk.FieldRoad) bool { return f.Field == "CF_WSH" && slices.Contains(f.Columns, "doc_no") }) {
		t.Errorf("the document number of a penalty: %+v, %v", l.Fields, err)
	}
}
