package cases

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// desk is rows and lake in memory; a step may be cut off before the lake or the row hears of it.
type desk struct {
	cases   map[string]Case
	history []string
	marks   map[string]Mark
	cutLake bool // the lake does not hear
	cutRow  int  // rows stored from now until one is not; 0: all are
}

var errCut = errors.New("killed")

func (d *desk) AddCase(_ context.Context, c Case, e Event) (Case, error) {
	c.No, c.Version = fmt.Sprintf("%s-20251103-%04d", map[Kind]string{Objection: "YY", Repair: "XF", Completion: "BC"}[c.Kind], len(d.cases)+1), 1
	d.cases[c.No], d.history = c, append(d.history, string(e.What)+" by "+e.By)
	return c, nil
}

func (d *desk) RestoreCase(_ context.Context, c Case, e Event) (bool, error) {
	if _, there := d.cases[c.No]; there {
		return false, nil
	}
	c.Version = 1
	d.cases[c.No], d.history = c, append(d.history, string(e.What)+" by "+e.By)
	return true, nil
}

func (d *desk) SaveCase(_ context.Context, c Case, e Event) (Case, error) {
	if d.cutRow > 0 {
		if d.cutRow--; d.cutRow == 0 {
			return c, errCut
		}
	}
	if d.cases[c.No].Version != c.Version {
		return c, fault.Newf(fault.Conflict, "store", "changed")
	}
	c.Version++
	d.cases[c.No], d.history = c, append(d.history, string(e.What)+" by "+e.By)
	return c, nil
}

func (d *desk) Case(_ context.Context, no string) (Case, []Event, error) {
	c, ok := d.cases[no]
	if !ok {
		return c, nil, fault.Newf(fault.NotFound, "find", "none")
	}
	return c, nil, nil
}

func (d *desk) Cases(context.Context, Filter) ([]Case, error) { return nil, nil }

func (d *desk) State(_ context.Context, m Mark) error {
	if d.cutLake {
		return errCut
	}
	d.marks[m.ID] = m
	return nil
}

// said are the lake's marks, openings first.
func (d *desk) said() []Said {
	var all []Said
	for _, kind := range []string{"open", "decision"} {
		for id, m := range d.marks {
			if id == markPrefix+CaseOf(id)+"_"+kind {
				all = append(all, Said{m, m.EffectiveOn})
			}
		}
	}
	return all
}

func newOffice(t *testing.T, review ...Kind) (*Office, *desk) {
	d := &desk{cases: map[string]Case{}, marks: map[string]Mark{}}
	now := time.Date(2025, 11, 3, 9, 0, 0, 0, time.UTC)
	return &Office{Catalog: load(t), Rows: d, Lake: d, Now: func() time.Time { return now }, Review: review}, d
}

func (o *Office) taken(t *testing.T, kind Kind) Case {
	t.Helper()
	c, err := o.Open(t.Context(), Case{Kind: kind, USCC: entity, Target: Target{Record: "r1", Kind: "penalty", Level: "minor", Authority: authority, DecidedOn: day(t, "2025-01-02")},
		Claim: "有误", ReceivedOn: catalog.NoDate, Evidence: []Item{{Kind: "report", Title: "报告"}}}, "张三")
	if err == nil {
		c, err = o.Accept(t.Context(), c.No, "张三")
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var granted = Decision{Upheld: true, Authority: authority, DocNo: "决1号", DecidedOn: catalog.NoDate, Reason: "属实"}

func TestWhatACaseSaysInTheLake(t *testing.T) {
	refused := Decision{DecidedOn: catalog.NoDate, Reason: "不属实"}
	for _, c := range []struct {
		name     string
		kind     Kind
		decision Decision
		state    State
		mark     string // kind of the decision's mark; empty: none
	}{
		{"an objection upheld", Objection, granted, Upheld, "objection_upheld"},
		{"an objection rejected ends the dispute", Objection, refused, Rejected, "objection_rejected"},
		{"a repair", Repair, granted, Upheld, "repair"},
		{"a repair that is not granted says nothing about the record", Repair, refused, Rejected, ""},
		{"a completion", Completion, granted, Upheld, "completion"},
	} {
		o, d := newOffice(t)
		open := o.taken(t, c.kind)
		if _, disputed := d.marks["case-"+open.No+"_open"]; disputed != (c.kind == Objection) {
			t.Errorf("%s: disputed %t", c.name, disputed)
		}
		for range 2 { // a repeated decision changes nothing
			got, err := o.Decide(t.Context(), open.No, "李四", c.decision)
			if err != nil || got.State != c.state {
				t.Fatalf("%s: %s, %v", c.name, got.State, err)
			}
		}
		if m := d.marks["case-"+open.No+"_decision"]; m.Kind != c.mark || c.mark != "" && m.EffectiveOn != day(t, "2025-11-03") {
			t.Errorf("%s: mark %+v", c.name, m)
		}
		other := c.decision
		other.Upheld = !other.Upheld
		if _, err := o.Decide(t.Context(), open.No, "王五", other); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: decided otherwise: %v", c.name, err)
		}
		if want := 4; len(d.history) != want {
			t.Errorf("%s: history %v", c.name, d.history)
		}
	}
}

func TestTwoPersonsDecideWhereTheInstallationSaysSo(t *testing.T) {
	o, d := newOffice(t, Repair)
	c := o.taken(t, Repair)
	got, err := o.Decide(t.Context(), c.No, "李四", granted)
	if err != nil || got.State != Proposed || len(d.marks) != 0 {
		t.Fatalf("proposed: %s, %v, %v", got.State, err, d.marks)
	}
	if _, err := o.Confirm(t.Context(), c.No, "李四"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("who proposed confirmed it: %v", err)
	}
	if got, err = o.Return(t.Context(), c.No, "王五", "缺承诺书"); err != nil || got.State != Accepted || got.Decision != nil {
		t.Fatalf("returned: %+v, %v", got, err)
	}
	if _, err = o.Decide(t.Context(), c.No, "李四", granted); err != nil {
		t.Fatal(err)
	}
	if got, err = o.Confirm(t.Context(), c.No, "王五"); err != nil || got.State != Upheld || got.Decision.ReviewedBy != "王五" || len(d.marks) != 1 {
		t.Errorf("confirmed: %+v, %v", got, err)
	}
}

func TestAStepThatTheStateDoesNotLeadToIsRefused(t *testing.T) {
	o, _ := newOffice(t)
	c := o.taken(t, Objection)
	for name, step := range map[string]func() (Case, error){
		"confirm what nobody proposed": func() (Case, error) { return o.Confirm(t.Context(), c.No, "李四") },
		"supply what nobody asked for": func() (Case, error) { return o.Supply(t.Context(), c.No, "李四", nil, "") },
		"refuse what was accepted":     func() (Case, error) { return o.Refuse(t.Context(), c.No, "李四", "不") },
		"close what is not decided":    func() (Case, error) { return o.Close(t.Context(), c.No, "李四") },
	} {
		if _, err := step(); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAWithdrawnObjectionEndsTheDispute(t *testing.T) {
	o, d := newOffice(t)
	c := o.taken(t, Objection)
	for range 2 {
		got, err := o.Withdraw(t.Context(), c.No, "李四", "企业撤回")
		if err != nil || got.State != Withdrawn {
			t.Fatalf("%s, %v", got.State, err)
		}
	}
	if m := d.marks["case-"+c.No+"_decision"]; m.Kind != "objection_rejected" {
		t.Errorf("mark %+v", m)
	}
	before := d.cases[c.No]
	delete(d.cases, c.No)
	if n, err := o.Catch(t.Context(), d.said()); err != nil || n == 0 || d.cases[c.No].State != before.State {
		t.Errorf("restored from the lake as %s, %v", d.cases[c.No].State, err)
	}
}

// TestAKillAtEachWriteLosesAndDoublesNothing cuts a case off before every durable write, and lets it go
// on either by the same step or by catching up with the lake.
func TestAKillAtEachWriteLosesAndDoublesNothing(t *testing.T) {
	for _, kind := range Kinds {
		for _, cut := range []struct {
			name string
			do   func(*desk)
		}{
			{"before the decision is written down", func(d *desk) { d.cutRow = 1 }},
			{"before the lake hears of it", func(d *desk) { d.cutLake = true }},
			{"before the row says so", func(d *desk) { d.cutRow = 2 }},
		} {
			for _, catch := range []bool{false, true} {
				o, d := newOffice(t)
				c := o.taken(t, kind)
				cut.do(d)
				if _, err := o.Decide(t.Context(), c.No, "李四", granted); !errors.Is(err, errCut) {
					t.Fatalf("%s, %s: not cut off: %v", kind, cut.name, err)
				}
				d.cutLake, d.cutRow = false, 0
				if catch {
					if _, err := o.Catch(t.Context(), d.said()); err != nil {
						t.Fatal(err)
					}
				}
				got, err := o.Decide(t.Context(), c.No, "李四", granted)
				if err != nil || got.State != Upheld {
					t.Errorf("%s, %s: %s, %v", kind, cut.name, got.State, err)
				}
				if want := map[Kind]int{Objection: 2}[kind]; len(d.marks) != max(want, 1) {
					t.Errorf("%s, %s: marks %v", kind, cut.name, d.marks)
				}
			}
		}
	}
}

func TestCasesComeBackFromTheLake(t *testing.T) {
	o, d := newOffice(t)
	var want []Case
	for _, kind := range Kinds {
		c := o.taken(t, kind)
		if kind != Objection {
			if _, err := o.Decide(t.Context(), c.No, "李四", granted); err != nil {
				t.Fatal(err)
			}
		}
		want = append(want, d.cases[c.No])
	}
	d.cases = map[string]Case{}
	for round, changed := range []bool{true, false} {
		n, err := o.Catch(t.Context(), d.said())
		if err != nil || (n > 0) != changed {
			t.Errorf("round %d: %d cases caught, %v", round, n, err)
		}
	}
	for _, w := range want {
		got := d.cases[w.No]
		if got.State != w.State || got.Kind != w.Kind || got.USCC != w.USCC || got.Target.Record != w.Target.Record || got.ReceivedOn != w.ReceivedOn {
			t.Errorf("%s came back as %+v", w.No, got)
		}
	}
}
