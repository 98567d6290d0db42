package simulate

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	"xinshu/catalog"
)

// dataset is one dataset of the catalogue made ready for writing rows: what it holds, and for each
// column of the contract how its value follows from a fact.
type dataset struct {
	id       string
	owner    string
	family   string
	letters  string // in record numbers: TAXGRADE
	hash     uint64
	place    int // in Province.order
	source   source
	cases    bool
	contract catalog.Dataset
	columns  []column
	headings []string
	kinds    map[string][]string // canonical kind to the words its owner uses
	levels   map[string][]string // canonical level likewise
	moves    bool                // a change moves the day of the act (a grade changed during its year)
	first    []int               // entities that surely have records here, so that a small province lacks no dataset
	faults   []Fault             // the kinds of dirt that can occur here

	once    sync.Once
	members []int32 // see Province.membersOf
}

// column writes one column of a row.
type column struct {
	field catalog.Field
	hash  uint64
	write func(r *row) string
}

// compile reads a contract backwards: stage turns a source's words into canonical ones, this package
// turns canonical ones into the source's.
func compile(ds catalog.Dataset, place int, s source, codes func(string) []string) (*dataset, error) {
	d := &dataset{
		id: ds.ID, owner: ds.Owner, family: ds.Family, letters: strings.ToUpper(strings.NewReplacer(".", "", "-", "").Replace(ds.ID)), hash: hashOf(ds.ID), place: place, source: s, cases: ds.Family == "case", contract: ds,
		kinds: inverse(ds.Kind.Values), levels: inverse(ds.Map["level"].Values),
	}
	roles := rolesOf(ds)
	for _, f := range ds.Fields {
		if (f.Name == "uscc" && ds.Subject.USCC != "uscc") || (f.Name == "entity_name" && ds.Subject.Name != "entity_name") {
			continue // the field set's own names say the same fact
		}
		var listed []string
		if f.Codes != "" {
			if listed = codes(f.Codes); len(listed) == 0 {
				return nil, fmt.Errorf("dataset %s: field %s: code list %q is empty or unknown", ds.ID, f.Name, f.Codes)
			}
		}
		col := column{field: f, hash: hashOf(f.Name)}
		col.write = d.writer(f, roles[f.Name], listed)
		d.moves = d.moves || roles[f.Name] == "changed"
		d.columns = append(d.columns, col)
	}
	d.headings = headingsOf(ds, d.columns)
	d.faults = d.possibleFaults()
	return d, d.checkWords()
}

// rolesOf tells of each field the first family column it feeds.
func rolesOf(ds catalog.Dataset) map[string]string {
	roles := map[string]string{}
	columns := make([]string, 0, len(ds.Map))
	for c := range ds.Map {
		columns = append(columns, c)
	}
	sort.Slice(columns, func(i, j int) bool { return roleOrder(columns[i]) < roleOrder(columns[j]) })
	for _, c := range columns {
		m := ds.Map[c]
		fields := m.First
		if m.Field != "" {
			fields = []string{m.Field}
		}
		for i, f := range fields {
			if _, taken := roles[f]; taken {
				continue
			}
			if roles[f] = c; i < len(fields)-1 && roleOrder(c)[0] == '1' {
				roles[f] = "changed" // the first of two dates speaks where something changed
			}
		}
	}
	return roles
}

// roleOrder sorts columns so that the day of the act claims its field before a validity does.
func roleOrder(column string) string {
	switch column {
	case "decided_on", "established_on", "listed_on", "filed_on", "announced_on", "rated_on", "acted_on", "committed_on", "awarded_on", "confirmed_on", "effective_on":
		return "1" + column
	}
	return "2" + column
}

// headingsOf names the columns as the department heads them: most use the contract's names, some the
// names of 2015, one the Chinese titles.
func headingsOf(ds catalog.Dataset, columns []column) []string {
	old := map[string]string{}
	if oldStyle[ds.ID] {
		for alias, name := range ds.Aliases {
			if strings.HasPrefix(alias, name[:2]) && (old[name] == "" || alias < old[name]) {
				old[name] = alias
			}
		}
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		switch {
		case old[c.field.Name] != "":
			names[i] = old[c.field.Name]
		case titled[ds.ID]:
			names[i] = c.field.Title.ZH
		default:
			names[i] = c.field.Name
		}
	}
	return names
}

var (
	oldStyle = map[string]bool{"cult.penalty": true, "tobacco.case": true, "forestry.penalty": true, "agri.input": true}
	titled   = map[string]bool{"water.rating": true, "miit.green": true}
)

func inverse(values map[string]string) map[string][]string {
	words := map[string][]string{}
	for word, canonical := range values {
		words[canonical] = append(words[canonical], word)
	}
	for _, w := range words {
		sort.Strings(w)
	}
	return words
}

// checkWords makes sure that every kind and level the source speaks of has a word in the contract.
func (d *dataset) checkWords() error {
	if d.contract.Map["level"].Values != nil {
		for _, drawn := range d.source.levels {
			for _, l := range drawn {
				if len(d.levels[l.word]) == 0 && d.contract.Map["level"].Field != "" && len(d.levels) > 0 {
					return fmt.Errorf("dataset %s: the contract has no word for level %q", d.id, l.word)
				}
			}
		}
	}
	for _, k := range d.source.kinds {
		if len(d.kinds[k.word]) == 0 {
			return fmt.Errorf("dataset %s: the contract has no word for kind %q", d.id, k.word)
		}
	}
	return nil
}

// writes says whether the owner has a word for a level.
func (d *dataset) writes(level string) bool { return len(d.levels[level]) > 0 }

// native says that the dataset is a platform's own double report, not a department's act.
func (d *dataset) native() bool { return strings.HasPrefix(d.id, "prov-credit.") }

// endsAhead says whether the end of a fact is known from the beginning (a licence's validity) or only
// when it comes (the exit from a list, the word of somebody who confirms).
func (d *dataset) endsAhead() bool {
	return d.family != "listing" && d.family != "obligation" && d.id != "prov-credit.selfreport"
}

// caseable says whether cases speak of its records: they need a document number to name one.
func (d *dataset) caseable() bool {
	switch d.id {
	case "amr.severe", "tax.severe", "nat-credit.severe", "prov-credit.honour":
		return true
	}
	return d.family == "penalty"
}

// concerns says whether the dataset can hold anything about the entity.
func (d *dataset) concerns(e *Entity) bool {
	s := &d.source
	if s.categories == "" {
		if !e.market() {
			return false
		}
	} else if !hasCategory(s.categories, e.Category) {
		return false
	}
	return s.industries == "" || strings.IndexByte(s.industries, e.Industry) >= 0
}

func hasCategory(list, category string) bool {
	for i := 0; i < len(list); i += 2 {
		if list[i:i+2] == category {
			return true
		}
	}
	return false
}

// pin chooses entities that surely have records here, another three for each dataset.
func (d *dataset) pin(entities []Entity) {
	for k := 0; k < len(entities) && len(d.first) < 3; k++ {
		i := (d.place*37 + k) % len(entities)
		if !d.cases && d.concerns(&entities[i]) && entities[i].Nature != Exemplary {
			d.first = append(d.first, i)
		}
	}
}

func (d *dataset) pinned(i int) bool {
	return slices.Contains(d.first, i)
}

// hashOf is FNV-1a: names spread into seeds.
func hashOf(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
