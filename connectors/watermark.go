package connectors

import (
	"strconv"
	"strings"
	"time"
)

// Shanghai is the zone of every wall time that names none. China keeps no summer time.
var Shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

var watermarkLayouts = []string{
	time.DateTime, // also with a fraction of a second: Parse takes one wherever the seconds end
	"2006-01-02T15:04:05",
	time.RFC3339,
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05Z07",
	"2006-01-02 15:04",
	time.DateOnly,
	"2006/01/02 15:04:05",
	"2006/01/02",
	"20060102150405",
	"20060102",
}

// ParseTime reads a watermark; a time without zone is Shanghai wall time.
func ParseTime(text string) (t time.Time, layout string, ok bool) {
	text = strings.TrimSpace(text)
	for _, layout := range watermarkLayouts {
		if t, err := time.ParseInLocation(layout, text, Shanghai); err == nil {
			return t, layout, true
		}
	}
	return time.Time{}, "", false
}

// Later gives the greater of two watermarks as it was written: times by the instant they mean,
// whole numbers by value, anything else as text. Empty is before everything; an unreadable time
// never replaces a readable one.
func Later(a, b string) string {
	switch {
	case b == "":
		return a
	case a == "":
		return b
	}
	m, err1 := strconv.ParseInt(a, 10, 64)
	n, err2 := strconv.ParseInt(b, 10, 64)
	if err1 == nil && err2 == nil { // 20251028 among them: such dates have their order as numbers too
		return pick(a, b, n > m)
	}
	x, _, xok := ParseTime(a)
	y, _, yok := ParseTime(b)
	switch {
	case xok && yok:
		return pick(a, b, y.After(x))
	case xok:
		return a
	case yok:
		return b
	}
	return max(a, b)
}

func pick(a, b string, second bool) string {
	if second {
		return b
	}
	return a
}

// Back moves a time watermark back, written as it was; what is no time stays where it is.
func Back(text string, by time.Duration) string {
	t, layout, ok := ParseTime(text)
	if !ok || by <= 0 {
		return text
	}
	return t.Add(-by).Format(layout)
}
