package schedule

import (
	"errors"
	"strings"
	"time"

	"xinshu/internal/fault"
)

// window is the part of the day in which a source may be pulled, half open, in minutes of the wall
// clock. The zero window is the whole day.
type window struct {
	from, until int
	set         bool
}

func parseWindow(text string) (window, error) {
	if text == "" {
		return window{}, nil
	}
	bad := &fault.Error{Op: "read the window " + quoted(text), Code: fault.Invalid, Err: errors.New("it is no window"), Hint: "for example 22:00-06:00; the end itself is outside, and 24:00 is midnight"}
	from, until, cut := strings.Cut(text, "-")
	w := window{set: true}
	var ok bool
	if w.from, ok = minutes(strings.TrimSpace(from)); !ok || !cut || w.from == 24*60 {
		return window{}, bad
	}
	if w.until, ok = minutes(strings.TrimSpace(until)); !ok {
		return window{}, bad
	}
	w.until %= 24 * 60
	if w.from == w.until {
		bad.Err = errors.New("it begins where it ends")
		return window{}, bad
	}
	return w, nil
}

func minutes(text string) (int, bool) {
	if text == "24:00" {
		return 24 * 60, true
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil
}

// holds says whether the wall's time lies inside.
func (w window) holds(t time.Time) bool {
	m := t.Hour()*60 + t.Minute()
	switch {
	case !w.set:
		return true
	case w.from < w.until:
		return w.from <= m && m < w.until
	}
	return m >= w.from || m < w.until
}

// opens gives when a time outside comes to be inside: the next beginning. t carries the zone.
func (w window) opens(t time.Time) time.Time {
	zone := spec{zone: t.Location()}
	for day := 0; ; day++ {
		wall := time.Date(t.Year(), t.Month(), t.Day()+day, w.from/60, w.from%60, 0, 0, time.UTC)
		if at := zone.instant(wall); at.After(t) {
			return at
		}
	}
}

// closed gives when the window that t lies outside of closed last: no tick before it waits any more.
func (w window) closed(t time.Time) time.Time {
	zone := spec{zone: t.Location()}
	for day := 0; ; day-- {
		wall := time.Date(t.Year(), t.Month(), t.Day()+day, w.until/60, w.until%60, 0, 0, time.UTC)
		if at := zone.instant(wall); !at.After(t) {
			return at
		}
	}
}
