package results

import (
	"fmt"
	"slices"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/pipelines/publish"
)

// cutReleases publishes two results of 3,500 entities, each release cut by check digits into several files.
func cutReleases(t *testing.T) (*world, chain.Entry) {
	w := newWorld(t)
	var last chain.Entry
	for i, day := range []string{"2026-01-01", "2026-02-01"} {
		scored := w.commit(chain.Scored("p"), "grade", fmt.Sprintf(`select '91410481' || lpad(cast(range as varchar), 8, '0') || substr('0123456789X', cast(range %% 11 as integer) + 1, 1) ||
				substr('0123456789ABCDEFGHJKLMNPQRTUWXY', cast(range * 7 %% 31 as integer) + 1, 1) as uscc,
			'企业' || range as name, '91' as category, '410481' as division, 'C26' as industry, cast(80000 + %d * range as bigint) as score,
			case when %d = 1 and range %% 13 = 0 then 'C' else 'B' end as grade, 2 as rank, '' as class, true as trial from range(3500) order by uscc`, i, i))
		at, err := catalog.ParseDate(day)
		w.ok(err)
		p := publish.Publisher{Lake: w.lake, Duck: duck.Options{Threads: 1, MemoryMB: 121, TempDir: t.TempDir()}}
		r, err := p.Publish(t.Context(), "publish-"+day, publish.Scored{Policy: w.policy, Entry: scored, AsOf: at, CorrectedTo: at, Seal: "seal of " + day})
		w.ok(err)
		last = r.Entry
	}
	if files := last.Table("change"); len(files) < 6 {
		t.Fatalf("cut into %d files: this shows nothing", len(files))
	}
	return w, last
}

func TestAHistoryIsReadFromTheFilesThatCanHoldIt(t *testing.T) {
	w, head := cutReleases(t)
	p := w.published()
	every, err := p.statements(t.Context(), head.Table("change"), "true order by uscc, version desc", nil)
	w.ok(err)
	if len(every) != 7000 {
		t.Fatalf("%d statements", len(every))
	}
	for from := 0; from < len(every); {
		to := from + 1
		for to < len(every) && every[to].USCC == every[from].USCC {
			to++
		}
		if from%61 == 0 || from < 5 {
			told, err := p.History(t.Context(), head, every[from].USCC)
			w.ok(err)
			if got, want := fmt.Sprint(lined(told)), fmt.Sprint(lined(every[from:to])); got != want {
				t.Fatalf("%s, want %s", got, want)
			}
		}
		from = to
	}
	if told, err := p.History(t.Context(), head, "91410481999999999"); err != nil || len(told) > 0 {
		t.Errorf("of nobody: %v, %v", told, err)
	}
}

func lined(all []Statement) (lines []string) {
	for _, s := range all {
		lines = append(lines, fmt.Sprintf("%s %d %s %s %s %d", s.USCC, s.N, s.AsOf, s.Grade, s.PreviousGrade, s.Version))
	}
	return lines
}

func TestMoversArePagedOverStretches(t *testing.T) {
	w, head := cutReleases(t)
	p := w.published()
	var want []string
	every, err := p.statements(t.Context(), head.Table("change"), "grade = 'C' order by uscc", nil)
	w.ok(err)
	for _, s := range every {
		want = append(want, s.USCC)
	}
	if len(want) != 270 {
		t.Fatalf("%d movers", len(want))
	}
	for _, steps := range [][]string{nil, {want[0]}, {"91", want[3], want[99][:12], want[269], "92"}} {
		for _, f := range head.Table("change") {
			s, err := p.sum(t.Context(), f)
			w.ok(err)
			s.steps = steps
			p.sums[f.Key] = s
		}
		for _, most := range []int{1000, 40} {
			var got []string
			for q := (Query{Most: most}); ; q.After = got[len(got)-1] {
				page, err := p.Movers(t.Context(), head, 1, 2, "B", "C", q)
				w.ok(err)
				for _, s := range page {
					got = append(got, s.USCC)
				}
				if len(page) < most {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("in stretches %q, %d at a time: %d movers, want %d", steps, most, len(got), len(want))
			}
		}
	}
	if none, err := p.Movers(t.Context(), head, 1, 2, "C", "B", Query{Most: 5}); err != nil || len(none) > 0 {
		t.Errorf("nobody rose: %v, %v", none, err)
	}
}
