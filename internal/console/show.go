package console

import (
	"fmt"
	"html/template"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Zone is the wall clock of every screen.
var zone = time.FixedZone("Asia/Shanghai", 8*3600) // China has had one zone and no summer time since 1991

// shower shows times in one language.
type shower struct {
	*views
	now func() time.Time
}

// ago shows how far a time is from now, with the moment in its title; nothing for the zero time.
func (s shower) ago(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return s.tag(t, s.distance(t), exact(t)+" "+s.say("zone.beijing"))
}

// when shows the moment to the minute, with the distance in its title.
func (s shower) when(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	t = t.In(zone)
	shown := t.Format("2006-01-02 15:04")
	if t.Year() == s.now().In(zone).Year() {
		shown = t.Format("01-02 15:04")
	}
	return s.tag(t, shown, exact(t)+" "+s.say("zone.beijing")+", "+s.distance(t))
}

func (s shower) tag(t time.Time, shown, title string) template.HTML {
	e := template.HTMLEscapeString
	return template.HTML(`<time class="nowrap" datetime="` + t.Format(time.RFC3339) + `" title="` + e(title) + `">` + e(shown) + `</time>`) //nolint:gosec // escaped above
}

// clockName says by which clock a time is written; China's has a name that everybody knows.
func (s shower) clockName(t time.Time) string {
	if t.Location().String() == zone.String() {
		return s.say("zone.beijing")
	}
	return t.Format("MST")
}

func exact(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04:05") }

// day shows a day, from a time, a date or its text; a dash for none.
func (s shower) day(v any) string {
	switch d := v.(type) {
	case time.Time:
		if d.IsZero() {
			return "–"
		}
		return d.In(zone).Format("2006-01-02")
	case interface{ IsZero() bool }:
		if d.IsZero() {
			return "–"
		}
	}
	if text := fmt.Sprint(v); text != "" {
		return text
	}
	return "–"
}

// formDay writes the day so many days after a time as an input of a form wants it; empty for none.
func formDay(t time.Time, after int) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).AddDate(0, 0, after).Format(time.DateOnly)
}

func (s shower) distance(t time.Time) string {
	d := s.now().Sub(t)
	key := "ago."
	if d < 0 {
		key, d = "in.", -d
	}
	switch {
	case d < 45*time.Second:
		return s.say("ago.now")
	case d < 90*time.Minute:
		return s.say(key+"minutes", int(math.Round(d.Minutes())))
	case d < 36*time.Hour:
		return s.say(key+"hours", int(math.Round(d.Hours())))
	case d < 60*24*time.Hour:
		return s.say(key+"days", int(math.Round(d.Hours()/24)))
	case d < 700*24*time.Hour:
		return s.say(key+"months", int(math.Round(d.Hours()/24/30.4)))
	}
	return s.say(key+"years", int(math.Round(d.Hours()/24/365.25)))
}

// duration shows how long something took: 0.4 s, 12 s, 3 min 05 s, 2 h 10 min.
func (s shower) duration(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return s.say("dur.seconds", strconv.FormatFloat(d.Seconds(), 'f', 1, 64))
	case d < time.Minute:
		return s.say("dur.seconds", strconv.Itoa(int(d.Seconds())))
	case d < time.Hour:
		return s.say("dur.minutes", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return s.say("dur.hours", int(d.Hours()), int(d.Minutes())%60)
	}
	return s.say("dur.days", int(d.Hours())/24, int(d.Hours())%24)
}

// number shows a whole number in groups of three.
func number(v any) string {
	var n int64
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		n = r.Int()
	case r.CanUint():
		n = int64(min(r.Uint(), math.MaxInt64))
	case r.CanFloat():
		n = int64(math.Round(r.Float()))
	default:
		return fmt.Sprint(v)
	}
	text := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, text = "−", text[1:]
	}
	var b strings.Builder
	for i, r := range text {
		if i > 0 && (len(text)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return sign + b.String()
}

// percent shows a share of a whole: {{pct .Part .Whole}}; a dash where there is no whole. What is not
// all does not round up to all, and what is not nothing not down to nothing.
func percent(part, whole any) string {
	p, w := toFloat(part), toFloat(whole)
	if w == 0 {
		return "–"
	}
	v := p / w * 100
	switch {
	case v > 0 && v < 0.1:
		return "<0.1%"
	case v < 100 && v > 99.9:
		return ">99.9%"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + "%"
}

func toFloat(v any) float64 {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer {
		r = r.Elem()
	}
	switch {
	case r.CanInt():
		return float64(r.Int())
	case r.CanUint():
		return float64(r.Uint())
	case r.CanFloat():
		return r.Float()
	}
	return 0
}

// size shows bytes.
func size(v any) string {
	f := toFloat(v)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if f < 1000 {
			return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) + " " + unit
		}
		f /= 1000
	}
	return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) + " TB"
}

// points shows hundredths of a point: 12345 is 123.45.
func points(v any) string {
	text := strconv.FormatFloat(toFloat(v)/100, 'f', 2, 64)
	text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	return strings.Replace(text, "-", "−", 1)
}
