package catalog

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Sighting is a drift as a proposal needs it.
type Sighting struct {
	Kind    string // UnknownColumn, MissingColumn, ChangedType
	Column  string // as the source calls it
	Field   string // of the contract; empty for an unknown column
	Guess   string // field type that the values seen would fit; personal for resident ids
	Longest int    // characters of the longest value seen
}

// Propose writes the next version of a contract's file, which takes in what sources were seen to send:
// an unknown column becomes an alias where it looks like the new name of a missing field, else an
// optional field of the type its values have. Comments and order stay. The notes say what was done and
// what a person has to settle with the department; nothing is in force by it.
func Propose(text []byte, ds Dataset, seen []Sighting) (next []byte, notes []string, err error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Content) == 0 {
		return nil, nil, fmt.Errorf("read the contract of %s: %w", ds.ID, err)
	}
	root := doc.Content[0]
	renamed := map[string]string{} // column to the field it seems to be
	for _, s := range seen {
		if s.Kind == UnknownColumn {
			if field := likeliest(s, seen, ds); field != "" {
				renamed[s.Column] = field
			}
		}
	}
	taken := map[string]bool{}
	for _, s := range seen {
		switch field := renamed[s.Column]; {
		case s.Kind == UnknownColumn && field != "":
			under(root, "aliases", yaml.MappingNode).Content = append(under(root, "aliases", yaml.MappingNode).Content, scalarNode(s.Column), scalarNode(field))
			taken[field] = true
			notes = append(notes, fmt.Sprintf("column %s is taken as field %s, which the source no longer sends under its name", s.Column, field))
		case s.Kind == UnknownColumn:
			fields := under(root, "fields", yaml.SequenceNode)
			fields.Content = append(fields.Content, newField(s))
			notes = append(notes, fmt.Sprintf("column %s becomes an optional field; settle its titles and meaning with the department", s.Column))
		case s.Kind == ChangedType:
			notes = append(notes, fmt.Sprintf("field %s no longer has values of its type; they look like %s: settle with the department, nothing is proposed", s.Field, s.Guess))
		}
	}
	for _, s := range seen {
		if s.Kind == MissingColumn && !taken[s.Field] {
			notes = append(notes, fmt.Sprintf("field %s is no longer sent: settle with the department, nothing is proposed", s.Field))
		}
	}
	if version := child(root, "version"); version != nil {
		version.Value = strconv.Itoa(ds.Version + 1)
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return nil, nil, err
	}
	return b.Bytes(), notes, enc.Close()
}

func newField(s Sighting) *yaml.Node {
	field := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	title := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{scalarNode("zh"), scalarNode(s.Column), scalarNode("en"), scalarNode(s.Column)}}
	kind := s.Guess
	if kind == "personal" || kind == "" {
		kind = "text"
	}
	field.Content = []*yaml.Node{scalarNode("name"), scalarNode(s.Column), scalarNode("type"), scalarNode(kind), scalarNode("title"), title}
	if s.Guess == "personal" {
		field.Content = append(field.Content, scalarNode("sensitivity"), scalarNode("personal"))
	}
	if kind == "text" && s.Longest > 0 {
		field.Content = append(field.Content, scalarNode("max"), &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.Itoa(roomFor(s.Longest))})
	}
	return field
}

// roomFor gives a limit with room: the next of 50, 100, 200, 500 ... that holds twice what was seen.
func roomFor(longest int) int {
	for size := 50; ; size *= 10 {
		for _, step := range []int{1, 2, 4, 10} {
			if size*step >= 2*longest {
				return size * step
			}
		}
	}
}

// likeliest gives the missing field that an unknown column resembles most, if it resembles one.
func likeliest(s Sighting, seen []Sighting, ds Dataset) string {
	best, field := 0.6, ""
	for _, m := range seen {
		if m.Kind != MissingColumn {
			continue
		}
		f, ok := ds.Field(m.Field)
		if !ok {
			continue
		}
		if alike := max(resemblance(s.Column, f.Name), resemblance(s.Column, f.Title.ZH)); alike > best && fits(s.Guess, f.Type) {
			best, field = alike, f.Name
		}
	}
	return field
}

// fits says whether values that look like one type can be read as another.
func fits(guess, kind string) bool {
	switch {
	case guess == kind || guess == "" || kind == "text":
		return true
	case guess == "integer":
		return kind == "decimal" || kind == "wan" || kind == "yuan"
	case guess == "decimal":
		return kind == "wan" || kind == "yuan"
	case guess == "date":
		return kind == "datetime"
	}
	return false
}

// resemblance is 1 for names that differ in case and marks only, and falls with each character that
// would have to be changed.
func resemblance(a, b string) float64 {
	x, y := letters(a), letters(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j, q := range y {
			cost := diagonal
			if r != q {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return 1 - float64(row[len(y)])/float64(max(len(x), len(y)))
}

func letters(name string) []rune {
	return []rune(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name))
}

// under gives a member of the file's top level, and makes it where it is not there.
func under(root *yaml.Node, key string, kind yaml.Kind) *yaml.Node {
	if node := child(root, key); node != nil && node.Kind == kind {
		return node
	}
	node := &yaml.Node{Kind: kind}
	root.Content = append(root.Content, scalarNode(key), node)
	return node
}

func scalarNode(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	return n
}
