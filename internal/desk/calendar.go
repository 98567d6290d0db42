package desk

import "xinshu/catalog"

// CalendarYears gives the years whose working days are known.
func (d *Desk) CalendarYears() (years []int) {
	for year := 2000; year < 2100; year++ {
		day, _ := catalog.MakeDate(year, 1, 1)
		if _, err := d.Catalog.Calendars.IsWorkday(day); err == nil {
			years = append(years, year)
		}
	}
	return years
}
