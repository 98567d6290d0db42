package schedule

import (
	"strings"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

func planner(t *testing.T) Planner {
	t.Helper()
	c, faults := catalog.Load(catalog.Files)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return Planner{Calendar: c.Calendars}
}

const layout = "2006-01-02 15:04 -0700"

func TestNextTimes(t *testing.T) {
	p := planner(t)
	for _, c := range []struct {
		name, from string
		s          Schedule
		want       []string
	}{
		{"every day at a time, in Shanghai unless said otherwise", "2026-11-22 02:30 +0000", Schedule{Spec: "30 2 * * *"},
			[]string{"2026-11-23 02:30 +0800", "2026-11-24 02:30 +0800"}},
		{"a time that is now is not next", "2026-11-22 02:30 +0800", Schedule{Spec: "30 2 * * *"},
			[]string{"2026-11-23 02:30 +0800"}},
		{"29 February waits for a leap year", "2025-03-01 00:00 +0800", Schedule{Spec: "0 3 29 2 *"},
			[]string{"2028-02-29 03:00 +0800"}},
		{"working days leave out the National Day holiday and keep a Saturday that is worked", "2026-09-30 12:00 +0800", Schedule{Spec: "0 9 * * *", Days: WorkingDays},
			[]string{"2026-10-08 09:00 +0800", "2026-10-09 09:00 +0800", "2026-10-10 09:00 +0800", "2026-10-12 09:00 +0800"}},
		{"days of rest are the others", "2026-09-30 12:00 +0800", Schedule{Spec: "0 9 * * *", Days: RestDays},
			[]string{"2026-10-01 09:00 +0800", "2026-10-02 09:00 +0800", "2026-10-03 09:00 +0800"}},
		{"a year without a calendar has Monday to Friday", "2031-01-03 12:00 +0800", Schedule{Spec: "0 9 * * *", Days: WorkingDays},
			[]string{"2031-01-06 09:00 +0800"}},
		{"hourly ticks outside the window wait for its beginning and fire once there", "2026-11-22 05:30 +0800", Schedule{Spec: "0 * * * *", Window: "22:00-06:00"},
			[]string{"2026-11-22 22:00 +0800", "2026-11-22 23:00 +0800", "2026-11-23 00:00 +0800"}},
		{"a tick that already waits is not forgotten", "2026-11-22 15:00 +0800", Schedule{Spec: "0 10,23 * * *", Window: "22:00-06:00"},
			[]string{"2026-11-22 22:00 +0800", "2026-11-22 23:00 +0800", "2026-11-23 22:00 +0800"}},
		{"a tick before the window closed does not wait", "2026-11-22 15:00 +0800", Schedule{Spec: "0 5 * * *", Window: "22:00-06:00"},
			[]string{"2026-11-23 05:00 +0800"}},
		{"the end of a window is outside", "2026-11-22 00:00 +0800", Schedule{Spec: "0 6,7 * * *", Window: "07:00-08:00"},
			[]string{"2026-11-22 07:00 +0800", "2026-11-23 07:00 +0800"}},
		{"24:00 is midnight", "2026-11-22 23:30 +0800", Schedule{Spec: "*/30 * * * *", Window: "23:00-24:00"},
			[]string{"2026-11-23 23:00 +0800", "2026-11-23 23:30 +0800"}},
		{"a tick keeps its own day's condition though it fires the next morning", "2026-11-20 12:00 +0800", Schedule{Spec: "0 23,6 * * *", Window: "06:00-08:00", Days: WorkingDays},
			[]string{"2026-11-21 06:00 +0800", "2026-11-23 06:00 +0800"}},
		{"a time that the clock jumps over in spring fires at the jump", "2026-03-07 12:00 -0500", Schedule{Spec: "30 2 * * *", Zone: "America/New_York"},
			[]string{"2026-03-08 03:00 -0400", "2026-03-09 02:30 -0400"}},
		{"a time that the clock shows twice in autumn fires once, the first time", "2026-10-31 12:00 -0400", Schedule{Spec: "30 1 * * *", Zone: "America/New_York"},
			[]string{"2026-11-01 01:30 -0400", "2026-11-02 01:30 -0500"}},
		{"every hour goes by the hours that pass", "2026-11-01 00:30 -0400", Schedule{Spec: "0 * * * *", Zone: "America/New_York"},
			[]string{"2026-11-01 01:00 -0400", "2026-11-01 01:00 -0500", "2026-11-01 02:00 -0500"}},
		{"a zone whose midnight does not exist once a year", "2018-11-03 12:00 -0300", Schedule{Spec: "0 0 * * *", Zone: "America/Sao_Paulo"},
			[]string{"2018-11-04 01:00 -0200", "2018-11-05 00:00 -0200"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, err := time.Parse(layout, c.from)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Next(c.s, from, len(c.want))
			if err != nil {
				t.Fatal(err)
			}
			for i, at := range got {
				if at.Format(layout) != c.want[i] {
					t.Errorf("time %d is %s, not %s", i, at.Format(layout), c.want[i])
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("%d times, not %d", len(got), len(c.want))
			}
		})
	}
}

func TestWhatCanNeverFireIsRefused(t *testing.T) {
	p := planner(t)
	good := Schedule{ID: "nightly", Spec: "30 2 * * *", Work: Work{Do: DoRun}}
	from := time.Date(2026, 11, 22, 2, 30, 0, 0, time.UTC)
	with := func(change func(*Schedule)) Schedule {
		s := good
		change(&s)
		return s
	}
	for _, c := range []struct {
		name string
		s    Schedule
		says string
	}{
		{"30 February", with(func(s *Schedule) { s.Spec = "0 0 30 2 *" }), "never comes"},
		{"31 November", with(func(s *Schedule) { s.Spec, s.Days = "0 9 31 11 *", WorkingDays }), "never comes on a working day"},
		{"never inside its window", with(func(s *Schedule) { s.Spec, s.Window = "0 10 * * *", "22:00-06:00" }), "lies in the window"},
		{"a window without length", with(func(s *Schedule) { s.Window = "22:00-22:00" }), "begins where it ends"},
		{"a window that is none", with(func(s *Schedule) { s.Window = "nights" }), "no window"},
		{"a window past midnight by number", with(func(s *Schedule) { s.Window = "22:00-25:00" }), "no window"},
		{"a zone in front, on which the parser panics", with(func(s *Schedule) { s.Spec = "TZ=Asia/Shanghai" }), "five fields"},
		{"a zone in front of five fields", with(func(s *Schedule) { s.Spec = "TZ=Asia/Shanghai 0 0 * * *" }), "five fields"},
		{"a zone in the place of a field", with(func(s *Schedule) { s.Spec = "TZ= 0 0 * *" }), "five fields"},
		{"six fields", with(func(s *Schedule) { s.Spec = "0 30 2 * * *" }), "five fields"},
		{"a word", with(func(s *Schedule) { s.Spec = "@daily" }), "five fields"},
		{"Sunday as 7", with(func(s *Schedule) { s.Spec = "0 0 * * 7" }), "Sunday is 0"},
		{"no zone of this world", with(func(s *Schedule) { s.Zone = "Asia/Wugang" }), "no time zone"},
		{"the machine's own zone", with(func(s *Schedule) { s.Zone = "Local" }), "no time zone"},
		{"neither times nor datasets", with(func(s *Schedule) { s.Spec = "" }), "either"},
		{"times and datasets", with(func(s *Schedule) { s.Fresh = []string{"amr.reg"} }), "either"},
		{"unknown days", with(func(s *Schedule) { s.Days = "holidays" }), "not known"},
		{"unknown catch-up", with(func(s *Schedule) { s.CatchUp = "some" }), "skip, once or all"},
		{"unknown overlap", with(func(s *Schedule) { s.Overlap = "both" }), "skip or queue"},
		{"a cap below one", with(func(s *Schedule) { s.Cap = -1 }), "cap"},
		{"an id with a space", with(func(s *Schedule) { s.ID = "a b" }), "no id"},
		{"no work", with(func(s *Schedule) { s.Work.Do = "" }), "do is"},
		{"a source to score", with(func(s *Schedule) { s.Work = Work{Do: DoScore, Source: "court"} }), "pulls nothing"},
		{"a stretch every night", with(func(s *Schedule) {
			s.Work = Work{Do: DoPull, Source: "court", Datasets: []string{"court.debtor"}, Again: &Again{From: "1", Until: "2"}}
		}), "no work for a schedule"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := p.Validate(c.s, from)
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the answer is %v", err)
			}
		})
	}
	saved, err := p.Validate(good, from)
	if err != nil || saved.Zone != DefaultZone || saved.CatchUp != CatchUpOnce || saved.Overlap != OverlapSkip || saved.Cap != 10 || saved.NextAt.IsZero() {
		t.Errorf("%+v, %v", saved, err)
	}
}

func FuzzSpec(f *testing.F) {
	for _, s := range []string{"30 2 * * *", "TZ=Asia/Shanghai", "0 0 30 2 *", "*/0 * * * *", "1-0 * * * *", "* * * * 7"} {
		f.Add(s, "22:00-06:00", "")
	}
	p := Planner{}
	from := time.Date(2026, 11, 22, 2, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, spec, window, zone string) {
		s, err := p.Validate(Schedule{ID: "x", Spec: spec, Window: window, Zone: zone, Work: Work{Do: DoSettle}}, from)
		if err == nil && !s.NextAt.After(from) {
			t.Errorf("%q %q %q fires at %s", spec, window, zone, s.NextAt)
		}
	})
}
