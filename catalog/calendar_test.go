package catalog

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"xinshu/internal/fault"
)

func day(t *testing.T, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDeadlines(t *testing.T) {
	for _, c := range []struct{ start, five, seven string }{
		{"2020-01-22", "2020-02-06", "2020-02-10"},
		{"2023-09-27", "2023-10-10", "2023-10-12"},
		{"2024-09-27", "2024-10-10", "2024-10-12"}, // a Saturday, made up
		{"2025-01-24", "2025-02-07", "2025-02-10"},
		{"2026-02-12", "2026-02-26", "2026-02-28"}, // a Saturday, made up
		{"2026-09-30", "2026-10-13", "2026-10-15"},
	} {
		for n, want := range map[int]string{0: c.start, 5: c.five, 7: c.seven} {
			d, err := shipped().Calendars.AddWorkdays(day(t, c.start), n)
			if err != nil || d.String() != want {
				t.Errorf("%s and %d working days: got %s, %v, want %s", c.start, n, d, err, want)
			}
			if back, err := shipped().Calendars.Workdays(day(t, c.start), d); err != nil || back != n {
				t.Errorf("from %s to %s: got %d, %v, want %d", c.start, d, back, err, n)
			}
		}
	}
}

func TestAddWorkdaysAgreesWithCountingDayByDay(t *testing.T) {
	c := shipped().Calendars
	start := day(t, "2020-12-20")
	n := 0
	for d := start.AddDays(1); d <= day(t, "2022-01-20"); d++ {
		working, err := c.IsWorkday(d)
		if err != nil {
			t.Fatal(err)
		}
		if working {
			n++
			if got, err := c.AddWorkdays(start, n); err != nil || got != d {
				t.Fatalf("%d working days: got %s, %v, want %s", n, got, err, d)
			}
		}
		if got, _ := c.Workdays(start, d); got != n {
			t.Fatalf("up to %s: got %d, want %d", d, got, n)
		}
	}
}

func TestAYearWithoutCalendarIsAClearError(t *testing.T) {
	c := shipped().Calendars
	_, err := c.AddWorkdays(day(t, "2026-12-30"), 7)
	if !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "no calendar of 2027") || !strings.Contains(err.Error(), "calendars/2027.yaml") {
		t.Errorf("got %v", err)
	}
	if d, err := c.AddWorkdays(day(t, "2026-12-30"), 1); err != nil || d.String() != "2026-12-31" {
		t.Errorf("the year itself is known: %v, %v", d, err)
	}
	if _, err := c.Workdays(day(t, "2019-12-01"), day(t, "2020-02-01")); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := c.AddWorkdays(NoDate, 1); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

func TestAYearIsAddedByItsFile(t *testing.T) {
	files := fstest.MapFS{}
	for _, year := range []string{"calendars/2025.yaml", "calendars/2026.yaml"} {
		text, err := fs.ReadFile(Files, year)
		if err != nil {
			t.Fatal(err)
		}
		files[year] = &fstest.MapFile{Data: text}
	}
	files["calendars/2027.yaml"] = &fstest.MapFile{Data: []byte("year: 2027\noff: [\"01-01\"]\nwork: [\"01-03\"]\n")}
	c, _ := Load(files)
	if d, err := c.Calendars.AddWorkdays(day(t, "2026-12-31"), 1); err != nil || d.String() != "2027-01-03" {
		t.Errorf("got %v, %v; the Sunday is made up", d, err)
	}
}

func TestFaultsOfACalendar(t *testing.T) {
	for text, want := range map[string]string{
		"year: 2027\noff: [\"01-02\"]\nwork: []\n":          "y.yaml:2: 2027-01-02 is on a weekend, which is free anyway",
		"year: 2027\noff: []\nwork: [\"01-04\"]\n":          "y.yaml:3: 2027-01-04 is Monday to Friday, a working day anyway",
		"year: 2027\noff:\n  - \"01-01\"\n  - \"02-30\"\n":  `y.yaml:4: "02-30" is no day of 2027 in the form 01-31`,
		"year: 2027\noff: [\"01-01\", \"01-01\"]\n":         "y.yaml:2: 2027-01-01 is given twice",
		"year: 2025\noff: [\"01-01\"]\nworking_days: 248\n": "y.yaml:3: the days come to 260 working days, not to 248",
		"year: 27\n":                 "y.yaml:1: 27 is no year of this calendar",
		"year: 2027\nholidays: []\n": `y.yaml:2: key "holidays" is unknown here`,
	} {
		var y Year
		at, faults := decode("y.yaml", []byte(text), &y)
		if len(faults) == 0 {
			faults = y.faults(at)
		}
		if len(faults) != 1 || faults[0].Error() != want {
			t.Errorf("%q: got %v, want %s", text, faults, want)
		}
	}
}
