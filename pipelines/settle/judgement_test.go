package settle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
)

// judge puts a judgement into the lake, which must take it.
func judge(t *testing.T, l Lake, j Judgement) JudgedResult {
	t.Helper()
	r, err := settler(t, l).Judge(t.Context(), "judge-run", named(j))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// named gives a judgement a name and a reason, which all need.
func named(j Judgement) Judgement {
	j.By, j.Reason = "张三", "同一企业"
	return j
}

// threeDebtors settles a record of each of three codes, a registration and a number.
func threeDebtors(t *testing.T, dir string) *lake.Lake {
	t.Helper()
	l := openLake(t, dir)
	var debts []row
	for _, code := range append([]string{"410481100001238"}, codes[1:4]...) {
		debts = append(debts, row{"record_key": code, "uscc": code, "kind": "tax_arrears", "announced_on": "2025-04-01", "received_on": "2025-10-28"})
	}
	stageRows(t, l, "tax.arrears", debts...)
	stageRows(t, l, "amr.reg", row{"record_key": codes[1], "uscc": codes[1], "level": "active", "established_on": "2012-05-06", "received_on": "2025-10-28"})
	settleNow(t, l)
	return l
}

func TestAJudgementIsACommitOfItselfAlone(t *testing.T) {
	l := threeDebtors(t, t.TempDir())
	before, _ := l.Head(t.Context(), chain.Settled)
	r := judge(t, l, Judgement{Kind: Merge, From: codes[1], Into: codes[2], Evidence: "信用办〔2026〕1号"})
	if !r.Committed || r.ID != "J2" || r.N != 2 || r.EffectiveOn.String() != "2026-01-12" {
		t.Fatalf("%+v", r)
	}
	after, _ := l.Head(t.Context(), chain.Settled)
	for _, table := range []string{Record, Entity, Mark, Coverage, Alias} {
		if !slices.Equal(before.Table(table), after.Table(table)) {
			t.Errorf("a judgement wrote %s anew", table)
		}
	}
	wants(t, l, "select judgement_id, kind, uscc, entity_id, successor, successor_id, effective_on, decided_by, reason, evidence, known_from from judgement",
		"J2 merge "+codes[1]+" 2 "+codes[2]+" 3 2026-01-12 张三 同一企业 信用办〔2026〕1号 2")
	if again := judge(t, l, Judgement{Kind: Merge, From: codes[1], Into: codes[2]}); again.Committed || again.ID != "J2" || again.N != 2 {
		t.Errorf("the same judgement again: %+v", again)
	}
	if r := settleNow(t, l); r.Committed {
		t.Error("a judgement made settled rows look new")
	}
}

func TestJudgementsThatContradictWhatStandsAreRefused(t *testing.T) {
	l := threeDebtors(t, t.TempDir())
	judge(t, l, Judgement{Kind: Merge, From: codes[1], Into: codes[2]}) // J2
	judge(t, l, Judgement{Kind: Merge, From: codes[2], Into: codes[3]}) // J3: a chain
	debt := ask(t, l, "select record_id from record where family <> 'registration' and uscc = '"+codes[1]+"'")[0]
	registration := ask(t, l, "select record_id from record where family = 'registration'")[0]
	judge(t, l, Judgement{Kind: Split, From: codes[3], Into: codes[1], Records: []string{debt}, Datasets: []string{"cult.penalty"}}) // J4
	for _, c := range []struct {
		name string
		j    Judgement
		code fault.Code
		says string
	}{
		{"into itself", Judgement{Kind: Merge, From: codes[1], Into: codes[1]}, fault.Invalid, "itself"},
		{"a cycle", Judgement{Kind: Merge, From: codes[3], Into: codes[1]}, fault.Conflict, "was itself merged into"},
		{"merged already", Judgement{Kind: Merge, From: codes[1], Into: codes[3]}, fault.Conflict, "undo J2"},
		{"from a code nobody knows", Judgement{Kind: Merge, From: codes[30], Into: codes[3]}, fault.NotFound, codes[30]},
		{"into a code nobody knows", Judgement{Kind: Merge, From: codes[3], Into: codes[30]}, fault.NotFound, codes[30]},
		{"into a number", Judgement{Kind: Merge, From: codes[3], Into: "410481100001238"}, fault.Invalid, "before 2015"},
		{"nothing split off", Judgement{Kind: Split, From: codes[3], Into: codes[1]}, fault.Invalid, "neither records nor datasets"},
		{"a merge of parts", Judgement{Kind: Merge, From: codes[3], Into: codes[1], Records: []string{debt}}, fault.Invalid, "only a split"},
		{"a record nobody knows", Judgement{Kind: Split, From: codes[3], Into: codes[1], Records: []string{"feed"}}, fault.NotFound, "feed"},
		{"a registration", Judgement{Kind: Split, From: codes[1], Into: codes[2], Records: []string{registration}}, fault.Invalid, "registration"},
		{"a record split off already", Judgement{Kind: Split, From: codes[3], Into: codes[2], Records: []string{debt}}, fault.Conflict, "undo J4"},
		{"a record twice", Judgement{Kind: Split, From: codes[2], Into: codes[3], Records: []string{debt, debt}}, fault.Conflict, "this one"},
		{"a dataset nobody knows", Judgement{Kind: Split, From: codes[3], Into: codes[2], Datasets: []string{"x.y"}}, fault.NotFound, "x.y"},
		{"an undo of nothing", Judgement{Kind: Undo, Undoes: "J9"}, fault.NotFound, "J9"},
		{"an undo without a judgement", Judgement{Kind: Undo}, fault.Invalid, "names no judgement"},
		{"no such kind", Judgement{Kind: "swap", From: codes[1], Into: codes[2]}, fault.Invalid, "swap"},
	} {
		_, err := settler(t, l).Judge(t.Context(), "run", named(c.j))
		if !fault.Is(err, c.code) || !strings.Contains(told(err), c.says) {
			t.Errorf("%s: %v, want %s saying %q", c.name, told(err), c.code, c.says)
		}
	}
	if _, err := settler(t, l).Judge(t.Context(), "run", Judgement{Kind: Undo, Undoes: "J2", By: "张三"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a judgement without a reason: %v", err)
	}
	if undone := judge(t, l, Judgement{Kind: Undo, Undoes: "J2"}); undone.ID != "J5" {
		t.Errorf("%+v", undone)
	}
	if again := judge(t, l, Judgement{Kind: Undo, Undoes: "J2"}); again.Committed || again.ID != "J5" {
		t.Errorf("undone twice: %+v", again)
	}
	if _, err := settler(t, l).Judge(t.Context(), "run", named(Judgement{Kind: Undo, Undoes: "J5"})); !fault.Is(err, fault.Invalid) {
		t.Errorf("an undo undone: %v", err)
	}
	// What was taken back is free to be judged anew, the other way round as well.
	if r := judge(t, l, Judgement{Kind: Merge, From: codes[3], Into: codes[1]}); r.ID != "J6" {
		t.Errorf("%+v", r)
	}
}

// told is an error with its hint.
func told(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Error() + " " + f.Hint
	}
	return fmt.Sprint(err)
}

// Of two nodes that judge at once one is first; the other looks again and finds what stands.
func TestAJudgementThatLosesIsCheckedAgain(t *testing.T) {
	l := threeDebtors(t, t.TempDir())
	rival := &rivalled{Lake: l}
	rival.before = func() { judge(t, l, Judgement{Kind: Merge, From: codes[2], Into: codes[1]}) }
	_, err := settler(t, rival).Judge(t.Context(), "loser", named(Judgement{Kind: Merge, From: codes[1], Into: codes[2]}))
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "was itself merged into") {
		t.Errorf("a cycle made by two nodes: %v", err)
	}
	wants(t, l, "select judgement_id, uscc from judgement", "J2 "+codes[2])
}

func TestAJudgementKilledAnywhereStandsOnceOrNotAtAll(t *testing.T) {
	for _, point := range []string{"c0:1", "c1:1", "c2:1", "c3:1"} {
		dir := t.TempDir()
		threeDebtors(t, dir)
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), childDir+"="+dir, childJudges+"=1", fault.CrashEnv+"="+point)
		if err := child.Run(); err == nil || child.ProcessState.ExitCode() != -1 {
			t.Fatalf("%s: the process was not killed: %v", point, err)
		}
		l := openLake(t, dir)
		r := judge(t, l, Judgement{Kind: Merge, From: codes[1], Into: codes[2]})
		if r.Committed != (point != "c3:1") {
			t.Errorf("killed at %s: %+v", point, r)
		}
		wants(t, l, "select judgement_id, kind, uscc from judgement", "J2 merge "+codes[1])
	}
}

// childJudges makes the process that gets killed judge instead of settle.
const childJudges = "XINSHU_SETTLE_CHILD_JUDGES"

func judgeAndExit(s *Settler) int {
	if _, err := s.Judge(context.Background(), "child", named(Judgement{Kind: Merge, From: codes[1], Into: codes[2]})); err != nil {
		return 1
	}
	return 0
}
