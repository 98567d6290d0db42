package score

import (
	"maps"
	"strconv"
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
)

const agreeEntities = 200_000

// The product's SQL and the naive scorer agree on points, total and grade for random entities, under
// every policy and on three days, repairs and list exits included.
func TestTheNaiveScorerAgrees(t *testing.T) {
	w := random(agreeEntities, 20211231)
	l := newLake(t)
	w.settle(t, l)
	versions, marks := map[string][]wVersion{}, map[string][]wMark{}
	for _, v := range w.versions {
		versions[v.uscc] = append(versions[v.uscc], v)
	}
	for _, m := range w.marks {
		marks[m.uscc] = append(marks[m.uscc], m)
	}
	clocks := []Clocks{
		{AsOf: day("2021-12-31"), CorrectedTo: day("2022-02-15"), KnownSeq: 1, MarksSeq: 3},
		{AsOf: day("2023-02-28"), CorrectedTo: day("2023-02-28"), KnownSeq: 2, MarksSeq: 2},
		{AsOf: day("2024-10-31"), CorrectedTo: day("2024-12-31"), KnownSeq: 2, MarksSeq: 3},
	}
	policies := shipped(t)
	for _, c := range clocks {
		for _, yearly := range []bool{true, false} {
			standing := map[string][]naiveRecord{}
			for _, e := range w.entities {
				standing[e.uscc] = naiveRecords(versions[e.uscc], marks[e.uscc], c, yearly)
			}
			for id, policy := range policies {
				if p := readNaive(t, id); p.yearly == yearly && policy.Status != "draft" {
					t.Run(id+" "+c.AsOf.String(), func(t *testing.T) { compare(t, w, p, policy, c, standing, scored(t, l, policy, c)) })
				}
			}
		}
	}
}

func compare(t *testing.T, w world, p naivePolicy, policy catalog.Policy, c Clocks, standing map[string][]naiveRecord, got map[string]naiveResult) {
	t.Helper()
	graded, wrong := 0, 0
	grades := map[string]int{}
	for _, e := range w.entities {
		want, ok := naive(p, e, standing[e.uscc], c)
		have, found := got[e.uscc]
		if ok != found || ok && !maps.Equal(want.points, have.points) ||
			want.score != have.score || want.plus != have.plus || want.minus != have.minus || want.grade != have.grade {
			wrong++
			t.Errorf("%s: graded by the naive scorer %v as %+v, by the product %v as %+v", e.uscc, ok, want, found, have)
		}
		if ok {
			graded++
			grades[want.grade]++
		}
		if wrong > 5 {
			t.FailNow()
		}
	}
	if len(grades) != len(policy.Grades) || graded < agreeEntities/3 || len(got) != graded {
		t.Errorf("%d of %d entities in grades %v, %d by the product: the world is too tame to prove anything", graded, agreeEntities, grades, len(got))
	}
}

// scored runs the product and reads the files it made.
func scored(t *testing.T, l *lake.Lake, p catalog.Policy, c Clocks) map[string]naiveResult {
	t.Helper()
	ctx := t.Context()
	s := scorer(t, l, duck.Options{MemoryMB: 512, Threads: 2})
	settled, err := l.Head(ctx, chain.Settled)
	if err != nil {
		t.Fatal(err)
	}
	// What Run does up to its seal, which the tests of the seal look at.
	w := work{Scorer: s, run: "run-" + p.ID + c.AsOf.String(), policy: p, clocks: c, models: loadModels(t), settled: settled}
	db, err := w.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var files []chain.File
	for part, group := range Groups(settled, s.Duck.MemoryMB) {
		fresh, err := w.group(ctx, db, part, group)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, fresh...)
	}
	made := chain.Entry{Files: files}
	for table, name := range map[string]string{"grade": "g", "points": "p"} {
		paths, err := s.local(ctx, made.Table(table))
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Exec(ctx, "create view "+name+" as select * from "+duck.Parquet(paths)); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := db.Query(ctx, `select g.uscc, score, plus_points, minus_points, grade, coalesce(string_agg(indicator || '=' || delta, ' '), '')
		from g left join p on p.uscc = g.uscc group by all`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]naiveResult{}
	for rows.Next() {
		var uscc, points string
		var g naiveResult
		if err := rows.Scan(&uscc, &g.score, &g.plus, &g.minus, &g.grade, &points); err != nil {
			t.Fatal(err)
		}
		g.points = map[string]int64{}
		for field := range strings.FieldsSeq(points) {
			id, delta, _ := strings.Cut(field, "=")
			if g.points[id], err = strconv.ParseInt(delta, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		out[uscc] = g
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
