package publish

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
)

// BenchmarkPublish makes a first release of a million entities, then one in which one in a hundred
// has another score, and reads the changes of the second.
func BenchmarkPublish(b *testing.B) {
	for b.Loop() {
		store, err := lake.OpenFolder(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		l, err := lake.New(store, lake.Options{})
		if err != nil {
			b.Fatal(err)
		}
		p := Publisher{Lake: l, Duck: duck.Options{Threads: 2, MemoryMB: 512, TempDir: b.TempDir()}}
		policy := catalog.Policy{ID: "henan-2020", Cycle: "dynamic", SHA256: "policy"}
		for day := range 2 {
			scored := scoreMany(b, l, p.Duck, policy.ID, day)
			at := catalog.DateOf(time.Date(2025, 11, 3+day, 0, 0, 0, 0, time.UTC))
			began := time.Now()
			r, err := p.Publish(b.Context(), fmt.Sprint("publish-", day), Scored{Policy: policy, Entry: scored, AsOf: at, CorrectedTo: at, Seal: "seal"})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(time.Since(began).Seconds(), fmt.Sprintf("s/release-%d", day+1))
			began = time.Now()
			n := 0
			for _, err := range p.Changes(b.Context(), r.Entry, r.Entry.N-1) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(n)/time.Since(began).Seconds(), fmt.Sprintf("changes-read/s-%d", day+1))
		}
	}
}

func scoreMany(b *testing.B, l *lake.Lake, o duck.Options, policy string, day int) chain.Entry {
	b.Helper()
	db, err := duck.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	path := filepath.Join(b.TempDir(), "grade.parquet")
	n, err := db.Copy(b.Context(), fmt.Sprintf(`
		select '91410481' || lpad(cast(i as varchar), 10, '0') as uscc, '某某市某某有限责任公司' || i as name, '91' as category, '410481' as division,
			'C26' as industry, 80000 + case when i %% 100 = 0 then %d else 0 end as score, 'B' as grade, 2 as rank, '诚信守法' as class, true as trial
		from range(1000000) as r(i) order by uscc`, day), path)
	if err != nil {
		b.Fatal(err)
	}
	name := chain.Scored(policy)
	head, err := l.Head(b.Context(), name)
	if err != nil {
		b.Fatal(err)
	}
	run := fmt.Sprint("score-", day)
	f, err := l.Put(b.Context(), chain.Object{Chain: name, Run: run, Table: "grade", Range: chain.NoRange, Path: path, Rows: n})
	if err != nil {
		b.Fatal(err)
	}
	e, err := l.Commit(b.Context(), chain.Draft{Base: head, Keep: func(chain.File) bool { return false }, Files: []chain.File{f},
		Entry: chain.Entry{Chain: name, Run: run, Intent: chain.Intent(run)}})
	if err != nil {
		b.Fatal(err)
	}
	return e
}
