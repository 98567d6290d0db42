package console

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/auth"
)

// Values that other packages keep, in the words of the reader.

// has gives the words of a key where there are some.
func (v *views) has(key string) (string, bool) {
	words, known := v.words[key]
	return words, known
}

// finding says what a test of a connection found.
func (v *views) finding(f connectors.Finding) string {
	switch f.Code {
	case connectors.FoundServer:
		return v.say("found.server", v.sentence(f.Place))
	case connectors.FoundFiles:
		return v.say("found.files", f.Place, f.Count)
	case connectors.FoundEmpty:
		return v.say("found.empty", f.Place)
	case connectors.FoundAnswer:
		return v.say("found.answer", f.Place, f.Count)
	case connectors.FoundSecret:
		if f.Until.IsZero() {
			return v.say("found.secret", f.Place)
		}
		return v.say("found.secret.until", f.Place, exact(f.Until))
	}
	return f.Place
}

// kind gives the words for a kind of record and its level: 行政处罚 · 严重. A grade somebody gave is its own
// word, and a record without a level has none.
func (v *views) kind(kind, level any) string {
	k, l := fmt.Sprint(kind), fmt.Sprint(level)
	words, known := v.has("catalogue.kind." + k)
	if !known {
		words = k
	}
	if l == "" || l == "-" || l == "*" {
		return words
	}
	said, known := v.has("level." + k + "." + l)
	if !known {
		said = l
	}
	return words + " · " + said
}

// who gives the words for who did something: an account, a program's key, the command line, a schedule.
func (v *views) who(id any) string {
	kind, name, named := strings.Cut(fmt.Sprint(id), ":")
	if words, known := v.has("who." + kind); known && named {
		return words + " " + name
	} else if known {
		return words
	}
	return fmt.Sprint(id)
}

// why says why a task waits, was skipped or was stopped, and what that is about.
func (v *views) why(why, about any) string {
	words := v.say("why." + fmt.Sprint(why))
	if a := fmt.Sprint(about); a != "" {
		words += v.say("colon") + v.who(v.sentence(a))
	}
	return words
}

// note gives the words for what a step came to; the log of a task also keeps why it waits there.
func (v *views) note(note any) string {
	if words, known := v.has("why." + fmt.Sprint(note)); known {
		return words
	}
	return v.sentence(fmt.Sprint(note))
}

// act gives the words for an action of the audit trail.
func (v *views) act(action string) string { return v.orItself("act."+action, action) }

// actions are the actions that have words, by name.
func (v *views) actions() (names []string) {
	for key := range v.words {
		if name, is := strings.CutPrefix(key, "act."); is {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// step is where a task stands.
type step struct{ Name, Subject string }

func stepOf(text string) step {
	name, subject, _ := strings.Cut(text, " ")
	return step{name, subject}
}

// subject gives the words for what an action was done to.
func (v *views) subject(kind string) string { return v.orItself("subject."+kind, kind) }

// detail gives the words for one detail of an action: its name, and its value where that is one of ours.
func (v *views) detail(name, value string) string {
	if value == "" || value == "[]" {
		return ""
	}
	said := v.orItself("detail."+name, name)
	switch name {
	case "roles":
		return said + " " + v.each(value, "role.")
	case "do":
		return said + " " + v.each(value, "do.")
	case "kind":
		for _, family := range []string{"case.kind.", "kind.", "key.kind."} {
			if words, known := v.has(family + value); known {
				return said + " " + words
			}
		}
	case "purpose":
		return said + " " + purposeWords(value, v.lang)
	case "outcome":
		return said + " " + v.orItself("outcome."+value, value)
	case "action":
		return said + " " + v.act(value)
	case "owner", "actor":
		return said + " " + v.who(value)
	case "disabled", "reload":
		return said + " " + v.orItself("yes."+value, value)
	}
	return strings.TrimSpace(said + " " + v.sentence(value))
}

// each puts words separated by blanks into the reader's language, one by one.
func (v *views) each(list, family string) string {
	fields := strings.Fields(list)
	for i, one := range fields {
		fields[i] = v.orItself(family+one, one)
	}
	return strings.Join(fields, v.say("shell.and"))
}

func (v *views) orItself(key, itself string) string {
	if words, known := v.has(key); known {
		return words
	}
	return itself
}

// alarm tells the words of an alert, which in Chinese may end in what a fault wrote of itself in English.
func (v *views) alarm(words catalog.Text) told {
	said := pick(words, v.lang)
	if v.lang == "en" {
		return told{Lead: said}
	}
	for at, r := range said {
		rest := said[at+utf8.RuneLen(r):]
		if first, _ := utf8.DecodeRuneInString(rest); r == '：' && first < utf8.RuneSelf && unicode.IsLetter(first) {
			t := v.tell(rest)
			t.Lead = v.stepsIn(said[:at])
			return t
		}
	}
	return told{Lead: said}
}

// stepsIn puts the step of a task that stands in brackets into words: （nightly, pull court/court.debtor）.
func (v *views) stepsIn(said string) string {
	before, rest, opens := strings.Cut(said, "（")
	inner, after, closes := strings.Cut(rest, "）")
	if !opens || !closes {
		return said
	}
	parts := strings.Split(inner, ", ")
	for i, part := range parts {
		parts[i], _ = v.sentences.doing(part)
	}
	return before + "（" + strings.Join(parts, v.say("comma")) + "）" + after
}

// industry gives the words for a section of the industries; a division code is its own word.
func (v *views) industry(code string) string {
	if code == "" {
		return "–"
	}
	if words, known := v.has("industry." + code); known {
		return code + " " + words
	}
	return code
}

// described gives the words for what a contract says of a field: its type, whether it is required, how
// sensitive, how long, its title.
func (v *views) described(text string) string {
	parts := strings.Split(text, ", ")
	for i, part := range parts {
		name, rest, _ := strings.Cut(part, " ")
		for _, family := range []string{"type.", "catalogue.sensitivity.", "catalogue."} {
			if words, known := v.has(family + name); known {
				parts[i] = strings.TrimSpace(words + " " + rest)
				break
			}
		}
	}
	return strings.Join(parts, v.say("comma"))
}

// value gives the words for a value that stands in a sentence of another package.
func (v *views) value(name string) (string, bool) {
	if kind, _, named := strings.Cut(name, ":"); named {
		if _, known := v.has("who." + kind); known {
			return v.who(name), true
		}
	}
	for _, family := range []string{"case.state.", "case.kind.", "evidence.", "do.", "step.", "role.", "catalogue.kind.", "status.", "release.state."} {
		if words, known := v.has(family + name); known {
			return words, true
		}
	}
	for _, p := range auth.Purposes {
		if p.Code == name {
			return pick(p.Title, v.lang), true
		}
	}
	return name, false
}

// titleOf gives a field's title in place of its name.
func (v *views) titleOf(fields []catalog.Field, name string) string {
	for _, f := range fields {
		if f.Name == name {
			return pick(f.Title, v.lang)
		}
	}
	return name
}
