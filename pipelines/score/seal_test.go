package score

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

func TestTheSealIsTheSameHoweverItIsMade(t *testing.T) {
	w := random(3_000, 42)
	p := shipped(t)["heilongjiang-2021"]
	c := Clocks{AsOf: day("2021-12-31"), CorrectedTo: day("2022-02-15"), KnownSeq: 2, MarksSeq: 3}
	var first Seal
	for i, made := range []struct {
		how   string
		world world
		duck  duck.Options
	}{
		{"with 2 threads", w, duck.Options{Threads: 2, MemoryMB: 512}},
		{"with 1 thread", w, duck.Options{Threads: 1, MemoryMB: 512}},
		{"with 4 threads", w, duck.Options{Threads: 4, MemoryMB: 512}},
		{"in less memory", w, duck.Options{Threads: 2, MemoryMB: 200}},
		{"with the only range cut into slices", w, duck.Options{Threads: 2, MemoryMB: ownMB + 2}},
		{"after another order of arrival, so with other ids", w.shuffled(3), duck.Options{Threads: 2, MemoryMB: 512}},
	} {
		l := newLake(t)
		made.world.settle(t, l)
		r, err := scorer(t, l, made.duck).Run(t.Context(), "run", p, c)
		if err != nil {
			t.Fatalf("%s: %v", made.how, err)
		}
		if i == 0 {
			first = r.Seal
			if first.Entities < 1_000 || first.GradeSHA256 == first.PointsSHA256 {
				t.Fatalf("%+v", first)
			}
		}
		if r.Seal.GradeSHA256 != first.GradeSHA256 || r.Seal.PointsSHA256 != first.PointsSHA256 || r.Seal.InputSHA256 != first.InputSHA256 {
			t.Errorf("%s the seal is\n%+v, not\n%+v", made.how, r.Seal, first)
		}
	}
}

// The hash is over the rows as anybody can write them: put together here without DuckDB's CSV writer.
func TestTheSealIsOverTheCanonicalRows(t *testing.T) {
	l := newLake(t)
	random(500, 5).settle(t, l)
	p := shipped(t)["lingyuan-2021"]
	s := scorer(t, l, duck.Options{Threads: 2, MemoryMB: 256})
	r, err := s.Run(t.Context(), "run", p, Clocks{AsOf: day("2022-06-30"), CorrectedTo: catalog.NoDate})
	if err != nil {
		t.Fatal(err)
	}
	paths, err := s.local(t.Context(), r.Entry.Table("points"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := duck.Open(duck.Options{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(t.Context(), "select uscc, indicator, delta, records from "+duck.Parquet(paths))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var lines []string
	for rows.Next() {
		var uscc, indicator string
		var delta, records int64
		if err := rows.Scan(&uscc, &indicator, &delta, &records); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s\t%s\t%d\t%d\n", uscc, indicator, delta, records))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	if got := hex.EncodeToString(sum[:]); len(lines) < 100 || got != r.Seal.PointsSHA256 {
		t.Errorf("%d rows have the hash %s, the seal says %s", len(lines), got, r.Seal.PointsSHA256)
	}
}

func TestTheSameScoreAgainCommitsNothing(t *testing.T) {
	l := newLake(t)
	random(300, 6).settle(t, l)
	p := shipped(t)["heilongjiang-2021"]
	s := scorer(t, l, duck.Options{Threads: 2, MemoryMB: 256})
	c := Clocks{AsOf: day("2021-12-31"), CorrectedTo: catalog.NoDate, KnownSeq: 2, MarksSeq: 2}
	first, err := s.Run(t.Context(), "run-1", p, c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Run(t.Context(), "run-2", p, c)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Repeated || again.Entry.N != first.Entry.N || again.SealSHA != first.SealSHA || again.Seal != first.Seal {
		t.Errorf("again %+v, first %+v", again, first)
	}
	// A correction finds the snapshot that the first result was made from, and reads the marks of now.
	corrected, err := s.Run(t.Context(), "run-3", p, Clocks{AsOf: c.AsOf, CorrectedTo: day("2022-02-15")})
	if err != nil {
		t.Fatal(err)
	}
	if got := corrected.Clocks; got.KnownSeq != 2 || got.MarksSeq != 3 || corrected.Entry.N != 2 {
		t.Errorf("a correction ran with %+v as entry %d", got, corrected.Entry.N)
	}
	newest, err := s.Newest(t.Context(), p)
	if err != nil || newest.Clocks != corrected.Clocks || newest.SealSHA != corrected.SealSHA {
		t.Errorf("newest %+v, %v", newest, err)
	}
	head, err := l.Head(t.Context(), chain.Scored(p.ID))
	if err != nil || head.N != 2 || head.PolicySHA256 != p.SHA256 {
		t.Errorf("head %+v, %v", head, err)
	}
}

func TestClocksThatCannotBeAreRefused(t *testing.T) {
	l := newLake(t)
	random(20, 7).settle(t, l)
	s := scorer(t, l, duck.Options{Threads: 1, MemoryMB: 256})
	for name, c := range map[string]Clocks{
		"a correction before its cut-off":    {AsOf: day("2021-12-31"), CorrectedTo: day("2021-12-30")},
		"a snapshot that is not settled yet": {AsOf: day("2021-12-31"), CorrectedTo: catalog.NoDate, KnownSeq: 9},
		"marks older than the records":       {AsOf: day("2021-12-31"), CorrectedTo: catalog.NoDate, KnownSeq: 3, MarksSeq: 1},
	} {
		if _, err := s.Run(t.Context(), "run", shipped(t)["henan-2020"], c); !fault.Is(err, fault.Invalid) && fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := scorer(t, newLake(t), duck.Options{}).Run(t.Context(), "run", shipped(t)["henan-2020"], Clocks{AsOf: day("2021-10-31")}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("scoring before settling: %v", err)
	}
}

// A repair can never lower a grade: with every repair struck out of a world, nobody stands better.
func TestARepairNeverLowersAGrade(t *testing.T) {
	with := random(4_000, 8)
	for i := range with.marks { // only repairs of adverse records: that is what a repair is
		with.marks[i].kind = "repair"
	}
	adverse := map[string]bool{}
	for _, v := range with.versions {
		switch v.kind + " " + v.level {
		case "penalty minor", "penalty general", "penalty serious", "severe_list -", "judgment_debtor -", "abnormal_list -", "inspection failed",
			"tax_arrears open", "contract breached", "commitment broken", "tax_grade D", "labour_grade C", "industry_grade poor":
			adverse[v.record] = true
		}
	}
	for _, v := range with.versions {
		if v.version > 1 {
			adverse[v.record] = false
		}
	}
	with.marks = slices.DeleteFunc(with.marks, func(m wMark) bool { return !adverse[m.record] })
	without := with
	without.marks = nil
	c := Clocks{AsOf: day("2021-12-31"), CorrectedTo: day("2023-12-31"), KnownSeq: 3, MarksSeq: 3}
	for _, id := range []string{"heilongjiang-2021", "henan-2020", "jiangyin-2020", "lingyuan-2021"} {
		p := shipped(t)[id]
		lakes := [2]map[string]naiveResult{}
		for i, w := range []world{without, with} {
			l := newLake(t)
			w.settle(t, l)
			lakes[i] = scored(t, l, p, c)
		}
		better := 0
		for uscc, before := range lakes[0] {
			after, graded := lakes[1][uscc]
			if !graded {
				continue // a body of another category that is on no list any more
			}
			if p.Rank(after.grade) > p.Rank(before.grade) {
				t.Errorf("%s %s: %s became %s by a repair", id, uscc, before.grade, after.grade)
			}
			if p.Rank(after.grade) < p.Rank(before.grade) {
				better++
			}
		}
		if better == 0 {
			t.Errorf("%s: no repair changed any grade; the world proves nothing", id)
		}
	}
}
