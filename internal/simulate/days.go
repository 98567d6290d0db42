package simulate

import (
	"time"

	"xinshu/catalog"
)

var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// Days are the hub's mornings in the province's life: the first load; what came by the cut-off of
// 31 October, and a little late; what came by that of 31 December; January with late records, repairs
// and withdrawals; and the day on which the corrected yearly results are made. A day is counted from 1.
var Days = [...]time.Time{
	time.Date(2025, 10, 28, 6, 0, 0, 0, shanghai),
	time.Date(2025, 11, 3, 6, 0, 0, 0, shanghai),
	time.Date(2025, 12, 29, 6, 0, 0, 0, shanghai),
	time.Date(2026, 1, 12, 6, 0, 0, 0, shanghai),
	time.Date(2026, 2, 16, 6, 0, 0, 0, shanghai),
}

// hubDates are the wall dates of Days; cutoffs are those of the yearly policies.
var (
	hubDates = func() (dates [len(Days)]catalog.Date) {
		for i, d := range Days {
			dates[i] = catalog.DateOf(d)
		}
		return dates
	}()
	cutoffs = [...]catalog.Date{day("2025-10-31"), day("2025-12-31")}
)

// lastDay is the end of the province's life.
var lastDay = hubDates[len(hubDates)-1]

// received gives the first of Days that comes after a date, as a number; 0 when none does.
func received(sent catalog.Date) int {
	for i, d := range hubDates {
		if sent < d {
			return i + 1
		}
	}
	return 0
}

// day reads a date written in this package's own tables.
func day(s string) catalog.Date {
	d, err := catalog.ParseDate(s)
	if err != nil {
		panic("simulate: date in a table: " + err.Error()) // a typing error in the source, found by the first test
	}
	return d
}
