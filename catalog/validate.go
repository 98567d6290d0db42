package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The words a contract may use.
var (
	fieldTypes    = []string{"text", "date", "datetime", "integer", "decimal", "wan", "yuan", "boolean", "uscc"}
	sensitivities = []string{"", "public", "internal", "personal"}
	shares        = []string{"unconditional", "conditional", "none"}
	ways          = []string{"restapi", "dbtable", "files"}
	cycles        = []string{"realtime", "daily", "weekly", "monthly", "quarterly", "half-yearly", "yearly", "as-it-happens"}
	// rules of checks: how many fields, and whether words
	checkRules = map[string]struct {
		fields int
		words  bool
	}{"not_after": {2, false}, "not_future": {1, false}, "positive_iff": {2, true}, "required_if": {2, true}, "uscc": {1, false}}
	// field types a column can be filled from
	fitting = map[string][]string{
		"date": {"date", "datetime"}, "timestamp": {"datetime", "date"}, "integer": {"integer", "decimal"},
		"fen": {"wan", "yuan"}, "boolean": {"boolean"},
	}
	checkCode = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
)

// classList names the code list of classes of the national basic catalogue, which an installation may extend.
const classList = "catalogue-class"

// dataset puts a contract together and holds it against everything it names.
func (l *loader) dataset(d *Dataset, at place) []Fault {
	c := checker{place: at}
	if scalar(at, "kind") { // for the kind, unlike elsewhere, a bare word is the kind itself
		d.Kind = Mapping{Const: d.Kind.Field}
	}
	l.header(&c, d)
	c.unique(d.Fields)
	sets, ok := l.used(&c, d)
	if !ok { // what the rest of the contract names may well stand in a set that is not there
		return c.faults
	}
	family, known := l.cat.Family(d.Family)
	if !known {
		c.fail([]any{"family"}, "family %q is unknown or has faults", d.Family)
	}
	d.assemble(sets)
	l.fields(&c, d.Fields, d.Aliases)
	c.subject(d)
	c.keys(d)
	c.checks(d)
	c.drift(d)
	if known {
		c.mappings(d, family)
	}
	if c.faults == nil {
		d.File = at.file
		d.SHA256 = l.contractHash(d)
	}
	return c.faults
}

func (l *loader) header(c *checker, d *Dataset) {
	c.titled([]any{"title"}, d.Title)
	folder := strings.Split(c.file, "/")
	if owner := folder[len(folder)-2]; d.Owner != owner || d.ID != owner+"."+stem(c.file) {
		c.fail([]any{"id"}, "dataset %s of %s belongs in datasets/%s/, in a file named for what follows the point; this is %s", d.ID, d.Owner, d.Owner, c.file)
	}
	_, department := l.cat.Department(d.Owner)
	_, platform := l.cat.Platform(d.Owner)
	if !department && !platform {
		c.fail([]any{"owner"}, "owner %q is no department and no platform", d.Owner)
	}
	classes, _ := l.cat.CodeList(classList)
	if _, ok := find(classes.Values, func(v CodeValue) bool { return v.Code == d.Class }); !ok {
		c.fail([]any{"class"}, "class %q is not in the code list %s", d.Class, classList)
	}
	c.oneOf([]any{"share"}, d.Share, shares...)
	c.oneOf([]any{"way"}, d.Way, ways...)
	c.oneOf([]any{"cycle"}, d.Cycle, cycles...)
	if d.Stock != "" {
		c.oneOf([]any{"stock"}, d.Stock, "whole")
	}
	if d.Stock != "" && d.Family == "case" {
		c.fail([]any{"stock"}, "rows of the family case are decisions: one that is no longer sent was still made, so its stock is never whole")
	}
	for key, percent := range map[string]*int{"least": d.Guard.Least, "least_new": d.Guard.LeastNew} {
		if percent != nil && (*percent < 0 || *percent > 100) {
			c.fail([]any{"guard", key}, "%s is a share of a usual pull in percent, 0 to 100", key)
		}
	}
	if d.Version < 1 {
		c.fail([]any{"version"}, "the version is a number from 1")
	}
}

func (l *loader) used(c *checker, d *Dataset) (sets []FieldSet, ok bool) {
	ok = true
	for i, id := range d.Use {
		s, known := l.cat.FieldSet(id)
		if !known {
			c.fail([]any{"use", i}, "field set %q is unknown or has faults", id)
		}
		ok = ok && known
		sets = append(sets, s)
	}
	return sets, ok
}

// unique demands that a file's own fields have names, each its own. A name that a set below has too is no fault:
// the file's field stands in its place.
func (c *checker) unique(fields []Field) {
	seen := map[string]bool{}
	for i, f := range fields {
		if f.Name == "" || seen[f.Name] {
			c.fail([]any{"fields", i}, "field %q: every field needs a name of its own", f.Name)
		}
		seen[f.Name] = true
	}
}

// fields checks names, types and code lists of fields, and that aliases lead somewhere.
func (l *loader) fields(c *checker, fields []Field, aliases map[string]string) {
	seen := map[string]bool{}
	for _, f := range fields {
		at := c.fieldAt(f.Name)
		seen[f.Name] = true
		c.titled(at, f.Title)
		c.oneOf(at, f.Type, fieldTypes...)
		if !slices.Contains(sensitivities, f.Sensitivity) {
			c.fail(at, "field %s: sensitivity %q is none of public, internal, personal", f.Name, f.Sensitivity)
		}
		if f.Max < 0 {
			c.fail(at, "field %s: max is a number of characters", f.Name)
		}
		if _, ok := l.cat.CodeList(f.Codes); f.Codes != "" && !ok {
			c.fail(at, "field %s: code list %q is unknown or has faults", f.Name, f.Codes)
		}
		if f.Codes != "" && f.Type != "text" {
			c.fail(at, "field %s: a code list goes with type text", f.Name)
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(aliases)) {
		at := []any{"aliases", alias}
		if name := aliases[alias]; !seen[name] && !strings.HasPrefix(c.file, "fieldsets/") || name == alias {
			c.fail(at, "alias %s: field %q is unknown", alias, name) // in a set the field may come from the set below
		}
		if seen[alias] {
			c.fail(at, "alias %s is the name of a field", alias)
		}
	}
}

func (c *checker) subject(d *Dataset) {
	for _, s := range []struct{ key, name string }{{"uscc", d.Subject.USCC}, {"name", d.Subject.Name}, {"category", d.Subject.Category}} {
		f, ok := d.Field(s.name)
		switch {
		case s.key == "uscc" && s.name == "":
			c.fail([]any{"subject"}, "a dataset must say whose code it carries: use the field set common, or name a subject")
		case s.name != "" && !ok:
			c.fail([]any{"subject", s.key}, "subject: field %q is unknown", s.name)
		case s.key == "uscc" && f.Type != "uscc":
			c.fail([]any{"subject", s.key}, "subject: field %s must be of type uscc", s.name)
		}
	}
}

// keys checks the record key and the supplier's duty.
func (c *checker) keys(d *Dataset) {
	if len(d.Key) == 0 {
		c.fail([]any{"key"}, "a dataset needs a record key")
	}
	for i, name := range d.Key {
		f, ok := d.Field(name)
		if !ok {
			c.fail([]any{"key", i}, "key: field %q is unknown", name)
		} else if !f.Required && name != d.Subject.USCC { // a row without the subject's code is quarantined anyway
			c.fail([]any{"key", i}, "key: field %s must be required", name)
		}
		if f.Sensitivity == "personal" {
			c.fail([]any{"key", i}, "key: field %s is personal and must not become a key", name)
		}
	}
	if d.Duty.From == "" && d.Duty.WorkingDays == 0 {
		return
	}
	if f, ok := d.Field(d.Duty.From); !ok || f.Type != "date" && f.Type != "datetime" || d.Duty.WorkingDays < 1 {
		c.fail([]any{"duty"}, "a duty counts working days from a date field; %q is none, or the days are missing", d.Duty.From)
	}
}

func (c *checker) checks(d *Dataset) {
	for _, k := range d.Checks {
		at := c.checkAt(k)
		rule, ok := checkRules[k.Rule]
		if !ok {
			c.fail(at, "check %s: rule %q is none of %s", k.Code, k.Rule, strings.Join(slices.Sorted(maps.Keys(checkRules)), ", "))
			continue
		}
		if !checkCode.MatchString(k.Code) || k.Message.ZH == "" || k.Message.EN == "" {
			c.fail(at, "check %q needs a code in capitals and a message in zh and en", k.Code)
		}
		if len(k.Fields) != rule.fields || rule.words == (len(k.Words) == 0) {
			c.fail(at, "check %s: rule %s takes %d fields, and words: %v", k.Code, k.Rule, rule.fields, rule.words)
			continue
		}
		for i, name := range k.Fields {
			f, ok := d.Field(name)
			dated := f.Type == "date" || f.Type == "datetime"
			money := slices.Contains([]string{"integer", "decimal", "wan", "yuan"}, f.Type)
			switch {
			case !ok:
				c.fail(at, "check %s: field %q is unknown", k.Code, name)
			case strings.HasPrefix(k.Rule, "not_") && !dated:
				c.fail(at, "check %s: field %s is no date", k.Code, name)
			case k.Rule == "positive_iff" && i == 0 && !money:
				c.fail(at, "check %s: field %s is no number", k.Code, name)
			}
		}
	}
}

// contractHash covers all that decides what a row becomes: the contract, its field sets, code lists and family.
func (l *loader) contractHash(d *Dataset) string {
	parts := []string{"families/" + d.Family + ".yaml"}
	for _, id := range d.Use {
		parts = append(parts, "fieldsets/"+id+".yaml")
	}
	for _, f := range d.Fields {
		if part := "codes/" + f.Codes + ".yaml"; f.Codes != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	digest := sha256.New()
	for _, part := range append(parts, d.File) {
		fmt.Fprintf(digest, "%s %d\n", part, len(l.texts[part]))
		digest.Write(l.texts[part])
	}
	return hex.EncodeToString(digest.Sum(nil))
}
