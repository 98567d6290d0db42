package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"xinshu/internal/fault"
)

// Year is one year's calendar file: what the State Council's notices change about Monday to Friday.
type Year struct {
	Year        int      `yaml:"year" json:"year"`
	Off         []string `yaml:"off" json:"off"`                   // MM-DD: weekdays without work
	Work        []string `yaml:"work" json:"work"`                 // MM-DD: weekend days made up
	WorkingDays int      `yaml:"working_days" json:"working_days"` // what the year must come to; 0: not said
	File        string   `yaml:"-" json:"file"`
}

// Calendar counts working days over the years it knows. The zero Calendar knows none.
type Calendar struct {
	years map[int]yearDays
}

type yearDays struct {
	source  Year
	first   Date
	through []int16 // working days from 1 January up to and including the day, by day of the year
}

// Years gives the years that the calendar knows, in order.
func (c Calendar) Years() []Year {
	all := make([]Year, 0, len(c.years))
	for _, y := range c.years {
		all = append(all, y.source)
	}
	slices.SortFunc(all, func(a, b Year) int { return cmp.Compare(a.Year, b.Year) })
	return all
}

// IsWorkday reports whether a day is a working day.
func (c Calendar) IsWorkday(d Date) (bool, error) {
	n, err := c.Workdays(d.AddDays(-1), d)
	return n == 1, err
}

// Workdays counts the working days after from, up to and including to: by the usual civil counting the first
// day is day 0. It is 0 when to is not after from.
func (c Calendar) Workdays(from, to Date) (int, error) {
	if from == NoDate || to == NoDate {
		return 0, fault.Newf(fault.Invalid, "count working days", "a day is missing")
	}
	if to <= from {
		return 0, nil
	}
	n := 0
	for first := from.AddDays(1); first <= to; {
		y, err := c.year(first)
		if err != nil {
			return 0, err
		}
		last := min(to, y.first.AddDays(len(y.through)-1))
		n += y.upTo(last) - y.upTo(first.AddDays(-1))
		first = last.AddDays(1)
	}
	return n, nil
}

// AddWorkdays gives the n-th working day after start, which is day 0 whatever day it is; n is not negative.
// A year without a calendar on the way is an error of code not_found: the deadline cannot be known yet.
func (c Calendar) AddWorkdays(start Date, n int) (Date, error) {
	if n < 0 || start == NoDate {
		return NoDate, fault.Newf(fault.Invalid, "add working days", "%d working days from %q: a day and a number from 0 are needed", n, start)
	}
	d := start
	for n > 0 {
		d = d.AddDays(1)
		y, err := c.year(d)
		if err != nil {
			return NoDate, err
		}
		before := y.upTo(d.AddDays(-1))
		if left := y.total() - before; left < n {
			n -= left
			d = y.first.AddDays(len(y.through) - 1)
			continue
		}
		i, _ := slices.BinarySearch(y.through, int16(before+n))
		return y.first.AddDays(i), nil
	}
	return d, nil
}

func (c Calendar) year(d Date) (yearDays, error) {
	year, _, _ := d.Civil()
	y, ok := c.years[year]
	if !ok {
		return yearDays{}, &fault.Error{
			Op: "count working days", Code: fault.NotFound, Err: fmt.Errorf("no calendar of %d", year),
			Hint: fmt.Sprintf("import the year's file as calendars/%d.yaml once the State Council's notice is out", year),
		}
	}
	return y, nil
}

// upTo counts from 1 January of the year up to and including d, which may be the day before.
func (y yearDays) upTo(d Date) int {
	if d < y.first {
		return 0
	}
	return int(y.through[d-y.first])
}

func (y yearDays) total() int { return int(y.through[len(y.through)-1]) }

// count turns the notices into running totals. The year has no faults.
func (y Year) count() yearDays {
	off, work := y.days(y.Off), y.days(y.Work)
	days := yearDays{source: y, first: civil(y.Year, 1, 1)}
	total := int16(0)
	for d, end := days.first, civil(y.Year, 12, 31); d <= end; d++ {
		if !weekend(d) && !slices.Contains(off, d) || slices.Contains(work, d) {
			total++
		}
		days.through = append(days.through, total)
	}
	return days
}

func (y Year) days(monthDays []string) []Date {
	all := make([]Date, 0, len(monthDays))
	for _, s := range monthDays {
		d, _ := y.day(s)
		all = append(all, d)
	}
	return all
}

func (y Year) day(monthDay string) (Date, error) {
	return ParseDate(fmt.Sprintf("%04d-%s", y.Year, monthDay))
}

func weekend(d Date) bool {
	w := d.Time().Weekday()
	return w == time.Saturday || w == time.Sunday
}

func (y Year) faults(at place) []Fault {
	c := checker{place: at}
	if y.Year < 1990 || y.Year > 2100 {
		c.fail([]any{"year"}, "%d is no year of this calendar", y.Year)
		return c.faults
	}
	for _, list := range []struct {
		key     string
		days    []string
		weekend bool
		what    string
	}{{"off", y.Off, false, "is on a weekend, which is free anyway"}, {"work", y.Work, true, "is Monday to Friday, a working day anyway"}} {
		seen := map[string]bool{}
		for i, s := range list.days {
			d, err := y.day(s)
			switch {
			case err != nil:
				c.fail([]any{list.key, i}, "%q is no day of %d in the form 01-31", s, y.Year)
			case weekend(d) != list.weekend:
				c.fail([]any{list.key, i}, "%s %s", d, list.what)
			case seen[s]:
				c.fail([]any{list.key, i}, "%s is given twice", d)
			}
			seen[s] = true
		}
	}
	if c.faults != nil || y.WorkingDays == 0 {
		return c.faults
	}
	if n := y.count().total(); n != y.WorkingDays {
		c.fail([]any{"working_days"}, "the days come to %d working days, not to %d", n, y.WorkingDays)
	}
	return c.faults
}

func (l *loader) calendars() Calendar {
	var years []Year
	load(l, "calendars/*.yaml", &years, l.year)
	c := Calendar{years: map[int]yearDays{}}
	for _, y := range years {
		c.years[y.Year] = y.count()
	}
	return c
}

func (l *loader) year(y *Year, at place) []Fault {
	y.File = at.file
	c := checker{place: at, faults: y.faults(at)}
	if stem(at.file) != fmt.Sprint(y.Year) {
		c.fail([]any{"year"}, "year %d belongs in a file of its own name, this is %s", y.Year, at.file)
	}
	return c.faults
}
