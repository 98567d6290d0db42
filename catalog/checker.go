package catalog

import (
	"slices"
	"strings"
)

// checker gathers the faults of one file.
type checker struct {
	place
	faults []Fault
}

func (c *checker) fail(at []any, format string, args ...any) {
	c.faults = append(c.faults, c.fault(at, format, args...))
}

// oneOf demands one of a few words.
func (c *checker) oneOf(at []any, value string, words ...string) {
	if !slices.Contains(words, value) {
		c.fail(at, "%q is none of %s", value, strings.Join(words, ", "))
	}
}

// named demands what every file of the catalogue has: an id that is the file's name, and a title in both languages.
func (c *checker) named(id string, title Text) {
	if id != stem(c.file) {
		c.fail([]any{"id"}, "id %q belongs in a file of its own name, this is %s", id, c.file)
	}
	c.titled([]any{"title"}, title)
}

func (c *checker) titled(at []any, title Text) {
	if title.ZH == "" || title.EN == "" {
		c.fail(at, "a title is needed in zh and en")
	}
}

func (l *loader) department(d *Department, at place) []Fault {
	c := checker{place: at}
	c.named(d.ID, d.Title)
	c.titled([]any{"sector"}, d.Sector)
	if d.Order < 1 {
		c.fail([]any{"order"}, "the order is a number from 1")
	}
	if other, taken := find(l.cat.Departments, func(o Department) bool { return o.Order == d.Order }); taken {
		c.fail([]any{"order"}, "order %d is that of %s", d.Order, other.ID)
	}
	return c.faults
}

func (l *loader) platform(p *Platform, at place) []Fault {
	c := checker{place: at}
	c.named(p.ID, p.Title)
	c.titled([]any{"content"}, p.Content)
	c.oneOf([]any{"way"}, p.Way, ways...)
	if _, taken := l.cat.Department(p.ID); taken {
		c.fail([]any{"id"}, "%s is a department already", p.ID)
	}
	return c.faults
}

var columnTypes = []string{"text", "date", "timestamp", "integer", "fen", "boolean"}

func (l *loader) family(f *Family, at place) []Fault {
	c := checker{place: at}
	c.named(f.ID, f.Title)
	if len(f.Kinds) == 0 {
		c.fail([]any{"kinds"}, "a family needs a kind")
	}
	for kind := range f.Kinds {
		for _, other := range l.cat.Families {
			if _, taken := other.Kinds[kind]; taken {
				c.fail([]any{"kinds", kind}, "kind %s belongs to family %s already; policies match kinds", kind, other.ID)
			}
		}
	}
	seen := map[string]bool{}
	for i, col := range f.Columns {
		at := []any{"columns", i}
		if col.Name == "" || seen[col.Name] {
			c.fail(at, "a column needs a name of its own")
		}
		seen[col.Name] = true
		c.oneOf(at, col.Type, columnTypes...)
		c.titled(at, col.Title)
	}
	return c.faults
}
