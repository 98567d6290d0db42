package score

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/grading"
	"xinshu/internal/lake"
)

// A world is settled data made for tests: entities, versions of their records, and marks.
type world struct {
	entities []wEntity
	versions []wVersion
	marks    []wMark
}

type wEntity struct {
	id             int64
	uscc, category string
	from, until    catalog.Date
	received       catalog.Date
	known          int64
}

type wVersion struct {
	entity                         int64
	uscc, record                   string
	version                        int
	known                          int64
	knownTo                        int64 // 0: current
	source                         time.Time
	dataset, family, kind, level   string
	decided, from, until, statusOn catalog.Date
	status                         string
	received                       catalog.Date
	stageN, rowNo                  int64
}

type wMark struct {
	id, kind, uscc, record string
	effective              catalog.Date
	source                 time.Time
	known                  int64
}

func day(s string) catalog.Date {
	d, err := catalog.ParseDate(s)
	if err != nil {
		panic(err) // a slip in a test
	}
	return d
}

// what the random world draws from: dataset, family, kind, levels.
var drawn = []struct {
	dataset, family, kind string
	levels                []string
}{
	{"amr.reg", "registration", "registration", []string{"active", "active", "suspended", "revoked"}},
	{"amr.annual", "annual", "annual_report", []string{"on_time", "late", "not_filed"}},
	{"amr.abnormal", "listing", "abnormal_list", []string{"-"}},
	{"cult.penalty", "penalty", "penalty", []string{"minor", "minor", "general", "serious"}},
	{"ecology.penalty", "penalty", "penalty", []string{"minor", "general", "serious"}},
	{"amr.severe", "listing", "severe_list", []string{"-"}},
	{"court.debtor", "listing", "judgment_debtor", []string{"-"}},
	{"tax.grade", "rating", "tax_grade", []string{"A", "B", "M", "C", "D"}},
	{"tax.grade", "rating", "tax_grade", []string{"A", "D"}},
	{"tax.arrears", "obligation", "tax_arrears", []string{"open", "settled"}},
	{"hrss.labour", "rating", "labour_grade", []string{"A", "B", "C"}},
	{"housing.wage", "obligation", "wage_arrears", []string{"open", "settled"}},
	{"cult.licence", "licence", "licence", []string{"active", "active", "revoked", "-"}},
	{"emergency.inspect", "supervision", "inspection", []string{"passed", "failed"}},
	{"natres.land", "obligation", "contract", []string{"kept", "breached"}},
	{"nat-credit.commitment", "commitment", "commitment", []string{"open", "fulfilled", "broken"}},
	{"prov-credit.commitment", "commitment", "voluntary_commitment", []string{"open", "fulfilled", "broken"}},
	{"cult.rating", "rating", "industry_grade", []string{"best", "good", "medium", "poor"}},
	{"water.rating", "rating", "industry_grade", []string{"best", "good", "medium", "poor"}},
	{"prov-credit.honour", "honour", "honour", []string{"national", "provincial", "city", "county"}},
	{"civil.donate", "honour", "donation", []string{"-"}},
	{"city-gov.volunteer", "honour", "volunteering", []string{"-"}},
	{"customs.grade", "rating", "customs_grade", []string{"advanced", "regular"}},
	{"prov-credit.list", "listing", "honour_list", []string{"-"}},
	{"transport.violation", "conduct", "conduct", []string{"good", "minor", "general", "serious"}},
	{"emergency.accident", "conduct", "accident", []string{"general", "larger", "major"}},
	{"city-share.complaint", "conduct", "complaint", []string{"founded", "unfounded"}},
	{"prov-credit.result", "rating", "public_grade", []string{"优", "良", "中", "差", "A", "B", "C", "D", "E"}},
}

// edges are days on which windows open and close for the dates that the tests score.
var edges = []string{"2021-12-31", "2020-12-31", "2021-01-01", "2018-12-31", "2019-12-31", "2022-01-01", "2023-02-28", "2022-02-28",
	"2020-02-29", "2024-02-29", "2020-02-28", "2023-03-01", "2024-10-31", "2023-10-31", "2021-10-31", "2024-11-01", "2022-10-31"}

// random makes a world of n entities from a seed.
func random(n int, seed uint64) world {
	r := rand.New(rand.NewPCG(seed, 7))
	var w world
	pick := func() catalog.Date {
		if r.IntN(8) == 0 {
			return day(edges[r.IntN(len(edges))])
		}
		return day("2018-06-01").AddDays(r.IntN(2500))
	}
	clock := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	categories := []string{"91", "91", "91", "92", "93", "51", "12", "11", "N1"}
	for i := range n {
		e := wEntity{id: int64(i) + 1, category: categories[r.IntN(len(categories))], from: day("2015-01-01"), until: catalog.NoDate, received: day("2020-01-01"), known: 1}
		e.uscc = fmt.Sprintf("%s%016d", e.category, i*7919%1_000_003)
		switch r.IntN(12) {
		case 0:
			e.from = catalog.NoDate // seen only in a record about it
		case 1:
			e.until = pick()
		case 2:
			e.from = pick()
		}
		w.entities = append(w.entities, e)
		for range r.IntN(9) {
			w.record(r, e, pick, clock)
		}
	}
	return w
}

// record adds one record of an entity: a version or more, sometimes with marks.
func (w *world) record(r *rand.Rand, e wEntity, pick func() catalog.Date, clock time.Time) {
	what := drawn[r.IntN(len(drawn))]
	no := int64(len(w.versions) + 1)
	v := wVersion{entity: e.id, uscc: e.uscc, record: fmt.Sprintf("%032x", no), version: 1, known: 1 + int64(r.IntN(2)), source: clock.AddDate(0, 0, r.IntN(300)),
		dataset: what.dataset, family: what.family, kind: what.kind, level: what.levels[r.IntN(len(what.levels))],
		decided: pick(), from: catalog.NoDate, until: catalog.NoDate, statusOn: catalog.NoDate, status: "in_force", stageN: 1 + int64(r.IntN(3)), rowNo: no}
	if r.IntN(3) > 0 {
		v.from = v.decided.AddDays(r.IntN(20) - 2)
	}
	if r.IntN(2) == 0 {
		v.until = v.decided.AddDays(r.IntN(1200))
	}
	v.received = v.decided.AddDays(r.IntN(60))
	if r.IntN(40) == 0 {
		v.status, v.statusOn = []string{"repaired", "withdrawn"}[r.IntN(2)], v.decided.AddDays(r.IntN(900))
	}
	versions := []wVersion{v}
	for r.IntN(12) == 0 { // another version, newer or an old one that came late
		next := versions[len(versions)-1]
		next.version++
		next.known = min(next.known+int64(r.IntN(2)), 3)
		next.source = next.source.AddDate(0, 0, r.IntN(200)-60)
		next.received = next.received.AddDays(r.IntN(200))
		next.level = what.levels[r.IntN(len(what.levels))]
		next.rowNo = no*100 + int64(next.version)
		versions = append(versions, next)
	}
	superseded(versions)
	w.versions = append(w.versions, versions...)
	for r.IntN(6) == 0 {
		kinds := []string{"repair", "repair", "objection_upheld", "objection_open", "objection_rejected", "withdrawal", "list_exit", "completion", "correction"}
		m := wMark{id: fmt.Sprintf("m%d-%d", no, len(w.marks)), kind: kinds[r.IntN(len(kinds))], uscc: e.uscc, record: v.record,
			effective: v.decided.AddDays(r.IntN(900)), source: clock.AddDate(0, 0, r.IntN(400)), known: 1 + int64(r.IntN(3))}
		if r.IntN(5) == 0 { // first an orphan, or first with another day
			before := m
			before.known = 1
			m.known = 2 + int64(r.IntN(2))
			if r.IntN(2) == 0 {
				before.record = ""
			} else {
				before.effective = before.effective.AddDays(-100)
			}
			w.marks = append(w.marks, before)
		}
		w.marks = append(w.marks, m)
	}
}

// superseded sets known_to as settling does: the snapshot that brought a newer version, or the
// version's own when it was old already as it came.
func superseded(versions []wVersion) {
	newer := func(a, b wVersion) bool { // a is newer than b
		if !a.source.Equal(b.source) {
			return a.source.After(b.source)
		}
		if a.stageN != b.stageN {
			return a.stageN > b.stageN
		}
		return a.rowNo > b.rowNo
	}
	for i := range versions {
		for j := range versions {
			if i == j || !newer(versions[j], versions[i]) {
				continue
			}
			at := max(versions[i].known, versions[j].known)
			if versions[i].knownTo == 0 || at < versions[i].knownTo {
				versions[i].knownTo = at
			}
		}
	}
}

// shuffled is the same world as if its entities had been met in another order: other ids.
func (w world) shuffled(seed uint64) world {
	r := rand.New(rand.NewPCG(seed, 8))
	ids := map[int64]int64{}
	for i, p := range r.Perm(len(w.entities)) {
		ids[w.entities[i].id] = int64(p)*3 + 5
	}
	out := world{entities: slices.Clone(w.entities), versions: slices.Clone(w.versions), marks: slices.Clone(w.marks)}
	for i := range out.entities {
		out.entities[i].id = ids[out.entities[i].id]
	}
	for i := range out.versions {
		out.versions[i].entity = ids[out.versions[i].entity]
	}
	return out
}

func newLake(t testing.TB) *lake.Lake {
	t.Helper()
	store, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.New(store, lake.Options{Node: "test", Engine: chain.Engine{DuckDB: duck.Version(), Xinshu: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func scorer(t testing.TB, l *lake.Lake, o duck.Options) *Scorer {
	t.Helper()
	return &Scorer{Lake: l, SQL: sub(t, "sql"), Duck: o, Xinshu: "test",
		Seals: func(ctx context.Context, policy string) (map[string][]byte, error) {
			seals, err := l.Seals(ctx, policy)
			bodies := map[string][]byte{}
			for _, s := range seals {
				bodies[s.SHA256] = s.Body
			}
			return bodies, err
		}}
}

// settle commits the world as settling would: three snapshots, of which the files hold all versions.
func (w world) settle(t testing.TB, l *lake.Lake) {
	t.Helper()
	ctx := t.Context()
	db, err := duck.Open(duck.Options{TempDir: t.TempDir(), MemoryMB: 1024})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for name, table := range map[string]struct {
		cols []duck.Column
		rows [][]any
	}{"record": {grading.RecordColumns, w.recordRows()}, "entity": {grading.EntityColumns, w.entityRows()}, "mark": {grading.MarkColumns, w.markRows()}} {
		if err := db.Table(ctx, name, table.cols, table.rows); err != nil {
			t.Fatal(err)
		}
	}
	var files []chain.File
	put := func(table, query string, rng int64) {
		path := filepath.Join(l.TempDir(), fmt.Sprintf("%s-%d.parquet", table, rng))
		rows, err := db.Copy(ctx, query, path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := l.Put(ctx, chain.Object{Chain: chain.Settled, Run: "r", Table: table, Range: rng, Path: path, Rows: rows})
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	ranges := map[int64]bool{}
	for _, e := range w.entities {
		ranges[e.id>>16] = true
	}
	for r := range ranges {
		put("record", fmt.Sprintf("select * from record where entity_id >> 16 = %d order by entity_id, record_id, version", r), r)
		put("entity", fmt.Sprintf("select * from entity where entity_id >> 16 = %d order by entity_id", r), r)
	}
	put("mark", "select * from mark order by mark_id, known_from", chain.NoRange)
	for n := range 3 {
		head, err := l.Head(ctx, chain.Settled)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Commit(ctx, chain.Draft{Base: head, Entry: chain.Entry{Chain: chain.Settled, Intent: fmt.Sprint(n), Run: "r"}, Files: files}); err != nil {
			t.Fatal(err)
		}
		files = nil
	}
}

func nullable(d catalog.Date) any {
	if d == catalog.NoDate {
		return nil
	}
	return d
}

func (w world) recordRows() [][]any {
	rows := make([][]any, 0, len(w.versions))
	for _, v := range w.versions {
		var to any
		if v.knownTo != 0 {
			to = v.knownTo
		}
		rows = append(rows, []any{v.entity, v.uscc, v.record, v.version, v.known, to, v.source, v.dataset, v.family, v.kind, v.level, "source",
			nullable(v.decided), nullable(v.from), nullable(v.until), nil, "unconditional", v.status, nullable(v.statusOn),
			nil, nil, "文 " + v.record[24:], nil, nil, nullable(v.received), v.stageN, v.rowNo, fmt.Sprintf("%s-%d", v.record, v.version)})
	}
	return rows
}

func (w world) entityRows() [][]any {
	rows := make([][]any, 0, len(w.entities))
	for _, e := range w.entities {
		rows = append(rows, []any{e.id, e.uscc, "企业" + e.uscc[10:], e.category, nullable(e.from), nullable(e.until), nil, "410481", "C", e.received, e.known, nil})
	}
	return rows
}

func (w world) markRows() [][]any {
	rows := make([][]any, 0, len(w.marks))
	for _, m := range w.marks {
		var target any
		if m.record != "" {
			target = m.record
		}
		rows = append(rows, []any{m.id, m.kind, nil, nil, target, m.effective, m.source, "单位", nil, m.known, m.effective, m.uscc, nil, nil})
	}
	return rows
}
