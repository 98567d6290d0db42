package stage

import (
	"fmt"
	"sort"
	"strings"

	"golang.org/x/text/unicode/norm"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// Words is what staging asks of the catalogue beside the dataset itself. *catalog.Catalog keeps it.
type Words interface {
	Family(id string) (catalog.Family, bool)
	CodeList(id string) (catalog.CodeList, bool)
	// CheckUSCC judges a code, the pilot codes that a steward recorded included.
	CheckUSCC(raw string) catalog.Verdict
}

// contract is a dataset made ready for reading rows: names resolved to places, so that no row looks
// anything up by name.
type contract struct {
	catalog.Dataset
	words    Words
	family   catalog.Family
	fields   []field
	names    map[string]int // field name, alias or Chinese title, folded, to its place in fields
	key      []int
	uscc     int
	name     int // -1 when the dataset names nobody
	sort     int // the category field; -1 when there is none
	op       int
	opTime   int
	kind     column
	columns  []column
	checks   []check
	levels   map[string]map[string]bool // kind to its levels; nil: any
	person   bool                       // some field is personal
	required []int                      // fields that a row must bring
}

// field is a contract field with its code list looked up.
type field struct {
	catalog.Field
	codes    map[string]string // written form to code; nil when the field has no list
	natural  map[string]bool   // codes that stand for a natural person
	personal bool
	key      bool // part of the record key
	stored   bool // its text stands in the rows table
	exempt   bool // not asked of a deletion, which often brings the key alone
}

// Check tells whether rows of a dataset can be read at all: every name it uses stands for something
// and every mapping gives the type its column has.
func Check(ds catalog.Dataset, words Words) error {
	_, err := compile(ds, words)
	return err
}

// compile reports all faults at once, since a contract's author mends them at once.
func compile(ds catalog.Dataset, words Words) (*contract, error) {
	c := &contract{Dataset: ds, words: words, names: map[string]int{}, levels: map[string]map[string]bool{}, uscc: -1, name: -1, sort: -1, op: -1, opTime: -1}
	var faults []string
	report := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }

	family, ok := words.Family(ds.Family)
	if !ok {
		report("family %q is unknown", ds.Family)
	}
	c.family = family
	c.readFields(words, report)
	c.readSubject(report)
	c.readColumns(report)
	for _, rule := range ds.Checks {
		k, err := c.crossField(rule)
		if err != nil {
			report("check %s: %v", rule.Code, err)
			continue
		}
		c.checks = append(c.checks, k)
	}
	if len(faults) == 0 {
		c.markStored()
		return c, nil
	}
	return nil, &fault.Error{
		Op: "read contract " + ds.ID, Code: fault.Invalid, Err: fmt.Errorf("%s", strings.Join(faults, "; ")),
		Hint: "mend " + ds.File + " and try again; other datasets are not touched",
	}
}

// markStored notes the fields whose text becomes part of a row as it stands.
func (c *contract) markStored() {
	if c.name >= 0 {
		c.fields[c.name].stored = true
	}
	for i := range c.columns {
		if f := c.columns[i].direct; f >= 0 {
			c.fields[f].stored = true
		}
	}
}

func (c *contract) readFields(words Words, report func(string, ...any)) {
	for i, f := range c.Fields {
		known := field{Field: f, personal: f.Sensitivity == "personal"}
		c.person = c.person || known.personal
		switch f.Type {
		case "", "text", "date", "datetime", "integer", "decimal", "wan", "yuan", "boolean", "uscc":
		default:
			report("field %s: type %q is unknown", f.Name, f.Type)
		}
		if f.Codes != "" {
			list, ok := words.CodeList(f.Codes)
			if !ok {
				report("field %s: code list %q is unknown", f.Name, f.Codes)
			}
			known.codes, known.natural = writtenForms(list)
		}
		c.fields = append(c.fields, known)
		c.names[fold(f.Name)] = i
	}
	// An alias or a title never takes a name away from a field that has it.
	for alias, name := range c.Aliases {
		i, ok := c.names[fold(name)]
		if !ok {
			report("alias %s: field %q is unknown", alias, name)
			continue
		}
		c.offer(alias, i)
	}
	titles := map[string]int{}
	for _, f := range c.Fields {
		titles[fold(f.Title.ZH)]++
	}
	for i, f := range c.Fields {
		if f.Title.ZH != "" && titles[fold(f.Title.ZH)] == 1 {
			c.offer(f.Title.ZH, i)
		}
	}
}

// writtenForms indexes a code list by every way in which a value may be written.
func writtenForms(list catalog.CodeList) (codes map[string]string, natural map[string]bool) {
	codes, natural = map[string]string{}, map[string]bool{}
	for _, v := range list.Values {
		for _, written := range append([]string{v.Code, v.ZH}, v.Alias...) {
			codes[written] = v.Code
			codes[norm.NFKC.String(written)] = v.Code
		}
		if namesNaturalPerson(v.ZH) {
			natural[v.Code] = true
		}
	}
	return codes, natural
}

func (c *contract) offer(name string, place int) {
	if _, taken := c.names[fold(name)]; !taken {
		c.names[fold(name)] = place
	}
}

func (c *contract) readSubject(report func(string, ...any)) {
	place := func(what, name, usual string, needed bool) int {
		if name == "" {
			name = usual
		}
		i, ok := c.place(name)
		if !ok {
			if needed || name != usual {
				report("%s: field %q is unknown", what, name)
			}
			return -1
		}
		return i
	}
	c.uscc = place("subject", c.Subject.USCC, "uscc", true)
	c.name = place("subject", c.Subject.Name, "entity_name", false)
	c.sort = place("subject", c.Subject.Category, "", c.Subject.Category != "")
	c.op = place("operation", "", "op", false)
	c.opTime = place("source time", "", "op_time", false)
	if len(c.Key) == 0 {
		report("the record key is empty")
	}
	for _, name := range c.Key {
		i := place("key", name, name, true)
		if i >= 0 && c.fields[i].personal {
			report("key: field %s is personal; a person's data never become a key", name)
		}
		c.key = append(c.key, i)
		if i >= 0 {
			c.fields[i].key = true
		}
	}
	for i := range c.fields {
		c.fields[i].exempt = true
		if c.fields[i].Required {
			c.required = append(c.required, i)
		}
	}
	for _, i := range append([]int{c.uscc}, c.key...) {
		if i >= 0 {
			c.fields[i].exempt = false
		}
	}
}

func (c *contract) readColumns(report func(string, ...any)) {
	kind, err := c.column(catalog.Column{Name: "kind", Type: "text"}, c.Kind)
	if err != nil {
		report("kind: %v", err)
	}
	kind.reason = KindUnknown
	c.kind = kind
	for name, levels := range c.family.Kinds {
		set := map[string]bool{}
		for _, l := range levels {
			set[l] = true
		}
		if !set["*"] {
			c.levels[name] = set
		} else {
			c.levels[name] = nil
		}
	}
	mapped := map[string]bool{}
	for _, col := range c.family.Columns {
		m, ok := c.Map[col.Name]
		mapped[col.Name] = ok
		k, err := c.column(col, m)
		if err != nil {
			report("map %s: %v", col.Name, err)
		}
		if col.Name == "level" {
			k.reason = LevelUnknown
		}
		c.columns = append(c.columns, k)
	}
	var strays []string
	for name := range c.Map {
		if !mapped[name] {
			strays = append(strays, name)
		}
	}
	sort.Strings(strays)
	for _, name := range strays {
		report("map %s: family %s has no such column", name, c.Family)
	}
}

// place gives a field by its own name.
func (c *contract) place(name string) (int, bool) {
	i, ok := c.names[fold(name)]
	return i, ok
}

// fold brings a column heading to the form in which headings are compared.
func fold(name string) string { return strings.ToLower(trim(name)) }
