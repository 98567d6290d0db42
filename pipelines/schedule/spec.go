package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a closed network's minimal image has no zones of its own

	"github.com/robfig/cron/v3"

	"xinshu/internal/fault"
)

// DefaultZone is where the hub's people live; it has no summer time.
const DefaultZone = "Asia/Shanghai"

// spec is a cron expression read in a zone.
type spec struct {
	at     cron.Schedule
	zone   *time.Location
	hourly bool // its hour field is *: it follows the passing of time, not the clock on the wall
}

var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

func location(zone string) (*time.Location, error) {
	if zone == "" {
		zone = DefaultZone
	}
	loc, err := time.LoadLocation(zone)
	if err != nil || strings.EqualFold(zone, "local") {
		return nil, &fault.Error{Op: "read the time zone", Code: fault.Invalid, Err: fmt.Errorf("%q is no time zone", zone), Hint: "for example Asia/Shanghai or UTC"}
	}
	return loc, nil
}

// parseSpec reads five fields. The parser takes a zone in front of them, on which it can panic; the
// zone has a field of its own here.
func parseSpec(text, zone string) (s spec, err error) {
	bad := func(err error) error {
		return &fault.Error{Op: "read the schedule " + quoted(text), Code: fault.Invalid, Err: err,
			Hint: "five fields, minute hour day month weekday, for example 30 2 * * 1-5; Sunday is 0"}
	}
	fields := strings.Fields(text)
	if len(fields) != 5 || strings.Contains(text, "=") {
		return s, bad(errors.New("it has not five fields; a time zone has its own place"))
	}
	if s.zone, err = location(zone); err != nil {
		return s, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = bad(fmt.Errorf("the parser gave up: %v", p))
		}
	}()
	if s.at, err = parser.Parse(strings.Join(fields, " ")); err != nil {
		return s, bad(err)
	}
	s.hourly = fields[1] == "*"
	return s, nil
}

// quoted bounds what a message repeats of what somebody typed.
func quoted(text string) string {
	if r := []rune(text); len(r) > 60 {
		text = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

// next gives the first time after t; the zero time where there is none within some years. Where clocks
// change, a time that the wall skips fires when the clock has jumped, and one that it shows twice
// fires once; an expression for every hour goes by the hours that pass.
func (s spec) next(t time.Time) time.Time {
	t = t.In(s.zone)
	if s.hourly {
		return s.at.Next(t)
	}
	for wall := onWall(t); ; {
		if wall = s.at.Next(wall); wall.IsZero() {
			return time.Time{}
		}
		if at := s.instant(wall); at.After(t) {
			return at
		}
	}
}

// onWall is what the clock on the wall shows, as a time of a zone whose clock never changes.
func onWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// instant is the first moment at which the wall shows this time; where it never does, the moment of
// the jump over it.
func (s spec) instant(wall time.Time) time.Time {
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, s.zone)
	if onWall(at).Equal(wall) {
		// Of two equal wall times Go's documentation does not promise which one it gives.
		start, _ := at.ZoneBounds()
		if !start.IsZero() {
			_, now := at.Zone()
			_, before := start.Add(-time.Second).Zone()
			if earlier := at.Add(time.Duration(now-before) * time.Second); earlier.Before(start) && onWall(earlier).Equal(wall) {
				return earlier
			}
		}
		return at
	}
	// The wall jumped over it: the jump is a bound of the zone's period beside it.
	if start, _ := at.ZoneBounds(); !start.IsZero() && onWall(start).After(wall) && at.Sub(start) < 3*time.Hour {
		return start
	}
	_, end := at.ZoneBounds()
	return end
}
