package cases

import (
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

const (
	entity    = "91350100M000100Y43"
	authority = "11330000002482322Q"
)

func load(t *testing.T) *catalog.Catalog {
	t.Helper()
	cat, faults := catalog.Load(catalog.Files)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return cat
}

func day(t *testing.T, text string) catalog.Date {
	t.Helper()
	d, err := catalog.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func penalty(t *testing.T, dataset, level, decided string) Target {
	return Target{Record: "r1", Dataset: dataset, DocNo: "罚1号", Authority: authority, Kind: "penalty", Level: level, DecidedOn: day(t, decided)}
}

func TestAnApplicationIsChecked(t *testing.T) {
	cat, today := load(t), day(t, "2026-11-02")
	repair := func(target Target) Case {
		return Case{Kind: Repair, USCC: entity, Target: target, Claim: "已整改", ReceivedOn: today, Evidence: []Item{{Kind: "rectification", Title: "整改报告"}}}
	}
	objection := func(change func(*Case)) Case {
		c := Case{Kind: Objection, USCC: entity, Target: penalty(t, "cult.penalty", "general", "2026-01-05"), Claim: "有误", ReceivedOn: today}
		change(&c)
		return c
	}
	for _, c := range []struct {
		name string
		open Case
		want string // part of the refusal; empty: taken
	}{
		{"an objection with a claim and a record is taken", objection(func(*Case) {}), ""},
		{"a code is written as people write it", objection(func(c *Case) { c.USCC = " 91350100m000100y43" }), ""},
		{"an unknown kind", objection(func(c *Case) { c.Kind = "complaint" }), "no kind of case"},
		{"a code that is none", objection(func(c *Case) { c.USCC = "123" }), "no valid code"},
		{"a resident id in the code field is not repeated", objection(func(c *Case) { c.USCC = "110101199003074477" }), "110*"},
		{"no claim", objection(func(c *Case) { c.Claim = "  " }), "says nothing"},
		{"received tomorrow", objection(func(c *Case) { c.ReceivedOn = today.AddDays(1) }), "day of receipt"},
		{"no record named", objection(func(c *Case) { c.Target = Target{} }), "names no record"},
		{"a dataset that is none", objection(func(c *Case) { c.Target.Dataset = "a.b" }), "no dataset"},
		{"a policy that is none", objection(func(c *Case) { c.Policy = "mars-1" }), "no policy"},
		{"a digest that is none", objection(func(c *Case) { c.Evidence = []Item{{Title: "x", SHA256: "ABC"}} }), "no SHA-256"},
		{"evidence of an unknown kind", objection(func(c *Case) { c.Evidence = []Item{{Title: "x", Kind: "rumour"}} }), "no kind of evidence"},
		{"a claim without end", objection(func(c *Case) { c.Claim = strings.Repeat("长", mostText+1) }), "longer than"},

		{"Order 58: a penalty of three months ago can be repaired on the day", repair(penalty(t, "cult.penalty", "general", "2026-03-02")), ""},
		{"Order 36: a general one of two months ago cannot", repair(penalty(t, "cult.penalty", "general", "2026-09-02")), "from 2026-12-02 on"},
		{"Order 36: a minor one can be at once", repair(penalty(t, "cult.penalty", "minor", "2026-11-01")), ""},
		{"Order 36: a serious one after a year", repair(penalty(t, "cult.penalty", "serious", "2026-04-01")), "from 2027-04-01 on"},
		{"Order 58: work safety after a year", repair(penalty(t, "emergency.permit", "general", "2025-12-02")), "from 2026-12-02 on"},
		{"without evidence", Case{Kind: Repair, USCC: entity, Target: penalty(t, "cult.penalty", "minor", "2026-10-01"), Claim: "已整改", ReceivedOn: today}, "brings evidence"},
		{"a court's list is lifted by the court", repair(Target{Record: "r1", Kind: "judgment_debtor", DecidedOn: catalog.NoDate}), "by the court alone"},
	} {
		err := c.open.Check(cat, today)
		if c.want == "" && err != nil || c.want != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestWordsOfAnApplicationAreMasked(t *testing.T) {
	c := Case{Kind: Objection, USCC: entity, Target: Target{DocNo: "1号 110101199003074477"}, Claim: "经办人110101199003074477", ReceivedOn: day(t, "2025-01-02"),
		Evidence: []Item{{Title: "身份证110101199003074477"}}}
	if err := c.Check(load(t), day(t, "2025-01-02")); err != nil {
		t.Fatal(err)
	}
	if text := c.Claim + c.Target.DocNo + c.Evidence[0].Title; strings.Contains(text, "19900307") {
		t.Errorf("a resident id is kept: %s", text)
	}
}

func TestADecisionIsChecked(t *testing.T) {
	cat, today := load(t), day(t, "2026-06-30")
	repair := Case{Kind: Repair, Target: penalty(t, "cult.penalty", "general", "2026-02-02"), ReceivedOn: day(t, "2026-06-01")}
	objection := Case{Kind: Objection, Target: repair.Target, ReceivedOn: repair.ReceivedOn}
	good := Decision{Upheld: true, Authority: authority, DocNo: "修1号", DecidedOn: day(t, "2026-06-10"), Reason: "符合条件"}
	for _, c := range []struct {
		name   string
		of     Case
		change func(*Decision)
		want   string
	}{
		{"by who made the record, with number and reason", repair, func(*Decision) {}, ""},
		{"another body's is refused", repair, func(d *Decision) { d.Authority = entity }, "did not make the record"},
		{"nobody's is refused", repair, func(d *Decision) { d.Authority = "" }, "nobody is named"},
		{"without a number it is refused", repair, func(d *Decision) { d.DocNo = "" }, "none is named"},
		{"a repair that is not granted needs none of it", repair, func(d *Decision) { *d = Decision{DecidedOn: d.DecidedOn, Reason: "不符合"} }, ""},
		{"before the application", repair, func(d *Decision) { d.DecidedOn = day(t, "2026-05-31") }, "day of the decision"},
		{"after today", repair, func(d *Decision) { d.DecidedOn = today.AddDays(1) }, "day of the decision"},
		{"without a reason", objection, func(d *Decision) { d.Reason = " " }, "no reason"},
		{"an objection is decided by the credit office", objection, func(d *Decision) { d.Authority, d.DocNo = "", "" }, ""},
	} {
		d := good
		c.change(&d)
		err := c.of.checkDecision(&d, cat, today)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestTheClockOfACase(t *testing.T) {
	cat := load(t)
	seven := Limit{Days: 7}
	for _, c := range []struct {
		name, received, today string
		limit                 Limit
		state                 State
		waiting               string
		paused                int
		due                   string
		left                  int
		late                  bool
	}{
		{"seven working days over the National Day", "2024-09-27", "2024-09-27", seven, Accepted, "", 0, "2024-10-12", 7, false},
		{"five of Jiangyin", "2024-09-27", "2024-09-29", Limit{Days: 5}, Accepted, "", 0, "2024-10-10", 4, false},
		{"the last day is not late", "2024-09-27", "2024-10-12", seven, Accepted, "", 0, "2024-10-12", 0, false},
		{"the day behind it is", "2024-09-27", "2024-10-14", seven, Accepted, "", 0, "2024-10-12", -1, true},
		{"waiting does not stop a clock whose notice does not say so", "2024-09-27", "2024-10-14", seven, Waiting, "2024-09-29", 0, "2024-10-12", -1, true},
		{"where it says so the last day moves along", "2024-09-27", "2024-10-08", Limit{Days: 7, Pauses: true}, Waiting, "2024-09-29", 0, "2024-10-15", 6, false},
		{"and stays where it came to", "2024-09-27", "2024-10-09", Limit{Days: 7, Pauses: true}, Accepted, "", 2, "2024-10-15", 5, false},
		{"a notice without a time has no last day", "2024-09-27", "2024-12-27", Limit{}, Accepted, "", 0, "", 0, false},
		{"a year without a calendar has none either", "2031-09-27", "2031-09-27", seven, Accepted, "", 0, "", 0, false},
	} {
		of := Case{State: c.state, ReceivedOn: day(t, c.received), Limit: c.limit, PausedDays: c.paused, WaitingSince: catalog.NoDate}
		if c.waiting != "" {
			of.WaitingSince = day(t, c.waiting)
		}
		got := ClockOf(of, day(t, c.today), cat.Calendars)
		if got.Due.String() != c.due || got.Left != c.left || got.Late != c.late {
			t.Errorf("%s: due %s, %d left, late %t; want %s, %d, %t", c.name, got.Due, got.Left, got.Late, c.due, c.left, c.late)
		}
		if (got.Unknown != "") != (c.due == "") {
			t.Errorf("%s: note %q", c.name, got.Unknown)
		}
	}
}

func TestTheLimitFollowsThePolicy(t *testing.T) {
	cat := load(t)
	for _, c := range []struct {
		kind   Kind
		policy string
		days   int
	}{
		{Objection, "heilongjiang-2021", 7}, {Objection, "jiangyin-2020", 5}, {Objection, "", 5}, {Objection, "henan-2020", 0},
		{Completion, "heilongjiang-2021", 7}, {Repair, "heilongjiang-2021", RepairDays},
	} {
		if got := LimitOf(c.kind, c.policy, cat.Policies); got.Days != c.days {
			t.Errorf("%s of %q: %d working days, want %d", c.kind, c.policy, got.Days, c.days)
		}
	}
}
