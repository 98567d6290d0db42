package catalog

import (
	"math"
	"strings"
	"time"

	"xinshu/internal/fault"
)

// Date is a wall date in Shanghai, in days since 1970-01-01. It has no zone: the field's dates are what
// stands on the document.
type Date int32

// NoDate is the absent date. Arithmetic on it gives NoDate.
const NoDate Date = math.MinInt32

// errDate is what ParseAnyDate answers: one value, because it may be the answer for many rows.
var errDate = fault.Newf(fault.Invalid, "read date", "no such day, or a form other than 2006-01-02, 2006/1/2, 20060102 and 2006年1月2日")

// MakeDate gives the date of a civil day, false for a day that the calendar does not have.
func MakeDate(year, month, day int) (Date, bool) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return NoDate, false
	}
	return civil(year, month, day), true
}

// ParseDate reads 2006-01-02 and nothing else: the form of files that we write and commands that we take.
func ParseDate(s string) (Date, error) {
	if len(s) == 10 && s[4] == '-' && s[7] == '-' && allDigits(s[:4]) && allDigits(s[5:7]) && allDigits(s[8:]) {
		if d, ok := MakeDate(number(s[:4]), number(s[5:7]), number(s[8:])); ok {
			return d, nil
		}
	}
	return NoDate, fault.Newf(fault.Invalid, "read date", "%q is no date of the form 2006-01-02", s)
}

// ParseAnyDate reads the forms that platforms send: 2006-01-02, 2006/1/2, 2006.1.2, 20060102, 2006年1月2日, each also
// with a time behind it. A time that names a zone is turned into Shanghai's first.
func ParseAnyDate(s string) (Date, error) {
	d, rest, ok := readDay(strings.TrimSpace(s))
	if !ok {
		return NoDate, errDate
	}
	if rest == "" {
		return d, nil
	}
	micros, err := withClock(d, rest)
	if err != nil {
		return NoDate, err
	}
	return Date(floorDiv(micros, dayMicros)), nil
}

// ParseAnyTime reads the same forms as a point of Shanghai wall time, in microseconds since 1970-01-01 00:00 of
// that wall. A day without a time is its midnight.
func ParseAnyTime(s string) (micros int64, err error) {
	d, rest, ok := readDay(strings.TrimSpace(s))
	if !ok {
		return 0, errDate
	}
	return withClock(d, rest)
}

// String gives 2006-01-02, empty for NoDate.
func (d Date) String() string {
	if d == NoDate {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// Time gives midnight of the day as a UTC time, for libraries that want one.
func (d Date) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// DateOf gives the wall date that a time shows in its own zone.
func DateOf(t time.Time) Date { return civil(t.Year(), int(t.Month()), t.Day()) }

// Civil gives year, month and day.
func (d Date) Civil() (year, month, day int) {
	t := d.Time()
	return t.Year(), int(t.Month()), t.Day()
}

// MarshalText gives String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what String gives.
func (d *Date) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*d = NoDate
		return nil
	}
	*d, err = ParseDate(string(text))
	return err
}

// AddDays gives the day n days later.
func (d Date) AddDays(n int) Date {
	if d == NoDate {
		return d
	}
	return d + Date(n)
}

// AddMonths gives the same day n months later, or that month's last day where it is shorter.
func (d Date) AddMonths(n int) Date {
	if d == NoDate {
		return d
	}
	year, month, day := d.Civil()
	months := year*12 + month - 1 + n
	year, month = int(floorDiv(int64(months), 12)), int(((int64(months)%12)+12)%12)+1
	return civil(year, month, min(day, daysIn(year, month)))
}

// civil is Howard Hinnant's days_from_civil.
func civil(year, month, day int) Date {
	if month <= 2 {
		year--
	}
	era := int(floorDiv(int64(year), 400))
	yearOfEra := year - era*400
	dayOfYear := (153*((month+9)%12)+2)/5 + day - 1
	return Date(era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468)
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
