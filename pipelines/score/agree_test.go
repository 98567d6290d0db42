package score

import (
	"testing"

	"xinshu/catalog"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
)

const agreeEntities = 20_000

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
	for id, policy := range shipped(t) {
		p := readNaive(t, id)
		for _, c := range clocks {
			t.Run(id+" "+c.AsOf.String(), func(t *testing.T) {
				got := scored(t, l, policy, c)
				graded, wrong := 0, 0
				grades := map[string]int{}
				for _, e := range w.entities {
					want, ok := naive(p, e, versions[e.uscc], marks[e.uscc], c)
					have, found := got[e.uscc]
					if ok != found {
						wrong++
						t.Errorf("%s: graded by the product %v, by the naive scorer %v", e.uscc, found, ok)
					} else if ok && !same(want, have) {
						wrong++
						t.Errorf("%s: product %+v, naive %+v", e.uscc, have, want)
					}
					if ok {
						graded++
						grades[want.grade]++
					}
					if wrong > 5 {
						t.FailNow()
					}
				}
				if len(grades) != len(policy.Grades) || graded < agreeEntities/3 {
					t.Errorf("only %d entities in grades %v: the world is too tame to prove anything", graded, grades)
				}
			})
		}
	}
}

func same(a, b naiveResult) bool {
	if a.score != b.score || a.plus != b.plus || a.minus != b.minus || a.grade != b.grade || len(a.points) != len(b.points) {
		return false
	}
	for id, v := range a.points {
		if w, has := b.points[id]; !has || v != w {
			return false
		}
	}
	return true
}

// scored runs the product and reads what it committed.
func scored(t *testing.T, l *lake.Lake, p catalog.Policy, c Clocks) map[string]naiveResult {
	t.Helper()
	ctx := t.Context()
	s := scorer(t, l, duck.Options{MemoryMB: 512, Threads: 2})
	r, err := s.Run(ctx, "run-"+p.ID+c.AsOf.String(), p, c)
	if err != nil {
		t.Fatal(err)
	}
	db, err := duck.Open(duck.Options{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	out := map[string]naiveResult{}
	for _, table := range []string{"grade", "points"} {
		paths, err := s.local(ctx, r.Entry.Table(table))
		if err != nil {
			t.Fatal(err)
		}
		query := "select uscc, score, plus_points, minus_points, grade from "
		if table == "points" {
			query = "select uscc, delta, 0, 0, indicator from "
		}
		rows, err := db.Query(ctx, query+duck.Parquet(paths))
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var uscc, name string
			var a, b, c int64
			if err := rows.Scan(&uscc, &a, &b, &c, &name); err != nil {
				t.Fatal(err)
			}
			if table == "grade" {
				out[uscc] = naiveResult{score: a, plus: b, minus: c, grade: name, points: map[string]int64{}}
			} else {
				out[uscc].points[name] = a
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
	}
	return out
}
