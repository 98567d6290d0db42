package console

import (
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/console/chart"
	"xinshu/internal/desk"
)

// functions are what templates may call. What they show of times and numbers stands in show.go.
func (c *Console) functions(v *views) template.FuncMap {
	s := shower{views: v, now: c.Now}
	return template.FuncMap{
		// words
		"t":       v.say,
		"text":    func(t catalog.Text) string { return pick(t, v.lang) },
		"told":    v.tell,
		"said":    func(s any) string { return v.sentence(fmt.Sprint(s)) },
		"note":    v.note,
		"why":     v.why,
		"who":     v.who,
		"kind":    v.kind,
		"finding": v.finding,
		"act":     v.act, "actsubject": v.subject, "actdetail": v.detail,
		"titleof": v.titleOf,
		"stepof":  stepOf, "described": v.described, "industry": v.industry, "alarm": v.alarm,
		"actions": v.actions,
		"lang":    func() string { return v.lang },
		"initial": initial,
		// times: a <time> with the zone; ago shows the distance, when the moment, and each has the other in its title
		"ago": s.ago, "when": s.when, "day": s.day, "dur": s.duration, "date": formDay, "clockname": s.clockName,
		// numbers
		"num": number, "pct": percent, "bytes": size, "points": points,
		// putting together
		"dict": dict, "list": func(v ...any) []any { return v }, "url": address, "set": withQuery, "add": func(a, b int) int { return a + b },
		"join": func(words []string) string { return strings.Join(words, " ") },
		// of the field
		"holdwords": desk.HoldWords, "choices": choices, "clock": func(at time.Time) string { return at.In(zone).Format("15:04:05") }, "value": func(n *int64) int64 { return *n },
		// pictures
		"icon": c.icon, "static": c.assets.address, "tone": tone, "sign": sign, "lamp": lamp, "lines": lines, "purpose": func(code string) string { return purposeWords(code, v.lang) }, "ifTone": ifTone, "chart": chart.HTML,
	}
}

func pick(t catalog.Text, lang string) string {
	if lang == "en" && t.EN != "" {
		return t.EN
	}
	return t.ZH
}

// dict makes a map of names and values, to call a part with.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict wants names and values in turn")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// address puts a path together from pieces, each escaped: {{url "/sources" .Name "runs"}}.
func address(base string, pieces ...any) string {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(base, "/"))
	for _, p := range pieces {
		b.WriteString("/" + url.PathEscape(fmt.Sprint(p)))
	}
	return b.String()
}

// withQuery gives a query with some members set otherwise, as the page it is on would be addressed:
// {{set $.Query "cursor" .Next}}; an empty value takes the member out.
func withQuery(q url.Values, pairs ...any) (string, error) {
	if len(pairs)%2 != 0 {
		return "", errors.New("set wants names and values in turn")
	}
	out := url.Values{}
	maps.Copy(out, q)
	for pair := range slices.Chunk(pairs, 2) {
		name, value := fmt.Sprint(pair[0]), fmt.Sprint(pair[1])
		if value == "" {
			out.Del(name)
		} else {
			out.Set(name, value)
		}
	}
	return "?" + out.Encode(), nil
}

// icon draws one of static/icons.svg; it says nothing to a screen reader, the words beside it do.
func (c *Console) icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" aria-hidden="true"><use href="` + template.HTMLEscapeString(c.assets.address("icons.svg")+"#"+name) + `"/></svg>`) //nolint:gosec // escaped above
}

func initial(name string) string {
	if name == "" {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(name)
	return strings.ToUpper(string(r))
}

// tones says in which colour a word of state is shown; what is not listed is idle.
var tones = map[string]string{
	"done": "good", "fresh": "good", "acknowledged": "good", "accepted": "good", "active": "good", "released": "good", "approved": "good", "official": "good", "in_force": "good", "succeeded": "good", "mended": "good", "ok": "good",
	"failed": "bad", "rejected": "bad", "broken": "bad", "refused": "bad", "missed": "bad", "locked": "bad", "error": "bad", "critical": "bad", "dead": "bad",
	"late": "warn", "interrupted": "warn", "open": "warn", "retrying": "warn", "warning": "warn", "skipped": "warn", "expiring": "warn", "drift": "warn", "trial": "warn", "partial": "warn",
	"running": "info", "queued": "info", "due": "info", "awaiting": "info", "sent": "info", "proposed": "info", "new": "info", "info": "info",
	"held": "hold", "hold": "hold", "disputed": "hold", "quarantined": "hold",
}

func tone(word any) string {
	if t, ok := tones[fmt.Sprint(word)]; ok {
		return t
	}
	return "idle"
}

// signs are the icons of words of state where the tone's own does not fit.
var signs = map[string]string{"running": "running", "queued": "waiting", "due": "waiting", "awaiting": "waiting", "late": "waiting", "paused": "paused", "retrying": "running", "locked": "lock"}

// sign says which icon stands beside a word of state.
func sign(word any) string {
	if s, ok := signs[fmt.Sprint(word)]; ok {
		return s
	}
	return map[string]string{"good": "done", "bad": "cross", "warn": "failed", "hold": "hold", "info": "about", "idle": "none"}[tone(word)]
}

// lamp is the sign of a feed on the overview's board: what its colour says, once more.
func lamp(state string) string {
	return map[string]string{"fresh": "✓", "late": "!", "broken": "×", "held": "◐", "never": "–", "free": "·"}[state]
}

// ifTone gives a tone to a count that is not nothing.
func ifTone(n any, tone string) string {
	if toFloat(n) == 0 {
		return ""
	}
	return tone
}

// lines gives the lines of an error or a text.
func lines(v any) []string { return strings.Split(strings.TrimSpace(fmt.Sprint(v)), "\n") }

// purposeWords gives the words of a purpose as the trail keeps it: a code, or a code and what was written beside it.
func purposeWords(text, lang string) string {
	code, more, _ := strings.Cut(text, ":")
	for _, p := range auth.Purposes {
		if p.Code == code {
			return strings.TrimSpace(pick(p.Title, lang) + " " + more)
		}
	}
	return text
}

// choices are the options of a select. One that must be chosen begins with none chosen.
func choices(values []string, required bool) []map[string]any {
	var options []map[string]any
	if !required {
		for _, v := range values {
			options = append(options, map[string]any{"Value": v, "Words": v})
		}
		return options
	}
	options = append(options, map[string]any{"Value": "", "Words": ""})
	return append(options, choices(values, false)...)
}
