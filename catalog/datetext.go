package catalog

import "strings"

const (
	secondMicros = 1_000_000
	dayMicros    = 86400 * secondMicros
	shanghai     = 8 * 3600 // seconds east; no summer time since 1991, and older times come as plain dates
)

// readDay reads the day at the head of s and gives what follows it.
func readDay(s string) (d Date, rest string, ok bool) {
	year, rest, ok := digitsUpTo(s, 4, 4)
	if !ok || rest == "" {
		return NoDate, "", false
	}
	var month, day int
	switch {
	case isDigit(rest[0]): // 20060102
		if len(rest) < 4 || !allDigits(rest[:4]) {
			return NoDate, "", false
		}
		month, day, rest = number(rest[:2]), number(rest[2:4]), rest[4:]
	case rest[0] == '-' || rest[0] == '/' || rest[0] == '.':
		month, day, rest, ok = monthDay(rest, rest[:1], rest[:1], "")
		ok = ok && (rest == "" || !isDigit(rest[0])) // 2006-01-021 is no day with something behind it
	default:
		month, day, rest, ok = monthDay(rest, "年", "月", "日")
	}
	if !ok {
		return NoDate, "", false
	}
	d, ok = MakeDate(year, month, day)
	return d, rest, ok
}

// monthDay reads <before>month<between>day<after>.
func monthDay(s, before, between, after string) (month, day int, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, before); !ok {
		return 0, 0, "", false
	}
	if month, s, ok = digitsUpTo(s, 1, 2); !ok {
		return 0, 0, "", false
	}
	if s, ok = strings.CutPrefix(s, between); !ok {
		return 0, 0, "", false
	}
	if day, s, ok = digitsUpTo(s, 1, 2); !ok {
		return 0, 0, "", false
	}
	s, ok = strings.CutPrefix(s, after)
	return month, day, s, ok
}

// withClock reads what follows a day: nothing, or a time of day, with a fraction and a zone where given.
func withClock(d Date, rest string) (int64, error) {
	at := int64(d) * dayMicros
	if rest == "" {
		return at, nil
	}
	if rest[0] == 'T' || rest[0] == ' ' {
		rest = strings.TrimLeft(rest[1:], " ")
	}
	micros, rest, ok := readClock(rest)
	if !ok {
		return 0, errDate
	}
	offset, ok := readZone(strings.TrimLeft(rest, " "))
	if !ok {
		return 0, errDate
	}
	return at + micros + int64(shanghai-offset)*secondMicros, nil
}

// readClock reads 15:04, 15:04:05, 15:04:05.999999 and 150405.
func readClock(s string) (micros int64, rest string, ok bool) {
	var hour, minute, second int
	if len(s) >= 6 && allDigits(s[:6]) {
		hour, minute, second, rest = number(s[:2]), number(s[2:4]), number(s[4:6]), s[6:]
	} else {
		if hour, rest, ok = digitsUpTo(s, 1, 2); !ok || !strings.HasPrefix(rest, ":") {
			return 0, "", false
		}
		if minute, rest, ok = digitsUpTo(rest[1:], 2, 2); !ok {
			return 0, "", false
		}
		if strings.HasPrefix(rest, ":") {
			if second, rest, ok = digitsUpTo(rest[1:], 2, 2); !ok {
				return 0, "", false
			}
		}
	}
	if hour > 23 || minute > 59 || second > 59 {
		return 0, "", false
	}
	micros = int64(hour*3600+minute*60+second) * secondMicros
	if !strings.HasPrefix(rest, ".") {
		return micros, rest, true
	}
	rest = rest[1:]
	unit := int64(secondMicros)
	for n := 0; ; n++ {
		if rest == "" || !isDigit(rest[0]) {
			return micros, rest, n > 0
		}
		unit /= 10 // nanoseconds beyond the sixth place are dropped
		micros += unit * int64(rest[0]-'0')
		rest = rest[1:]
	}
}

// readZone gives seconds east of Greenwich: none is Shanghai, Z is Greenwich, else +08:00 or +0800.
func readZone(s string) (offset int, ok bool) {
	switch {
	case s == "":
		return shanghai, true
	case s == "Z":
		return 0, true
	case len(s) == 6 && s[3] == ':':
		s = s[:3] + s[4:]
	}
	if len(s) != 5 || s[0] != '+' && s[0] != '-' || !allDigits(s[1:]) {
		return 0, false
	}
	hour, minute := number(s[1:3]), number(s[3:])
	if hour > 14 || minute > 59 {
		return 0, false
	}
	offset = hour*3600 + minute*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// digitsUpTo reads between least and most digits at the head of s.
func digitsUpTo(s string, least, most int) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && i < most && isDigit(s[i]) {
		i++
	}
	if i < least {
		return 0, "", false
	}
	return number(s[:i]), s[i:], true
}
