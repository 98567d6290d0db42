package simulate

import (
	"slices"
	"testing"
	"time"

	"xinshu/catalog"
)

func province(t testing.TB, seed uint64, entities int) *Province {
	t.Helper()
	cat, faults := catalog.Load(catalog.Files)
	for _, f := range faults {
		t.Errorf("catalogue: %v", f)
	}
	p, err := New(seed, entities, cat)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// each walks every row of the province.
func each(p *Province, visit func(dataset string, day int, r Row)) {
	for _, id := range p.Datasets() {
		for day := range Days {
			for r := range p.Rows(id, day+1) {
				visit(id, day+1, r)
			}
		}
	}
}

func TestAllDatasetsOfTheCatalogueAreThere(t *testing.T) {
	p := province(t, 1, 3000)
	if got := len(p.Datasets()); got != 108 {
		t.Errorf("%d datasets, want 108", got)
	}
	rows := map[string]int{}
	each(p, func(dataset string, _ int, r Row) {
		rows[dataset]++
		if len(r.Values) != len(p.Columns(dataset)) {
			t.Fatalf("%s: %d values under %d columns", dataset, len(r.Values), len(p.Columns(dataset)))
		}
	})
	for _, id := range p.Datasets() {
		if rows[id] == 0 {
			t.Errorf("%s has no row in 3,000 entities", id)
		}
	}
}

func TestTheSameSeedGivesTheSameRowsInAnyOrder(t *testing.T) {
	a, b := province(t, 7, 400), province(t, 7, 400)
	for _, id := range []string{"prov-credit.objection", "amr.reg", "prov-credit.penalty", "tax.grade"} {
		for day := len(Days); day >= 1; day-- {
			first := a.DayRows(id, day)
			b.DayRows("urban.penalty", 1) // what was asked before does not matter
			second := b.DayRows(id, day)
			if !slices.EqualFunc(first, second, slices.Equal) {
				t.Errorf("%s day %d differs between two provinces of one seed", id, day)
			}
		}
	}
	other := province(t, 8, 400)
	if slices.EqualFunc(a.DayRows("amr.reg", 1), other.DayRows("amr.reg", 1), slices.Equal) {
		t.Error("another seed gave the same registrations")
	}
}

func TestCodesAreValidAndBelongToOneEntity(t *testing.T) {
	p := province(t, 1, 20_000)
	seen := map[string]int{}
	for i, e := range p.Entities() {
		if v := catalog.CheckUSCC(e.USCC); !v.Valid || len(v.Warnings) > 0 {
			t.Fatalf("entity %d: %s: %+v", i, e.USCC, v)
		}
		if other, taken := seen[e.USCC]; taken {
			t.Fatalf("entities %d and %d share %s", other, i, e.USCC)
		}
		seen[e.USCC] = i
	}
	for key, code := range p.authorities {
		if v := catalog.CheckUSCC(code); !v.Valid {
			t.Errorf("authority %s: %s: %+v", key, code, v)
		}
		if _, taken := seen[code]; taken {
			t.Errorf("authority %s has an entity's code", key)
		}
	}
}

func TestADayIsServedWhileTheHubListens(t *testing.T) {
	p := province(t, 3, 1500)
	each(p, func(dataset string, day int, r Row) {
		at := slices.Index(p.Columns(dataset), "op_time")
		if at < 0 {
			return // headed otherwise
		}
		sent, err := time.ParseInLocation("2006-01-02 15:04:05", r.Values[at], shanghai)
		if err != nil {
			t.Fatalf("%s: op_time %q: %v", dataset, r.Values[at], err)
		}
		if !sent.Before(Days[day-1]) || day > 1 && sent.Before(Days[day-2]) {
			t.Fatalf("%s day %d: a row touched at %s", dataset, day, sent)
		}
	})
}

func BenchmarkRows(b *testing.B) {
	p := province(b, 1, DefaultEntities)
	for b.Loop() {
		rows := 0
		each(p, func(string, int, Row) { rows++ })
		b.ReportMetric(float64(rows), "rows")
	}
}
