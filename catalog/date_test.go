package catalog

import (
	"testing"
	"time"
)

func TestDatesAgreeWithTheTimePackage(t *testing.T) {
	for day := time.Date(1899, 12, 25, 0, 0, 0, 0, time.UTC); day.Year() < 2101; day = day.AddDate(0, 0, 1) {
		d, ok := MakeDate(day.Year(), int(day.Month()), day.Day())
		if !ok || !d.Time().Equal(day) || DateOf(day) != d {
			t.Fatalf("%s became %v", day, d)
		}
	}
}

func TestParseDate(t *testing.T) {
	if d, err := ParseDate("2024-02-29"); err != nil || d.String() != "2024-02-29" {
		t.Errorf("got %v, %v", d, err)
	}
	for _, s := range []string{"", "2023-02-29", "2024-2-29", "20240229", "2024-13-01", "2024-00-10", "2024-01-32", "0000-01-01", " 2024-01-01"} {
		if d, err := ParseDate(s); err == nil || d != NoDate {
			t.Errorf("%q taken for %v", s, d)
		}
	}
}

func TestParseAnyDate(t *testing.T) {
	for s, want := range map[string]string{
		"2021-10-05": "2021-10-05", "2021/10/5": "2021-10-05", "2021.1.5": "2021-01-05", "20211005": "2021-10-05", "2021年10月5日": "2021-10-05",
		" 2021-10-05 ": "2021-10-05", "2021-10-05 23:59:59": "2021-10-05", "2021-10-05T08:00": "2021-10-05", "20211005235959": "2021-10-05",
		"2021/10/5 8:30": "2021-10-05", "2021年10月5日 08:30:00": "2021-10-05", "2021-10-05 00:00:00.0": "2021-10-05",
		"2021-10-05T16:00:00Z": "2021-10-06", "2021-10-05T23:30:00.123+08:00": "2021-10-05", "2021-10-05 23:30:00 -0100": "2021-10-06",
	} {
		if d, err := ParseAnyDate(s); err != nil || d.String() != want {
			t.Errorf("%q: got %v, %v, want %s", s, d, err, want)
		}
	}
	for _, s := range []string{"", "2021", "2021-10", "2021-10-05x", "2021-10-051", "2021-02-30", "2021年10月5", "2021/10-5", "202110055", "2021-10-05 25:00", "2021-10-05 10", "05/10/2021", "2021-10-05 10:00:00 +9900"} {
		if d, err := ParseAnyDate(s); err == nil || d != NoDate {
			t.Errorf("%q taken for %v", s, d)
		}
	}
}

func TestParseAnyTimeIsShanghaiWallTime(t *testing.T) {
	for s, want := range map[string]string{
		"2021-10-05": "2021-10-05T00:00:00.000000", "2021-10-05 08:30:15": "2021-10-05T08:30:15.000000",
		"2021-10-05T00:30:15.1234567Z": "2021-10-05T08:30:15.123456", "20211005083015": "2021-10-05T08:30:15.000000",
	} {
		micros, err := ParseAnyTime(s)
		if got := time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000000"); err != nil || got != want {
			t.Errorf("%q: got %s, %v, want %s", s, got, err, want)
		}
	}
}

func TestAddMonthsKeepsWithinTheMonth(t *testing.T) {
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2024-01-31", 1, "2024-02-29"}, {"2023-01-31", 1, "2023-02-28"}, {"2024-02-29", 12, "2025-02-28"}, {"2021-12-31", -12, "2020-12-31"},
		{"2021-03-31", -1, "2021-02-28"}, {"2021-12-15", 1, "2022-01-15"}, {"2021-01-15", -1, "2020-12-15"},
	} {
		d, err := ParseDate(c.from)
		if got := d.AddMonths(c.n).String(); err != nil || got != c.want {
			t.Errorf("%s %+d months: got %s, want %s", c.from, c.n, got, c.want)
		}
	}
	if NoDate.AddMonths(1) != NoDate || NoDate.AddDays(1) != NoDate || NoDate.String() != "" {
		t.Error("an absent date must stay absent")
	}
}

func FuzzParseAnyDate(f *testing.F) {
	f.Add("2021-10-05T16:00:00Z")
	f.Add("2021年10月5日")
	f.Add("20211005235959")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseAnyDate(s)
		if (err == nil) == (d == NoDate) {
			t.Fatalf("%q: %v, %v", s, d, err)
		}
	})
}
