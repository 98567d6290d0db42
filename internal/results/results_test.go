package results

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/pipelines/publish"
)

// world is a small lake with a registry, and a policy that publishes what it is given.
type world struct {
	*testing.T
	lake   *lake.Lake
	policy catalog.Policy
	duck   duck.Options
}

func newWorld(t *testing.T) *world {
	t.Helper()
	store, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.New(store, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &world{T: t, lake: l, policy: catalog.Policy{ID: "p", Cycle: "dynamic", SHA256: "policy"}, duck: duck.Options{Threads: 1, MemoryMB: 128, TempDir: t.TempDir()}}
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// commit makes the rows of a query the one table of a chain.
func (w *world) commit(chainName, table, query string) chain.Entry {
	w.Helper()
	db, err := duck.Open(w.duck)
	w.ok(err)
	defer func() { _ = db.Close() }()
	path := filepath.Join(w.TempDir(), "rows.parquet")
	rows, err := db.Copy(w.Context(), query, path)
	w.ok(err)
	head, err := w.lake.Head(w.Context(), chainName)
	w.ok(err)
	run := fmt.Sprintf("%s-%d", strings.ReplaceAll(chainName, "/", "-"), head.N+1)
	f, err := w.lake.Put(w.Context(), chain.Object{Chain: chainName, Run: run, Table: table, Range: chain.NoRange, Path: path, Rows: rows})
	w.ok(err)
	e, err := w.lake.Commit(w.Context(), chain.Draft{Base: head, Keep: func(chain.File) bool { return false }, Files: []chain.File{f},
		Entry: chain.Entry{Chain: chainName, Run: run, Intent: chain.Intent(run)}})
	w.ok(err)
	return e
}

// release publishes grades of a day: "91A B 80000" for code, grade and hundredths of a point.
func (w *world) release(day string, grades ...string) chain.Entry {
	w.Helper()
	var rows []string
	for _, g := range grades {
		f := strings.Fields(g)
		rows = append(rows, fmt.Sprintf("('%s', '企业%s', '91', '410481', 'C26', %s, '%s', 2, '', true)", f[0], f[0], f[2], f[1]))
	}
	scored := w.commit(chain.Scored("p"), "grade", "select * from (values "+strings.Join(rows, ", ")+`)
		as t(uscc, name, category, division, industry, score, grade, rank, class, trial) order by uscc`)
	at, err := catalog.ParseDate(day)
	w.ok(err)
	p := publish.Publisher{Lake: w.lake, Duck: w.duck}
	r, err := p.Publish(w.Context(), "publish-"+day, publish.Scored{Policy: w.policy, Entry: scored, AsOf: at, CorrectedTo: at, Seal: "seal of " + day})
	w.ok(err)
	return r.Entry
}

func (w *world) published() *Published {
	w.Helper()
	p, err := OpenPublished(w.lake, w.duck)
	w.ok(err)
	w.Cleanup(func() { w.ok(p.Close()) })
	return p
}

func threeReleases(t *testing.T) (*world, chain.Entry) {
	w := newWorld(t)
	w.release("2026-01-01", "91A B 80000", "91B B 80000", "91C C 70000", "91D A 90000")
	w.release("2026-02-01", "91A C 70000", "91B B 80000", "91C C 70000", "91E A 90000")
	return w, w.release("2026-03-01", "91A A 90000", "91B B 80000", "91C B 80000", "91D A 90000", "91E A 90000")
}

func TestTheHistoryOfAnEntity(t *testing.T) {
	w, head := threeReleases(t)
	told, err := w.published().History(t.Context(), head, "91D")
	w.ok(err)
	var lines []string
	for _, s := range told {
		lines = append(lines, fmt.Sprintf("%d %s %s %q->%q", s.N, s.AsOf, s.Change, s.PreviousGrade, s.Grade))
	}
	want := []string{`3 2026-03-01 new ""->"A"`, `2 2026-02-01 retracted "A"->""`, `1 2026-01-01 new ""->"A"`}
	if !slices.Equal(lines, want) {
		t.Errorf("%q, want %q", lines, want)
	}
}

func TestMovementBetweenReleases(t *testing.T) {
	w, head := threeReleases(t)
	p := w.published()
	for _, c := range []struct {
		name     string
		from, to int64
		q        Query
		want     string
	}{
		{"one release speaks for itself", 1, 2, Query{}, "->A 1, A-> 1, B->B 1, B->C 1, C->C 1"},
		{"over two, only the ends count: down and up again is up", 1, 3, Query{}, "->A 1, A->A 1, B->A 1, B->B 1, C->B 1"},
		{"from before the first release everybody is new", 0, 3, Query{}, "->A 3, ->B 2"},
		{"an area counted by itself comes to the same", 1, 3, Query{Areas: []string{"4104"}}, "->A 1, A->A 1, B->A 1, B->B 1, C->B 1"},
		{"an area without anybody", 1, 3, Query{Areas: []string{"4201"}}, ""},
		{"one entity alone", 1, 2, Query{Entities: []string{"91A"}}, "B->C 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // the second answer is the one remembered
				moves, err := p.Movement(t.Context(), head, c.from, c.to, c.q)
				if err != nil {
					t.Fatal(err)
				}
				var told []string
				for _, m := range moves {
					told = append(told, fmt.Sprintf("%s->%s %d", m.From, m.To, m.Entities))
				}
				if got := strings.Join(told, ", "); got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
			}
		})
	}
	if _, err := p.Movement(t.Context(), head, 2, 9, Query{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a release that is not there: %v", err)
	}
}

func TestWhoMoved(t *testing.T) {
	w, head := threeReleases(t)
	p := w.published()
	movers := func(from, to string, q Query) string {
		t.Helper()
		q.Most = 10
		told, err := p.Movers(t.Context(), head, 1, 3, from, to, q)
		w.ok(err)
		var codes []string
		for _, s := range told {
			codes = append(codes, s.USCC)
		}
		return strings.Join(codes, " ")
	}
	for _, c := range []struct {
		name, from, to string
		q              Query
		want           string
	}{
		{"from B to A although by way of C", "B", "A", Query{}, "91A"},
		{"new since", "", "A", Query{}, "91E"},
		{"gone and back is no move of this kind", "A", "", Query{}, ""},
		{"another area", "B", "A", Query{Areas: []string{"4102"}}, ""},
		{"a page that begins after it", "B", "A", Query{After: "91A"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := movers(c.from, c.to, c.q); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestSharesAndReleases(t *testing.T) {
	w, head := threeReleases(t)
	p := w.published()
	for range 2 {
		got, err := p.Shares(t.Context(), "p", head)
		w.ok(err)
		if want := []Share{{"A", "410481", "C26", 3}, {"B", "410481", "C26", 2}}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	releases, err := p.Releases(t.Context(), head)
	w.ok(err)
	if len(releases) != 3 || releases[0].N != 3 || releases[2].Statements != 4 || releases[1].Reasons["retracted"] != 1 || releases[1].AsOf.String() != "2026-02-01" {
		t.Errorf("%+v", releases)
	}
}

const registered = `select * from (values
	(1, '91410481MA40000011', '舞钢市恒信商贸有限公司', '91', '410481', 'F52', null::bigint, null::bigint, 1::bigint),
	(2, '91410481MA40000022', '舞钢市恒信商贸有限公司朱兰分公司', '91', '410481', 'F52', null, null, 1),
	(3, '91410100MA50000033', '郑州恒信建筑工程有限公司', '91', '410100', 'E47', null, null, 1),
	(4, '92410481MA40000044', '舞钢市老李饭店', '92', '410481', 'H62', 1, null, 1),
	(1, '91410481MA40000011', '舞钢市旧名商贸有限公司', '91', '410481', 'F52', null, 2, 1)
) as t(entity_id, uscc, name, category, division, industry, survivor_id, known_to, known_from) order by entity_id`

func TestSearch(t *testing.T) {
	w := newWorld(t)
	w.commit(chain.Settled, "entity", registered)
	r, err := OpenRegistry(t.Context(), w.lake, w.duck, t.TempDir())
	w.ok(err)
	defer func() { w.ok(r.Close()) }()
	for _, c := range []struct {
		name string
		q    Query
		want string
	}{
		{"a whole code", Query{Text: "91410481MA40000022"}, "0022"},
		{"the beginning of a code, in small letters", Query{Text: "91410481ma"}, "0011 0022"},
		{"part of a name, in order of codes", Query{Text: "恒信"}, "0033 0011 0022"},
		{"the name itself comes first", Query{Text: "舞钢市恒信商贸有限公司"}, "0011 0022"},
		{"a name that it had before", Query{Text: "旧名"}, ""},
		{"an area alone", Query{Text: "恒信", Areas: []string{"4101", "4102"}}, "0033"},
		{"an industry alone", Query{Text: "恒信", Industries: []string{"F"}}, "0011 0022"},
		{"only the entities that were approved", Query{Text: "恒信", Entities: []string{"91410481MA40000022"}}, "0022"},
		{"the page after a code", Query{Text: "恒信", After: "91410481MA40000011"}, "0022"},
		{"a sign of SQL is a sign", Query{Text: "%' or '1'='1"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.q.Most = 10
			found, err := r.Find(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			var codes []string
			for _, e := range found {
				codes = append(codes, e.USCC[14:])
			}
			if got := strings.Join(codes, " "); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	if _, err := r.Find(t.Context(), Query{Text: " 信 ", Most: 10}); !fault.Is(err, fault.Invalid) {
		t.Errorf("one character: %v", err)
	}
	merged, err := r.Entity(t.Context(), "92410481MA40000044")
	if err != nil || merged.MergedTo != "91410481MA40000011" {
		t.Errorf("%+v, %v", merged, err)
	}
	if _, err := r.Entity(t.Context(), "91"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown code: %v", err)
	}
}
