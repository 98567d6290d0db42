package catalog

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync/atomic"
)

// Catalog is what a catalogue folder says. Slices are sorted by id, departments by their order.
type Catalog struct {
	Departments []Department
	Platforms   []Platform
	Families    []Family
	FieldSets   []FieldSet
	CodeLists   []CodeList
	Datasets    []Dataset
	Policies    []Policy
	Rules       Rules
	Calendars   Calendar
	Overrides   []RecordedCode // pilot codes that a steward has recorded as valid
	Faults      []Fault        // everything that is wrong in the folder, in order of file and line

	datasets map[string]int
	recorded map[string]bool                  // by the catalogue's file
	stated   *atomic.Pointer[map[string]bool] // by statements in the hub
}

// Load reads a catalogue folder: the built-in Files, or an installation's own. It loads what it can: a file
// with a fault is left out, the others load. The faults are also kept in the catalogue.
func Load(fsys fs.FS) (*Catalog, []Fault) {
	l := &loader{fsys: fsys, cat: &Catalog{datasets: map[string]int{}, recorded: map[string]bool{}, stated: &atomic.Pointer[map[string]bool]{}}, texts: map[string][]byte{}}
	c := l.cat
	load(l, "departments/*.yaml", &c.Departments, l.department)
	load(l, "platforms/*.yaml", &c.Platforms, l.platform)
	load(l, "codes/*.yaml", &c.CodeLists, l.codeList)
	load(l, "families/*.yaml", &c.Families, l.family)
	load(l, "fieldsets/*.yaml", &c.FieldSets, l.fieldSet)
	load(l, "datasets/*/*.yaml", &c.Datasets, l.dataset)
	c.Rules = l.rules()
	c.Calendars = l.calendars()
	c.Overrides = l.overrides()
	families := map[string]Family{}
	for _, f := range c.Families {
		families[f.ID] = f
	}
	policies, faults := LoadPolicies(fsys, families)
	c.Policies, l.faults = policies, append(l.faults, faults...)

	l.strangers()
	slices.SortFunc(c.Departments, func(a, b Department) int { return cmp.Compare(a.Order, b.Order) })
	slices.SortFunc(c.Datasets, func(a, b Dataset) int { return strings.Compare(a.ID, b.ID) })
	for i, d := range c.Datasets {
		c.datasets[d.ID] = i
	}
	slices.SortStableFunc(l.faults, func(a, b Fault) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	c.Faults = l.faults
	return c, c.Faults
}

// Dataset gives the contract of an id such as amr.severe.
func (c *Catalog) Dataset(id string) (Dataset, bool) {
	i, ok := c.datasets[id]
	if !ok {
		return Dataset{}, false
	}
	return c.Datasets[i], true
}

// Family gives one of the dataset families.
func (c *Catalog) Family(id string) (Family, bool) {
	return find(c.Families, func(f Family) bool { return f.ID == id })
}

// CodeList gives a list that a field's codes name.
func (c *Catalog) CodeList(id string) (CodeList, bool) {
	return find(c.CodeLists, func(l CodeList) bool { return l.ID == id })
}

// Policy gives an evaluation policy.
func (c *Catalog) Policy(id string) (Policy, bool) {
	return find(c.Policies, func(p Policy) bool { return p.ID == id })
}

// Department gives one of the units that supply datasets.
func (c *Catalog) Department(id string) (Department, bool) {
	return find(c.Departments, func(d Department) bool { return d.ID == id })
}

// Platform gives one of the parties that are not departments.
func (c *Catalog) Platform(id string) (Platform, bool) {
	return find(c.Platforms, func(p Platform) bool { return p.ID == id })
}

// FieldSet gives fields that several datasets share.
func (c *Catalog) FieldSet(id string) (FieldSet, bool) {
	return find(c.FieldSets, func(s FieldSet) bool { return s.ID == id })
}

// CheckUSCC is the package's check with this catalogue's recorded pilot codes.
func (c *Catalog) CheckUSCC(raw string) Verdict {
	return CheckUSCCWith(raw, func(code string) bool {
		if c.recorded[code] || c.stated == nil {
			return c.recorded[code]
		}
		stated := c.stated.Load()
		return stated != nil && (*stated)[code]
	})
}

func find[T any](all []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], true
	}
	var none T
	return none, false
}

// loader gathers one catalogue and its faults.
type loader struct {
	fsys   fs.FS
	cat    *Catalog
	faults []Fault
	texts  map[string][]byte // of the files read, for their hashes
}

// load reads each file that matches, strictly, and adds what has no fault to into.
func load[T any](l *loader, pattern string, into *[]T, check func(v *T, at place) []Fault) {
	names, err := fs.Glob(l.fsys, pattern)
	if err != nil {
		l.faults = append(l.faults, Fault{File: pattern, Message: err.Error()})
	}
	for _, file := range names {
		var v T
		at, faults := l.read(file, &v)
		if len(faults) == 0 {
			faults = check(&v, at)
		}
		if l.faults = append(l.faults, faults...); len(faults) == 0 {
			*into = append(*into, v)
		}
	}
}

// strangers reports YAML files in folders where nothing reads them: a misplaced contract would else be missed
// without a word. Files beside the folders, such as a xinshu.yaml, are none of the catalogue's.
func (l *loader) strangers() {
	_ = fs.WalkDir(l.fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil { // what cannot be read and belongs to the catalogue was reported where it was wanted
			return nil //nolint:nilerr // the walk goes on
		}
		if entry.IsDir() && strings.HasPrefix(file, ".") && file != "." {
			return fs.SkipDir
		}
		_, read := l.texts[file]
		policy, _ := path.Match("policies/*.yaml", file)
		if ending := path.Ext(file); !read && !policy && !entry.IsDir() && strings.Contains(file, "/") && (ending == ".yaml" || ending == ".yml") {
			l.faults = append(l.faults, Fault{File: file, Line: 1, Message: "nothing reads a file of this place and name; datasets lie in datasets/<owner>/<name>.yaml"})
		}
		return nil
	})
}

func (l *loader) read(file string, into any) (place, []Fault) {
	text, err := fs.ReadFile(l.fsys, file)
	if err != nil {
		return place{}, []Fault{{File: file, Message: err.Error()}}
	}
	l.texts[file] = text
	return decode(file, text, into)
}

// stem is a file's name without folder and ending: the id it must hold.
func stem(file string) string { return strings.TrimSuffix(path.Base(file), ".yaml") }
