package results

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"xinshu/internal/chain"
)

// manyNamed registers entities with made names, some of them shared by many.
func manyNamed(w *world, n int) (all []Entity) {
	r := rand.New(rand.NewPCG(7, 11))
	words := strings.Fields("恒信 达源 盛鑫 丰华 瑞祥 有限 公司 有 限 公 司 商贸 建材 𠮷野 朱兰 A&B 3号 （有限合伙） 舞钢市")
	var rows []string
	for i := range n {
		name := "便民小卖部"
		if i%9 != 0 {
			name = ""
			for range 1 + r.IntN(6) {
				name += words[r.IntN(len(words))]
			}
		}
		e := Entity{USCC: fmt.Sprintf("9141048%06d", i*3), Name: name, Category: "91", Division: []string{"410481", "410402", "4104811"}[i%3], Industry: []string{"C26", "F52"}[i%2]}
		all = append(all, e)
		rows = append(rows, fmt.Sprintf("(%d, '%s', '%s', '91', '%s', '%s', null::bigint, null::bigint)", i, e.USCC, e.Name, e.Division, e.Industry))
	}
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	w.commit(chain.Settled, "entity", "select * from (values "+strings.Join(rows, ",")+") as t(entity_id, uscc, name, category, division, industry, survivor_id, known_to)")
	return all
}

// plainly is what a search must give, worked out by looking at everybody.
func plainly(all []Entity, q Query) (codes []string) {
	begins := func(s string, with []string) bool {
		return len(with) == 0 || slices.ContainsFunc(with, func(b string) bool { return strings.HasPrefix(s, b) })
	}
	within := func(e Entity) bool {
		return begins(e.Division, q.Areas) && begins(e.Industry, q.Industries) && (len(q.Entities) == 0 || slices.Contains(q.Entities, e.USCC))
	}
	var is, has []string
	for _, e := range all {
		switch {
		case !within(e):
		case LooksLikeCode(strings.ToUpper(q.Text)):
			if strings.HasPrefix(e.USCC, strings.ToUpper(q.Text)) {
				is = append(is, e.USCC)
			}
		case e.Name == q.Text:
			is = append(is, e.USCC)
		case strings.Contains(e.Name, q.Text):
			has = append(has, e.USCC)
		}
	}
	return append(is, has...)
}

func TestASearchFindsWhatLookingAtEverybodyFinds(t *testing.T) {
	w := newWorld(t)
	all := manyNamed(w, 700)
	queries := []Query{{Text: "便民小卖部"}, {Text: "便民"}, {Text: "有限公司"}, {Text: "有限"}, {Text: "公司有限"}, {Text: "限公限公"}, {Text: "𠮷野"}, {Text: "野A&B"}, {Text: "号（"}, {Text: "不存在的名称"},
		{Text: "司司"}, {Text: "9141048"}, {Text: "91410480000"}, {Text: "914104800017"}, {Text: "\xff\xfe"}, {Text: "司\x00有"}, {Text: "  "[:0] + "舞钢市舞钢市"}}
	for _, limited := range []Query{{Areas: []string{"410402"}}, {Areas: []string{"410481", "9"}}, {Industries: []string{"F"}}, {Areas: []string{"4104811"}, Industries: []string{"C", "F5"}},
		{Areas: []string{"none"}}, {Entities: []string{all[9].USCC, all[12].USCC, all[13].USCC, all[699].USCC, "9"}}, {Entities: []string{all[9].USCC}, Areas: []string{"410481"}}} {
		for _, text := range []string{"便民小卖部", "公司", "9141048", "有限公司"} {
			limited.Text = text
			queries = append(queries, limited)
		}
	}
	for _, partOf := range []int{64, 100, 350, 700, partSize} {
		r, err := openRegistry(t.Context(), w.lake, w.duck, t.TempDir(), partOf)
		w.ok(err)
		for _, q := range queries {
			for _, most := range []int{1, 7, 1000} {
				q.Most, q.After = most, ""
				var got []string
				for pages := 0; pages <= len(all); pages++ { // to the end, a page after the other
					found, err := r.Find(t.Context(), q)
					w.ok(err)
					for _, e := range found {
						if i := slices.IndexFunc(all, func(a Entity) bool { return a.USCC == e.USCC }); i < 0 || all[i] != e {
							t.Fatalf("%q gives %+v, which nobody is", q.Text, e)
						}
						got = append(got, e.USCC)
					}
					if len(found) < most {
						break
					}
					q.After = found[len(found)-1].USCC
				}
				if want := plainly(all, q); !slices.Equal(got, want) {
					t.Fatalf("%+v in parts of %d: %d found, want %d\n%q\n%q", q, partOf, len(got), len(want), got, want)
				}
			}
		}
		for i, a := range all {
			e, err := r.Entity(t.Context(), a.USCC)
			if err != nil || e != a {
				t.Fatalf("%d: %+v, %v", i, e, err)
			}
			if _, err := r.Entity(t.Context(), a.USCC[:12]+"X"); err == nil {
				t.Fatalf("%s is nobody's", a.USCC[:12]+"X")
			}
		}
		w.ok(r.Close())
	}
}

func TestTheIndexLeavesNothingBehind(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	r, err := OpenRegistry(t.Context(), w.lake, w.duck, dir) // nothing is settled yet
	w.ok(err)
	found, err := r.Find(t.Context(), Query{Text: "恒信", Most: 10})
	if err != nil || len(found) != 0 {
		t.Errorf("nobody is there: %v, %v", found, err)
	}
	w.ok(r.Close())
	manyNamed(w, 50)
	if r, err = OpenRegistry(t.Context(), w.lake, w.duck, dir); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("in the temporary folder lie %v, %v", left, err)
	}
	w.ok(r.Close())
	dir += "/gone"
	if _, err := OpenRegistry(t.Context(), w.lake, w.duck, dir); err == nil {
		t.Error("a folder that is not there is no fault")
	}
}
