package pipelines

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Again asks for a stretch of the watermark to be read once more: days that a source filled in late,
// years that were never fetched. The stretch is half open.
type Again struct {
	From, Until string // as the source writes its watermark: times, or whole numbers
	Slice       string // how much goes into one commit: 24h, or a number; empty: a day, or all of it
}

// mostSlices bounds a request that was meant otherwise: an hour's slices over a century.
const mostSlices = 100_000

// stretch is a half-open part of a watermark whose values are put on a line: microseconds since 1970,
// or the numbers themselves.
type stretch struct{ from, until int64 }

// line says how a watermark's values are written and where they lie.
type line struct {
	layout string // of times; empty: whole numbers
	step   int64  // length of a slice
}

// measure reads what was asked for.
func (a Again) measure() (line, stretch, error) {
	const op = "read a stretch again"
	invalid := func(format string, args ...any) error {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: fmt.Errorf(format, args...), Hint: "for example --from 2025-01-01 --until 2025-02-01 --slice 24h; or numbers, as the source's cursor column holds them"}
	}
	if a.From == "" || a.Until == "" {
		return line{}, stretch{}, invalid("both ends are needed")
	}
	l, s, err := a.ends()
	if err != nil {
		return l, s, invalid("%w", err)
	}
	if s.from >= s.until {
		return l, s, invalid("it ends at %s, which is not after its beginning %s", a.Until, a.From)
	}
	if (s.until-s.from-1)/l.step >= mostSlices {
		return l, s, invalid("that are more than %d slices", mostSlices)
	}
	return l, s, nil
}

func (a Again) ends() (l line, s stretch, err error) {
	from, layout, timed := connectors.ParseTime(a.From)
	until, _, also := connectors.ParseTime(a.Until)
	every, duration := time.ParseDuration(a.Slice)
	if timed && also && (a.Slice == "" || duration == nil) {
		if a.Slice == "" {
			every = 24 * time.Hour
		}
		if every < time.Second {
			return l, s, fmt.Errorf("a slice of %s is none", every)
		}
		return line{layout: layout, step: every.Microseconds()}, stretch{from.UnixMicro(), until.UnixMicro()}, nil
	}
	if s.from, err = strconv.ParseInt(a.From, 10, 64); err != nil {
		return l, s, fmt.Errorf("%q is neither a time nor a whole number", a.From)
	}
	if s.until, err = strconv.ParseInt(a.Until, 10, 64); err != nil {
		return l, s, fmt.Errorf("%q is neither a time nor a whole number like %s", a.Until, a.From)
	}
	l.step = max(s.until-s.from, 1)
	if a.Slice != "" {
		if l.step, err = strconv.ParseInt(a.Slice, 10, 64); err != nil || l.step < 1 {
			return l, s, errors.Join(fmt.Errorf("a slice of numbers is a number from 1, not %q", a.Slice))
		}
	}
	return l, s, nil
}

// write puts a value as the source would: in the form the ends were given in, with the time of day
// where a date alone would move it.
func (l line) write(v int64) string {
	if l.layout == "" {
		return strconv.FormatInt(v, 10)
	}
	t := time.UnixMicro(v).In(connectors.Shanghai)
	if text := t.Format(l.layout); l.place(text) == v {
		return text
	}
	return t.Format("2006-01-02 15:04:05.999999")
}

// remembered is the one form in which the log keeps a value of the line, whatever form was asked in.
func (l line) remembered(v int64) string {
	if l.layout == "" {
		return strconv.FormatInt(v, 10)
	}
	return time.UnixMicro(v).In(connectors.Shanghai).Format("2006-01-02 15:04:05.999999")
}

func (l line) place(text string) int64 {
	if t, _, ok := connectors.ParseTime(text); ok {
		return t.UnixMicro()
	}
	return 0
}

// read gives the remembered stretches that lie on this line; numbers and times never meet.
func (l line) read(done []chain.Stretch) []stretch {
	var all []stretch
	for _, d := range done {
		var s stretch
		if timed := strings.Contains(d.From, ":"); timed != (l.layout != "") {
			continue
		}
		if l.layout != "" {
			s = stretch{l.place(d.From), l.place(d.Until)}
		} else {
			s.from, _ = strconv.ParseInt(d.From, 10, 64)
			s.until, _ = strconv.ParseInt(d.Until, 10, 64)
		}
		if s.from < s.until {
			all = append(all, s)
		}
	}
	return all
}

// with adds a stretch to those remembered and merges what touches, so that the list stays as short as
// there are gaps.
func (l line) with(done []chain.Stretch, fresh stretch) []chain.Stretch {
	mine := append(l.read(done), fresh)
	slices.SortFunc(mine, func(a, b stretch) int { return int(min(max(a.from-b.from, -1), 1)) })
	merged := mine[:1]
	for _, s := range mine[1:] {
		if last := &merged[len(merged)-1]; s.from <= last.until {
			last.until = max(last.until, s.until)
			continue
		}
		merged = append(merged, s)
	}
	var all []chain.Stretch
	for _, d := range done { // of the other line
		if strings.Contains(d.From, ":") != (l.layout != "") {
			all = append(all, d)
		}
	}
	for _, s := range merged {
		all = append(all, chain.Stretch{From: l.remembered(s.from), Until: l.remembered(s.until)})
	}
	return all
}

// gaps gives what of a stretch is not done.
func gaps(of stretch, done []stretch) []stretch {
	slices.SortFunc(done, func(a, b stretch) int { return int(min(max(a.from-b.from, -1), 1)) })
	var open []stretch
	at := of.from
	for _, d := range done {
		if d.from > at && at < of.until {
			open = append(open, stretch{at, min(d.from, of.until)})
		}
		at = max(at, d.until)
	}
	if at < of.until {
		open = append(open, stretch{at, of.until})
	}
	return open
}

// slices cuts stretches into pieces of at most one step.
func (l line) slices(open []stretch) iter.Seq[stretch] {
	return func(yield func(stretch) bool) {
		for _, o := range open {
			for from := o.from; from < o.until; {
				until := min(from+l.step, o.until)
				if !yield(stretch{from, until}) {
					return
				}
				from = until
			}
		}
	}
}

// reach makes the remembered stretches comparable.
func reach(f chain.Feed) string { return fmt.Sprint(f.Done) }
