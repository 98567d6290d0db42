package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// place is a file that was read, kept so that a fault found later names its line.
type place = policyPlace

// decode reads one YAML document strictly: an unknown key, a key given twice and a second document are
// faults, each with its line.
func decode(file string, text []byte, into any) (place, []Fault) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return place{}, []Fault{syntaxFault(file, text, err)}
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return place{}, []Fault{{File: file, Line: 1, Message: "the file must be a mapping of keys, and is not"}}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		return place{}, tidy(yamlFaults(file, err))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return place{}, []Fault{{File: file, Line: 1, Message: "the file must hold one document, and holds more"}}
	}
	return place{file: file, root: root.Content[0]}, nil
}

var (
	unknownKey = regexp.MustCompile(`^field (.+) not found in type \S+$`)
	wrongType  = regexp.MustCompile("^cannot unmarshal !!(\\w+) (`.*` )?into (.*)$")
)

var (
	parserError   = regexp.MustCompile(`line \d+: did not find expected ('[,-]|key|node content|<)`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.+)' referenced`)
)

// syntaxFault finds the line of text that is no YAML. The library's parser counts lines from 0 where its scanner
// counts from 1, and names no line for an anchor.
func syntaxFault(file string, text []byte, err error) Fault {
	f := yamlFaults(file, err)[0]
	if parserError.MatchString(err.Error()) {
		f.Line = min(f.Line+1, 1+bytes.Count(text, []byte("\n")))
	}
	if m := unknownAnchor.FindStringSubmatch(f.Message); m != nil {
		if before, _, found := bytes.Cut(text, []byte("*"+m[1])); found {
			f.Line = 1 + bytes.Count(before, []byte("\n"))
		}
	}
	return f
}

// tidy puts the decoder's words, which speak of Go types, into those of the file.
func tidy(faults []Fault) []Fault {
	for i, f := range faults {
		if m := unknownKey.FindStringSubmatch(f.Message); m != nil {
			faults[i].Message = fmt.Sprintf("key %q is unknown here", m[1])
		} else if m := wrongType.FindStringSubmatch(f.Message); m != nil {
			faults[i].Message = fmt.Sprintf("a %s %sstands where a %s belongs", m[1], m[2], yamlWord(m[3]))
		}
	}
	return faults
}

// yamlWord says a Go type as a person who writes YAML would.
func yamlWord(goType string) string {
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "list"
	case strings.HasPrefix(goType, "map"), strings.Contains(goType, "catalog."):
		return "mapping"
	case goType == "int":
		return "whole number"
	case goType == "bool":
		return "true or false"
	case goType == "string":
		return "text"
	}
	return goType
}

// UnmarshalYAML takes the short form, a field's name, and the long one.
func (m *Mapping) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		m.Field = node.Value
		return nil
	}
	if err := knownKeys(node, "field", "first", "const", "values", "default"); err != nil {
		return err
	}
	type plain Mapping // without this method
	return node.Decode((*plain)(m))
}

// knownKeys keeps strictness inside a custom form, where the decoder forgets it.
func knownKeys(node *yaml.Node, known ...string) error {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(known, key.Value) {
			return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: key %q is unknown here", key.Line, key.Value)}}
		}
	}
	return nil
}

// UnmarshalYAML reads what String gives, quoted or not.
func (d *Date) UnmarshalYAML(node *yaml.Node) error {
	if err := d.UnmarshalText([]byte(node.Value)); err != nil {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %q is no date of the form 2006-01-02", node.Line, node.Value)}}
	}
	return nil
}

// scalar reports whether a file's top-level key holds a single value.
func scalar(p place, key string) bool {
	node := child(p.root, key)
	return node != nil && node.Kind == yaml.ScalarNode
}
